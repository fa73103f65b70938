#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu ctl kick and call get a vring going whose kick or call was lost, and are recorded as sent on request;
# with the proxy between kicks and calls and without, for vrings that there are and no others.
. "$(dirname "$0")/lib.sh"
export VHU_CONTROL=ctl.sock

# Print how many requests the back-end has done on vring 0.
used() {
	"$vhu" rings --json -r vm.pcapng --vring 0 2>/dev/null | jq .used
}

# Return whether no request is done any more, nor is about to be.
hangs() {
	"$vhu" rings --json -r vm.pcapng --vring 0 >rings.out 2>/dev/null
	jq -se '.[0].verdict.id | . != null and . != "moving"' rings.out >/dev/null
}

# Return whether another request was done than the $1 before.
goes_on() {
	[ "$(used)" != "$1" ]
}

# A case: $1 is what is lost, $2 the proxy's options.
case_is() {
	back --device blk
	eval "proxy --control ctl.sock $2"
	front --device blk --operation read --requests 100000000
	# A driver that waits for nothing goes on when it is called; one that waits forgets what is lost.
	wait_for hangs
	before=$(used)
	[ "$("$vhu" ctl faults clear)" = '1 fault removed' ] || fail "the fault stays"
	"$vhu" ctl "$1" 1 0 >out 2>err || fail "ctl $1 fails"
	grep -q "^vring 0: one $1 sent by eventfd [0-9]*$" out || fail "ctl $1 does not say what it did"
	wait_for goes_on "$before"
	"$vhu" dump vm.pcapng >out 2>&1
	[ "$(grep -c "vring 0 $1, eventfd .*, vhu (pid [0-9]*), sent on request by the proxy" out)" = 1 ] ||
		fail "the $1 is not recorded"
	"$vhu" ctl sessions | grep -q "1 of them sent on request" || fail "the $1 is not counted"
	all_out
}

case_is call "--fault 'call nth=50..: lose'"
case_is kick "--fault 'kick nth=50..: lose'"

# Without the proxy between: a device that calls for nothing, and a driver that does not mind.
back --device blk
proxy --control ctl.sock
front --device blk --operation read --rate 5 --requests 100000000
wait_for works
for act in kick call; do
	[ "$("$vhu" ctl --json $act 1 0 | jq .ok)" = true ] || fail "ctl $act fails"
	"$vhu" dump --json vm.pcapng | jq -se "any(.[]; .type == \"vring\" and .event == \"$act\" and
		.fate == \"sent on request\")" >/dev/null || fail "the $act is not recorded"
	grep -q "session 1: vring 0: one $act sent on request" proxy.log || fail "the $act is not said"
	# What cannot be.
	while read -r session vring says; do
		status=0
		"$vhu" ctl $act "$session" "$vring" >out 2>err || status=$?
		[ "$status" != 0 ] && [ "$(wc -l <err)" = 1 ] && grep -q "$says" err ||
			fail "ctl $act $session $vring: not: $says"
	done <<-END
		1 1 session 1 has no vring 1
		1 99999999999 session 1 has no vring
		2 0 no session 2 is open
		1 x not a vring number
	END
done
all_out
