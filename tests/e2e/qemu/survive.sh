#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QEMU and its disk survive that any of front-end, proxy and back-end is killed or stopped, and
# a migration: directly, through the proxy, and with kicks and calls that come by it too; and what
# passed was as it should be.
. "$(dirname "$0")/../../lib/common.sh"
work_open
survive=$programs/qemu_survive

# Each spends most of its time waiting for QEMU to connect again.
stage_start direct "$survive" --direct "$build/bin"
stage_start past "$survive" --captures "$stage/past." --proxy -q "$build/bin"
stage_start by "$survive" --captures "$stage/by." --proxy --interpose-eventfds \
	--proxy --record-kicks "$build/bin"
for party in direct past by; do
	status=0
	stage_end "$party" || status=$?
	[ "$status" -ne 77 ] || { cat "$stage/$party.log"; exit 77; }
	[ "$status" -eq 0 ] || fail "$party: ended with status $status"
done

# Fail unless capture $1 holds at least $2 lines with $3.
holds() {
	lines=$("$vhu" dump "$stage/$1" | grep -c -e "$3" || :)
	[ "$lines" -ge "$2" ] || fail "$1: $lines times, not $2 times: $3"
}

for way in past by; do
	for capture in "$stage/$way".*; do
		case $capture in
		*.log) continue ;;
		esac
		# A peer that was killed is what these are about.
		"$vhu" check --exit-zero --severity error "$capture" >"$stage/check.log" 2>&1
		grep -q "^no findings" "$stage/check.log" ||
			fail "vhu check found errors in ${capture##*/}"
	done
	# Each back-end was given what the one before had in flight.
	holds "$way.back_end_killed" 4 'session opened'
	holds "$way.back_end_killed" 4 '-> SET_INFLIGHT_FD .*memfd'
	holds "$way.migrated" 1 '-> SET_LOG_BASE .*memfd'
	holds "$way.migrated" 2 'session opened'
done
holds by.migrated 1 'vring 1 call, '
echo "all survived, directly and in both ways through the proxy"
