#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a page shows of vrings: how they stood, kicks and calls with how long they took, where they lie in
# memory, their snapshots; and the same as a trace, whose slices nest and whose arrows
# have both ends.
. "$(dirname "$0")/../../lib/common.sh"
need jq editcap
work_open

# Expect each of the fixed texts $2... in the page $1.
holds()
{
	page=$1
	shift
	for text in "$@"; do
		grep -qF -- "$text" "$page" || fail "$page has not: $text"
	done
}

# A real load: two vrings, every kick and call recorded.
stage_start back "$build/bin/vhu-sample-backend" --device blk --memory 8 --queues 2 "--socket-path=$work/back.sock"
stage_listens back "$work/back.sock"
stage_start proxy "$vhu" proxy --interpose-eventfds --record-kicks -w load.pcapng \
	"listen:$work/front.sock" "connect:$work/back.sock"
stage_listens proxy "$work/front.sock"
"$build/bin/vhu-sample-frontend" --device blk --queues 2 --requests 300 front.sock >out 2>err || fail "the load"
stage_settles load.pcapng
stage_end proxy TERM || fail "the proxy"
"$vhu" report --trace load.json -o load.html load.pcapng 2>err || fail "no page"
calls=$("$vhu" dump --json load.pcapng | jq -s '[.[] | select(.event == "call" and .vring == 0)] | length')
timed=$("$vhu" dump --json load.pcapng | jq -s '[.[] | select(.kick_to_call_ns and .vring == 0)] | length')
[ "$timed" -gt 10 ] || fail "no call was timed: the test shows nothing"
holds load.html "<h3>Life of the vrings</h3>" 'class="running" x=' "set up (<a" ", stopped (<a" \
	"<h3>Kicks and calls</h3>" "<td>$calls<td>0<td>0, 0, 0</tr>" "<th scope=\"row\">0<td>kick to call<td>$timed<td>" \
	'class="heat"' "<h3>Memory and the vrings in it</h3>" "vring 1, used area, region 0 +0x"

# The trace: all records are slices; on a track none begins before the one before it has ended.
records=$("$vhu" dump load.pcapng | wc -l)
jq -e --argjson records "$records" --argjson timed "$timed" '.traceEvents |
	([.[] | select(.ph == "X" and .args.number)] | length) == $records and
	([.[] | select(.ph == "X")] | group_by([.pid, .tid]) | all(.[]; sort_by(.ts) |
		. as $track | all(range(1; length); $track[. - 1].ts + $track[. - 1].dur <= $track[.].ts + 0.0005))) and
	([.[] | select(.ph == "s")] | sort_by([.cat, .id]) | map([.cat, .id])) ==
		([.[] | select(.ph == "f")] | sort_by([.cat, .id]) | map([.cat, .id])) and
	([.[] | select(.ph == "s" and .cat == "call" and .tid == 10)] | length) == $timed and
	any(.[]; .ph == "M" and .args.name == "vring 1") and
	any(.[]; .ph == "M" and .args.name == "back-end channel")' load.json >out 2>&1 || fail "the trace"
# An arrow of a call ends as long after its beginning as the call says.
jq -e '.traceEvents | ([.[] | select(.ph == "s" and .cat == "call")] | map({(.id | tostring): .ts}) | add) as $from |
	([.[] | select(.ph == "X" and .args.after_ns and (.name | test("call$")))] | map({(.ts | tostring): .args.after_ns}) | add) as $after |
	all(.[] | select(.ph == "f" and .cat == "call");
		((.ts - $from[.id | tostring]) * 1000 - $after[.ts | tostring] | fabs) < 1000000)' load.json >out 2>&1 ||
	fail "arrows of calls begin elsewhere"
# Without -o there is no page.
"$vhu" report --trace - load.pcapng >other.json 2>err
cmp load.json other.json || fail "another trace on standard output"
[ ! -e load.pcapng.html ] || fail "an unexpected page"

# A capture that is damaged is shown as far as it goes, and nothing of it kills the command.
mkdir golden
"$programs/golden_generate" --each golden >/dev/null 2>&1 || fail "no golden captures"
"$vhu" report -o looks.html golden/records/snapshots.pcapng 2>err
holds looks.html "<h4>Snapshots of vrings</h4>" '<b class="tag error">hangs</b>' "What was seen"
captures=0
for capture in golden/*/*.pcapng; do
	"$vhu" report --trace page.json -o page.html "$capture" 2>err || fail "$capture: no page"
	jq -e .traceEvents page.json >/dev/null || fail "$capture: no trace"
	captures=$((captures + 1))
done
[ "$captures" -ge 100 ] || fail "only $captures golden captures"
seed=1
while [ $seed -le 20 ]; do
	editcap --seed $seed -E 0.02 "$top/samples/captures/qemu-blk.pcapng" damaged.pcapng 2>err
	got=0
	"$vhu" report --trace page.json -o page.html damaged.pcapng 2>err || got=$?
	[ $got -le 1 ] || fail "seed $seed: status $got"
	seed=$((seed + 1))
done
