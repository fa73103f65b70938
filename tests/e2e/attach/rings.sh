#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu rings -p finds the vrings of a process by the capture of the vhu attach that watches its session, and
# says why one hangs. For a process without a session there, it says so.
. "$(dirname "$0")/lib.sh"

back "$back_end" --device blk --memory 8 --socket-path="$work/back"
attach --socket "$work/back" -w it.pcapng
stage_start front "$front_end" --device blk --rate 200 --duration 600s --timeout 600s "$work/back"
# Return whether vhu rings says $2, an expression of jq's, of the vrings of party $1.
says() {
	{ "$vhu" rings --json -p "$(stage_pid "$1")" || :; } 2>rings.log | jq -se "$2"
}
wait_for says back 'length == 1 and .[0].session == 1 and .[0].used > 0'
wait_for says front 'length == 1 and .[0].session == 1'
kill -STOP "$(stage_pid back)"
wait_for says front 'any(.verdict.id == "D3")'
kill -CONT "$(stage_pid back)"
wait_for says front 'all(.verdict.id != "D3")'

status=0
"$vhu" rings -p $$ >out 2>err || status=$?
[ $status -eq 1 ] && [ ! -s out ] || fail "a process without a session has vrings: $(cat out)"
detach
