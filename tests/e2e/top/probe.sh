#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Without a proxy vhu top watches a back-end by probes: by its process and its socket, and among all.
. "$(dirname "$0")/lib.sh"

"$vhu" attach --list >out 2>err || no_probes "$(cat err)"
need_probes
stage_start back "$back_end" --device blk "--socket-path=$work/back.sock"
stage_listens back "$work/back.sock"
stage_start front "$front_end" --timeout 1000s --device blk --queues 2 --depth 4 --rate 2000 \
	--duration 3000s "$work/back.sock"
pid=$(stage_pid back)

top_start 100 24 "-p $pid --socket '$work/back.sock'"
sees '^2 sources  2 sessions '
sees ' back .* runs$'
kill -STOP "$pid"
sees '^2 sources  2 sessions  [2-4] vrings: [1-4] stalled'
kill -CONT "$pid"
misses ' stalled'
press j Enter
sees '^session [0-9]* of '
sees "^back-end   vhu-sample-back \(pid $pid\)"
press 2
sees 'no vhu proxy and no vhu attach has recorded its'
press q
sees '^status 0'
# The processes that it has started end with it.
gone() { ! pgrep -f "vhu (latency|attach) .*($pid|$work)" >/dev/null; }
wait_for gone

# Among all there are.
found() {
	"$vhu" top --json --all --count 8 --delay 500ms --filter "pid $pid" >out 2>err &&
		jq -se "any(.state == \"runs\" and .back_end.pid == $pid and .source == \"pid $pid\")" out
}
wait_for found
. "$top/tests/lib/schemas.sh"
schemas_fit out >told || fail "$(cat told)"
