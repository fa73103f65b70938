#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Hostile front-ends and guests on the sample back-end: it neither ends nor gets stuck.
. "$(dirname "$0")/../../lib/common.sh"
work_open
hostile=$programs/sample_hostile

# Have $1 sessions of seed $2 with a back-end that has the options that follow.
attack() {
	sessions=$1 seed=$2
	shift 2
	stage_start back "$build/bin/vhu-sample-backend" "--socket-path=$stage/back.sock" "$@"
	stage_listens back "$stage/back.sock"
	timeout 120 "$hostile" "$stage/back.sock" "$seed" "$sessions" >"$stage/hostile.log" 2>&1 ||
		fail "seed $seed, with $*: status $?"
	kind=rng
	[ "${1:-}" != --device ] || kind=$2
	"$build/bin/vhu-sample-frontend" --device "$kind" "$stage/back.sock" \
		>"$stage/front.log" 2>&1 ||
		fail "seed $seed, with $*: no service to the next front-end"
	stage_end back TERM || fail "seed $seed, with $*: status $? at the end"
}

attack 1500 1 --device blk --memory 1
attack 1500 2 --device blk --memory 1 --delay 100us --fault reorder:1/3
attack 1500 3 --device blk --memory 1 --dialect upstream
attack 500 4 --device blk --memory 1 --without REPLY_ACK
attack 500 5
# A new seed each time; a failure prints its seed.
attack 1000 "$(date +%s)" --device blk --memory 1
echo "six seeds, the back-end goes on"
