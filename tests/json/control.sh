#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a proxy's control socket answers fits its schema, and so does what vhu ctl follows.
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/schemas.sh"
work_open

stage_start back "$build/bin/vhu-sample-backend" --device blk --memory 8 --queues 2 "--socket-path=$work/back.sock"
stage_listens back "$work/back.sock"
stage_start proxy "$vhu" proxy --interpose-eventfds --record-kicks --stall 1s --control ctl.sock -w vm.pcapng \
	"listen:$work/front.sock" "connect:$work/back.sock"
stage_listens proxy "$work/front.sock"
stage_start follower "$vhu" ctl -s ctl.sock --json follow
stage_start front "$build/bin/vhu-sample-frontend" --device blk --queues 2 --rate 100 --duration 200s front.sock
wait_for grep -q '"event":"call"' follower.log
# shellcheck disable=SC2086 # a question is several words
for question in sessions 'session 1' help version faults 'stall 2s' 'kick 1 0' 'faults clear' 'close 1'; do
	"$vhu" ctl -s ctl.sock --json $question || fail "$question: status $?"
done >lines
"$vhu" ctl -s ctl.sock --json faults add 'back GET_CONFIG: drop' >>lines || fail 'faults add'
"$vhu" ctl -s ctl.sock --json faults >>lines || fail 'faults'
wait_for grep -q '"type":"closed"' follower.log
stage_end proxy TERM || fail "the proxy ended with $?"
stage_end follower || :
grep '^{' follower.log >>lines
schemas_fit lines >fit || fail "$(cat fit)"
