#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu stats counts the kicks and calls that vhu dump shows, and how long calls took.
. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open

stage_start back "$build/bin/vhu-sample-backend" --device blk --memory 8 --queues 2 "--socket-path=$work/back.sock"
stage_listens back "$work/back.sock"
stage_start proxy "$vhu" proxy --interpose-eventfds --record-kicks -w load.pcapng \
	--fault 'kick vring=1 nth=3: repeat' "listen:$work/front.sock" "connect:$work/back.sock"
stage_listens proxy "$work/front.sock"
"$build/bin/vhu-sample-frontend" --device blk --queues 2 --requests 300 front.sock >out 2>err || fail "the load"
stage_settles load.pcapng
stage_end proxy TERM || fail "the proxy"

"$vhu" dump --json load.pcapng | jq -cs 'map(select(.type == "vring")) | group_by(.vring)[] | {
	vring: .[0].vring,
	kicks: (map(select(.event == "kick").signals) | add),
	calls: (map(select(.event == "call").signals) | add),
	timed: (map(select(.kick_to_call_ns)) | length),
	most: (map(.kick_to_call_ns // 0) | max)}' >expected
[ "$(jq -s 'length == 2 and all(.[]; .kicks > 10 and .timed > 10)' expected)" = true ] ||
	fail "kicks and calls were not recorded: $(cat expected)"
"$vhu" stats --json load.pcapng >stats.json
schemas_fit stats.json >out || fail "$(cat out)"
jq -c '.by_vring[] | {vring, kicks, calls, timed: .kick_to_call.count, most: .kick_to_call.max_ns}' stats.json >out
diff expected out >err || fail "vhu stats counts other kicks and calls than vhu dump shows"
"$vhu" stats load.pcapng load.pcapng >out
grep -Eq "^  0 +$(jq -s '2 * .[0].kicks' expected) +0 +$(jq -s '2 * .[0].calls' expected) " out ||
	fail "the sum of two captures is not twice one"
