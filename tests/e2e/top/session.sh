#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Enter looks into a session: its state, its vrings with a verdict, its messages, also those that come.
. "$(dirname "$0")/lib.sh"

back --device blk
proxy p
load p
top_start 200 40 ''
sees ' runs$'
press Enter
sees '^session 1 of .*p.ctl'
sees '\[1 State\]'
sees '^  front-end    vhu-sample-fron'
sees '^  device       BLOCK'
press 2
sees '\[2 Vrings\]'
sees 'vring 0: (moving|idle|nothing)'
kill -STOP "$(stage_pid back)"
sees 'is stopped by a signal'
sees 'to do: '
kill -CONT "$(stage_pid back)"
sees 'vring 0: moving'

# What made the session what it is, from its beginning on.
press Tab
sees '\[3 Messages\]'
sees ' SET_VRING_KICK '
press Home
sees ' GET_FEATURES'
press End
misses ' GET_FEATURES'

# Its end is shown; Esc leads back.
stage_end front_p TERM || :
sees '^session 1 of .*ENDED'
press Escape
sees 'no session is open'
press q
sees 'status 0'
