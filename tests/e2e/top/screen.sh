#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu top shows what vrings do in 80 columns and in 200, that they stall and go on, filters, sorts, pauses.
. "$(dirname "$0")/lib.sh"

back --device blk
proxy p
load p
top_start 80 24 '-s p.ctl --sort vring'

# Rates of both vrings, and percentiles.
number='[0-9.]+[kM]?' time='[0-9.]+[num]?s'
busy=" 1 p.sock +[0-9]+ +[0-9]+ +0 +$number +$number +$time +$time +$time "
sees "$busy"
sees ' runs$'
sees '^1 source  1 session  2 vrings: [12] runs'
[ "$(awk 'length > 80' screen)" = '' ] || fail 'more than 80 columns'
sees '^  SES SOCKET .* AGE STATE$'
[ "$(grep -c ' p.sock ' screen)" = 2 ] || fail 'not two vrings'

# A back-end that is stopped stalls them, with the age of what waits.
kill -STOP "$(stage_pid back)"
sees '^1 source  1 session  2 vrings: 2 stalled'
sees " p.sock .* [1-9][0-9]* +[0-9.]+s stalled\$"
kill -CONT "$(stage_pid back)"
sees '^1 source  1 session  2 vrings: [12] runs'

# What a filter does not let pass is not shown, and comes back with Esc.
press / nosuch
sees '^filter: nosuch_'
sees 'The filter lets nothing pass'
press Escape
sees ' p.sock '
press / vhu-sample Enter
sees 'filter: vhu-sample'
sees ' p.sock '
press Escape
misses 'filter:'

# Sorted by the vring, the other way round, and by another column.
sees 'sorted by vring'
first_vring() {
	look && [ "$(sed -n '4s/^.* p.sock  *[0-9-]* *[0-9.]* *\([0-9]\) .*/\1/p' screen)" = "$1" ]
}
await 'first_vring 0' 'vring 0 comes first'
press r
sees 'sorted by vring, reversed'
await 'first_vring 1' 'vring 1 comes first'
press r '>'
sees 'sorted by kicks'
press '<' '<'
sees 'sorted by messages'

# The cursor goes down, and stays on its row.
press j
sees '^>   1 p.sock'

# While it is paused nothing changes, though kicks go on.
press p
sees PAUSED
kicks() {
	"$vhu" ctl -s p.ctl --json sessions | jq '.sessions[0].interposed[0].kick.signals'
}
look
cp screen paused
before=$(kicks)
more() { [ "$(kicks)" -gt $((before + 1000)) ]; }
await more 'there were more kicks'
look
cmp -s paused screen || fail 'the screen changes while it is paused'
press p
misses PAUSED
await 'look && ! cmp -s paused screen' 'the screen changes again'

# A larger screen has more columns; a smaller one is the one before.
mux resize-window -t t -x 200 -y 50
sees ' DEVICE +BACK-END +SOURCE '
sees ' BLOCK '
mux resize-window -t t -x 80 -y 24
misses 'BACK-END'
sees '^  SES SOCKET .* AGE STATE$'
mux resize-window -t t -x 40 -y 5
sees '^  SES SOCKET +VR KICK/s +AGE STATE$'
press h
sees 'keys and states'
press Escape q
sees 'status 0'
