#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Many short sessions, several at a time, are recorded whole, and each is closed, though the kernel uses
# the addresses of sockets and buffers again at once, and the messages have the same bytes.
. "$(dirname "$0")/lib.sh"
at_once=4 each=25
# A session asks for features so often, and gets as many answers (tests/bench/peer.c).
messages=404

set --
for i in $(seq $at_once); do
	stage_start "back$i" "$programs/bench_peer" echo "$work/back$i"
	stage_listens "back$i" "$work/back$i"
	set -- "$@" --socket "$work/back$i"
done
attach "$@" -w it.pcapng
for i in $(seq $at_once); do
	for turn in $(seq $each); do
		"$programs/bench_peer" rtt "$work/back$i" 1 >"rtt$i" || echo "turn $turn: $?" >>front.log
	done &
	fronts="${fronts-} $!"
done
# shellcheck disable=SC2086 # several numbers
wait $fronts
[ ! -e front.log ] || fail "a front-end failed"
closed() {
	holds it.pcapng "map(select(.type == \"closed\")) | length == $at_once * $each"
}
wait_for closed
detach
if ! grep -q ' 0 events lost' attach.log; then
	grep -q 'missing in' attach.log || fail "events were lost, and nothing is said to be missing"
	echo "lost events on a busy machine: $(tail -n 1 attach.log)"
	exit 0
fi
holds it.pcapng "group_by(.session) | map({lost: any(.[]; .marks // [] | index(\"lost\")),
	messages: map(select(.type == \"message\")) | length}) | length == $at_once * $each and
	all(.messages == $messages and (.lost | not))" >/dev/null ||
	fail "not all messages are there: $("$vhu" dump --json it.pcapng | jq -r 'select(.type == "message") | .session' | sort | uniq -c | grep -v " $messages " | head)"
holds it.pcapng 'map(select(.type == "closed" and .text != "front-end closed")) | length == 0' >/dev/null ||
	fail "sessions are closed for other reasons: $("$vhu" dump it.pcapng | grep closed | sort | uniq -c)"
