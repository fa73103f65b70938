#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a capture holds is what strace saw on a real QEMU's socket: the same messages, byte for byte,
# with the same descriptors.
. "$(dirname "$0")/../../lib/common.sh"
need strace tcpdump jq
work_open
session=$programs/qemu_session

status=0
"$session" --via "$vhu" --front "$work/front" --capture capture.pcapng --strace trace \
	--rounds 3 || status=$?
[ "$status" -eq 0 ] || exit "$status"

awk -f "$here/../peers/strace.awk" -v "path=$work/front" trace >seen ||
	fail "the trace cannot be read: $(tail -n 1 seen)"
tcpdump -r capture.pcapng -n -t 2>tcpdump.log | awk -f "$here/../peers/capture.awk" >captured
[ -s captured ] || fail "tcpdump finds nothing in the capture: $(cat tcpdump.log)"

# Three rounds on two vrings are some 80 messages; the comparison must not be one of nothing.
[ "$(wc -l <seen)" -ge 80 ] || fail "strace saw only $(wc -l <seen) messages"
diff seen captured >difference || {
	echo "strace saw (<) other messages than the capture holds (>):"
	cut -c 1-200 difference | head -n 20
	exit 1
}

# vhu's own reader tells the same.
"$vhu" dump --json -x capture.pcapng >dump.json || fail "vhu dump ended with status $?"
jq -r 'select(.type == "message")
	| [.channel, .from, .bytes, ([.fds[]?.name | sub(" \\(deleted\\)$"; "")] | join(","))]
	| map(if . == "" then "-" else . end) | join(" ")' dump.json |
	sort -s -k 1,1r >told
diff seen told >difference || {
	echo "vhu dump tells (>) other messages than strace saw (<):"
	cut -c 1-200 difference | head -n 20
	exit 1
}
echo "$(wc -l <seen) messages are the same in trace, capture and dump"
