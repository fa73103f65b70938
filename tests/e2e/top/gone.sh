#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Several proxies: vhu top shows one as gone when it goes, and again when it is back; shows one that does
# not answer as such, without waiting for it; and finds a new one in a folder.
. "$(dirname "$0")/lib.sh"

mkdir run
back --device blk
# Start proxy $1.
start() {
	stage_start "proxy_$1" "$vhu" proxy -q --control "run/$1.ctl" --interpose-eventfds "$1.sock" back.sock
	stage_listens "proxy_$1" "$1.sock"
}
start a
stage_start other "$vhu" proxy -q --control other.ctl other.sock back.sock
stage_listens other other.sock
top_start 80 24 '-s run -s other.ctl'
sees '^2 sources  0 sessions  0 vrings'
sees '^.other.ctl: no session is open'
stage_end other TERM
sees '^2 sources, 1 gone  0 sessions  0 vrings'
sees '^.run/a.ctl: no session is open'
sees '^.other.ctl: gone for .*: No such file or directory'
load a
sees ' a.sock .* runs$'

# A new one in the folder; what is not called a control socket is let alone.
start b
sees '^3 sources, 1 gone  1 session '
sees '^.run/b.ctl: no session is open'

# One that ends, and comes back.
stage_end proxy_b TERM
sees '^.run/b.ctl: gone for .*: No such file or directory'
start b
sees '^.run/b.ctl: no session is open'

# One that hangs.
kill -STOP "$(stage_pid proxy_b)"
sees '^.run/b.ctl: gone for .*: it does not answer'
sees ' a.sock .* runs$'
kill -CONT "$(stage_pid proxy_b)"
sees '^.run/b.ctl: no session is open'

# One whose session goes: its vrings do too.
stage_end front_a TERM || :
sees '^.run/a.ctl: no session is open'
press q
sees '^status 0'
