#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency --json: a line when it begins, a line for each vring and interval, and one with all counts;
# and with -p a kick that the back-end never reads is not said to have had no traffic.
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open
. "$top/tests/lib/parties.sh"
need_probes

# Start the front-end with the options $*.
drive() {
	stage_start front "$front_end" --timeout 100s --device blk --operation read --queues 2 "$@" \
		--requests 100000000 back.sock
}

back --device blk --queues 2 --delay 5ms
# More requests than the back-end does: both vrings are busy.
drive --depth 16
stage_start latency "$vhu" latency -p "$(stage_pid back)" --json --interval 200ms
begun() {
	[ -s latency.log ]
}
wait_for begun
head -n 1 latency.log | jq -e '.schema == "latency/1" and .type == "start" and (.hooks | length > 0)' >/dev/null ||
	fail 'the first line is another'
# Both vrings have some intervals.
intervals() {
	[ "$(grep -c '"type":"interval".*"vring":1,' latency.log)" -ge 5 ]
}
wait_for intervals
stage_end latency INT || fail "vhu latency: status $?"
schemas_fit latency.log >fit || fail "JSON: $(cat fit)"
jq -se '(map(.type) | unique) == ["counts", "interval", "start"] and
	(map(select(.type == "counts")) | length == 1) and .[-1].type == "counts" and
	(.[-1].rings | length == 2)' latency.log >/dev/null || fail 'other lines'
# What the intervals counted is what was counted, but for what came after the last of them.
jq -se '.[-1].rings as $rings | map(select(.type == "interval")) | group_by(.vring) | length == 2 and
	all(.[0].vring as $vring | ($rings[] | select(.vring == $vring)) as $all |
		(map(.kicks) | add) as $kicks | (map(.kick_to_call.count) | add) as $times |
		$kicks > 0 and $kicks <= $all.kicks and $times <= $all.kick_to_call.count)' \
	latency.log >/dev/null || fail 'intervals and counts differ'
jq -se 'map(select(.type == "interval")) | all(.interval_ns > 0 and
	(.kicks_per_second - .kicks * 1000000000 / .interval_ns | fabs) < 1 and has("waiting") and
	has("oldest_ns") and (.kick_to_call | .count == 0 or (.p50_ns <= .p99_ns and .p99_ns <= .max_ns)))' \
	latency.log >/dev/null || fail 'an interval makes no sense'
stage_end front TERM || :

# A back-end that reads nothing: vhu latency reports its kicks.
# There is room for requests for 16 seconds.
drive --depth 40 --rate 5
sleep 0.5
kill -STOP "$(stage_pid back)"
"$vhu" latency -p "$(stage_pid back)" --interval 500ms --duration 2 >out 2>err || fail 'it fails'
grep -q '^eventfd [0-9]*: [1-9][0-9]* kicks*, and the back-end reads none (its counter is [1-9][0-9]*)$' out ||
	fail 'unread kicks are not reported'
grep -q '^vhu latency: [23] shared eventfds had no traffic' err || fail "of others: $(cat err)"
"$vhu" latency -p "$(stage_pid back)" --json --interval 0 --duration 2 >out 2>err || fail 'it fails'
schemas_fit out >fit || fail "JSON: $(cat fit)"
tail -n 1 out | jq -e '.unread_eventfds | length >= 1 and all(.eventfd_id > 0 and .count > 0 and .count >= .kicks)' >/dev/null ||
	fail 'unread kicks are not in the JSON'
kill -CONT "$(stage_pid back)"
