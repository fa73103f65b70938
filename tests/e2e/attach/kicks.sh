#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu attach --latency records kicks, wakes and calls among the messages, in the order of their times, and
# only while a vring runs.
. "$(dirname "$0")/lib.sh"

back "$back_end" --device blk --memory 8 --socket-path="$work/back"
attach --socket "$work/back" -w it.pcapng --latency
grep -q '; of kicks: ' attach.log || fail "the hooks are not named"
stage_start front "$front_end" --device blk --rate 200 --duration 600s "$work/back"
kicked() {
	holds it.pcapng 'map(select(.event == "call")) | length > 20'
}
wait_for kicked
stage_end front TERM || :
closed() {
	holds it.pcapng 'any(.type == "closed" and .channel == "front-end")'
}
wait_for closed
detach
grep -q -E ' [0-9]+ kicks, wakes and calls, 0 events lost' attach.log || fail "what was recorded is not summed up"

holds it.pcapng '[.[].time_ns] | . == sort' >/dev/null || fail "times go back: $("$vhu" dump it.pcapng | tail -n 5)"
# shellcheck disable=SC2016 # jq's own
holds it.pcapng '(map(.message == "SET_VRING_KICK") | index(true)) as $first
	| (map(.message == "GET_VRING_BASE") | index(true)) as $last
	| (map(.event != null) | indices(true)) as $events
	| $first != null and ($events | length > 60) and $events[0] > $first
		and ($last == null or $events[-1] < $last)' >/dev/null ||
	fail "kicks are not where the vring runs: $("$vhu" dump it.pcapng | tail -n 5)"
# A kick whose wake is known, and a call whose kick is.
holds it.pcapng 'any(.event == "wake" and .kick_to_wake_ns > 0) and any(.event == "call" and .kick_to_call_ns > 0)' \
	>/dev/null || fail "no times: $("$vhu" dump --json it.pcapng | tail -n 5)"
