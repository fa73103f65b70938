#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency splits wake to call where a back-end takes requests and gives them back: counted to
# the last one, by ring, and timed as the back-end itself timed it.
#
#	inside.sh HOW [later]
. "$(dirname "$0")/../lib/common.sh"
need jq
work_open
bin=$build/bin inside=$programs/bpf_inside library=$programs/libbpf_queue.so how=$1 later=${2:-}

need_probes
case $how in
static) pop=$inside:static_queue_pop push=$inside:static_queue_push ;;
library) pop=$library:library_queue_pop push=$library:library_queue_push ;;
usdt) pop=$inside:vhu:queue_pop push=$inside:vhu:queue_push ;;
esac
rounds=150 requests=3
# shellcheck disable=SC2086 # nothing is an argument less
"$inside" $how go $rounds $requests $later >truth &
back=$!
jobs="$jobs $back"
two_lines() {
	[ "$(wc -l <truth)" -eq 2 ] || ! kill -0 $back
}
wait_for two_lines
{ read -r first && read -r second; } <truth
"$vhu" latency --json --interval 100ms --eventfd "$first" --eventfd "$second" --pop "$pop" \
	--push "$push" >told 2>tool.log &
tool=$!
jobs="$jobs $tool"
ended() {
	! kill -0 $tool 2>/dev/null
}
started() {
	[ -s told ] || ended
}
wait_for started
if ended; then
	case $(cat tool.log) in
	*"no static probe"*)
		echo "lacks static probes: install the package systemtap-sdt-dev"
		exit 77
		;;
	esac
	fail "it ended"
fi
touch go
wait $back || fail "the back-end: status $?"
kill -INT $tool 2>/dev/null || :
wait $tool || fail "vhu latency: status $?"
tail -n 1 told >last
tail -n 2 truth >truth.json
cat truth.json
jq -c '.rings[] | [.vring, .kicks, .pops, .pushes, .wake_to_pop.p50_ns, .pop_to_push.p50_ns,
	.push_to_call.p50_ns, .wake_to_call.p50_ns]' last
jq -e --slurpfile truth truth.json --argjson rounds $rounds --argjson requests $requests '
	.unplaced == 0 and .dropped == 0 and
	(.rings | map(.kicks) == [$rounds / 3 * 2, $rounds / 3]) and
	([.rings, $truth] | transpose | all(.[1] as $true | .[0] |
		.wakes == $true.wakes and .pops == $true.pops and .pushes == $true.pushes and
		.calls == $true.calls and .pops == .kicks * $requests and
		.wake_to_pop.count == .wakes and .pop_to_push.count == .pops and
		.push_to_call.count == .calls))' last >/dev/null || fail "counts: $(cat last)"
# Between the back-end's own stamps on either side, but for what the histogram may err.
jq -e --slurpfile truth truth.json '
	def near($true): . >= $true[0] * 0.96 - 1 and . <= $true[1] * 1.04 + 1;
	[.rings, $truth] | transpose | all(.[1] as $true | .[0] |
		(.wake_to_pop.p50_ns | near($true.wake_to_pop)) and
		(.pop_to_push.p50_ns | near($true.pop_to_push)) and
		(.push_to_call.p50_ns | near($true.push_to_call)))' last >/dev/null ||
	fail "times: $(cat last)"
