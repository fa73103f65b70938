#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency on real peers: a front-end that drives a back-end through vhu proxy, watched by its
# capture and, at the same time, without: both find the same rings.
#
#	peers.sh DEPTH
. "$(dirname "$0")/../lib/common.sh"
need jq
work_open
bin=$build/bin depth=$1

need_probes

"$bin/vhu-sample-backend" --device blk --queues 2 --socket-path=back 2>back.log &
back=$!
jobs="$jobs $back"
stage_hears $back back || fail "the back-end does not listen"
"$vhu" proxy -w it.pcapng front back 2>proxy.log &
proxy=$!
jobs="$jobs $proxy"
stage_hears $proxy front || fail "the proxy does not listen"
# At a rate, so that every ring is found by traffic while the two share two processors with it.
"$bin/vhu-sample-frontend" --device blk --queues 2 --depth "$depth" --rate 4000 --duration 280s front \
	>front.log 2>&1 &
front=$!
jobs="$jobs $front"
wait_for test -s it.pcapng
"$vhu" latency -f -r it.pcapng --json --cumulative --interval 200ms >capture.json 2>capture.log &
by_capture=$!
"$vhu" latency -p "$back" -p "$front" --json --cumulative --interval 200ms >passive.json 2>passive.log &
by_pid=$!
jobs="$jobs $by_capture $by_pid"

both='.rings | length == 2 and all(.calls > 100)'
found() {
	tail -n 1 "$1" | jq "$both" | grep -q true
}
wait_for found capture.json
wait_for found passive.json
kill -INT "$by_capture" "$by_pid"
wait "$by_capture" || fail "by capture: status $?"
wait "$by_pid" || fail "by pid: status $?"
for file in capture passive; do
	tail -n 1 $file.json >$file.last
	jq -c '[.rings[] | [.vring, .kick_eventfd_id, .call_eventfd_id]]' $file.last >$file.rings
	jq -e '.rings | all(.wakes > 0 and .kicks >= .wakes + .coalesced - 1 and
		.wakes_without_kick <= 1 and .kick_to_call.p50_ns >= .kick_to_wake.p50_ns and
		.kick_to_call.max_ns >= .wake_to_call.p50_ns)' $file.last >/dev/null ||
		fail "$file: $(cat $file.last)"
done
cmp -s capture.rings passive.rings ||
	fail "other rings without a capture: $(cat passive.rings), with: $(cat capture.rings)"
echo "depth $depth: $(cat capture.rings)"
jq -c '.rings[] | [.kicks, .coalesced, .calls, .kick_to_call.p50_ns]' capture.last passive.last

# The interval that ends with the watch is there, too, and no other.
"$vhu" latency -r it.pcapng --json --interval 700ms --duration 700ms >once.json 2>once.log || fail "$(cat once.log)"
jq -se 'map(select(.type == "interval") | .vring) == [0, 1] and .[-1].type == "counts"' once.json >/dev/null ||
	fail "not one interval: $(cat once.json)"
"$vhu" latency -r it.pcapng --json --interval 5s --duration 100ms >rest.json 2>rest.log || fail "$(cat rest.log)"
jq -se 'all(.type != "interval") and .[-1].type == "counts"' rest.json >/dev/null ||
	fail "an interval that did not end: $(cat rest.json)"
