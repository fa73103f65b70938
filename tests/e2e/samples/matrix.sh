#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The sample front-end on the sample back-end: every format of rings, every way to notify, and with
# each protocol feature left out by either side. The front-end compares all data, checks where the
# rings stand at the end, and, with --log, which pages are marked.
#
#	matrix.sh direct|proxy
. "$(dirname "$0")/../../lib/common.sh"
work_open
way=$1

runs=0

# Start the party $1 as a back-end with the options that follow, and the proxy before it if there
# is to be one; front-ends find it at $stage/$1.sock.
start() {
	name=$1 socket=$stage/$1.sock
	shift
	[ "$way" = direct ] || socket=$stage/$name.back
	stage_start "$name" "$build/bin/vhu-sample-backend" "--socket-path=$socket" "$@"
	stage_listens "$name" "$socket"
	[ "$way" = proxy ] || return 0
	stage_start "$name.proxy" "$vhu" proxy -w "$stage/$name.pcapng" \
		"listen:$stage/$name.sock" "connect:$socket"
	stage_listens "$name.proxy" "$stage/$name.sock"
}

# End what start has started as $1.
end() {
	[ "$way" = direct ] || stage_settles "$stage/$1.pcapng"
	stage_end "$1" TERM || fail "the back-end ended with status $?"
	[ "$way" = proxy ] || return 0
	stage_end "$1.proxy" TERM || fail "vhu proxy ended with status $?"
	"$vhu" check "$stage/$1.pcapng" >"$stage/check.log" 2>&1 ||
		fail "vhu check found something in what passed between front-end and $1"
}

# Drive back-end $1 with the options that follow.
drive() {
	name=$1
	shift
	runs=$((runs + 1))
	"$build/bin/vhu-sample-frontend" "$stage/$name.sock" "$@" >"$stage/front.log" 2>&1 ||
		fail "$name: status $? with $*"
}

# Drive back-end $1 with everything that rings can be, and the options that follow.
drive_all() {
	for ring in '' --packed; do
		for event in '' --event-idx; do
			for indirect in '' --indirect; do
				for notify in '' --poll --in-band --log; do
					# shellcheck disable=SC2086 # empty ones are to vanish
					drive "$@" $ring $event $indirect $notify
				done
			done
		done
	done
}

start rng
start blk --device blk --memory 8 --queues 3
drive_all rng --depth 4 --requests 200
drive_all blk --depth 8 --queues 3 --requests 300
drive_all blk --depth 1 --queues 1 --requests 30 --ring-size 4

# Laps of a ring whose size is no power of two, and of one that is always full.
drive blk --packed --ring-size 7 --depth 2 --requests 500
drive blk --packed --event-idx --ring-size 9 --depth 3 --requests 500
drive blk --event-idx --indirect --ring-size 8 --depth 8 --requests 500 --size 65536

# Whatever is left out, the rest works: by the front-end, then by the back-end.
left_out="REPLY_ACK BACKEND_REQ CONFIGURE_MEM_SLOTS STATUS INFLIGHT_SHMFD RESET_DEVICE MQ STANDALONE"
for feature in $left_out; do
	drive blk --device blk --requests 20 --without "$feature"
done
drive rng --device rng --requests 20 --without PROTOCOL_FEATURES
for dialect in upstream probe; do
	drive blk --device blk --requests 20 --dialect upstream
	start "$dialect" --device blk --memory 8 --dialect "$dialect"
	drive "$dialect" --device blk --requests 20 --dialect "$dialect"
	end "$dialect"
done
for feature in $left_out PROTOCOL_FEATURES LOG_ALL RING_PACKED RING_EVENT_IDX RING_INDIRECT_DESC; do
	device=blk
	[ "$feature" != PROTOCOL_FEATURES ] || device=rng
	start "without-$feature" --device "$device" --memory 8 --without "$feature"
	drive "without-$feature" --device "$device" --requests 20
	end "without-$feature"
done

# What a device is asked for and is not there is a line, not a try.
stage_start split "$build/bin/vhu-sample-backend" "--socket-path=$stage/split.sock" \
	--without RING_PACKED
stage_listens split "$stage/split.sock"
! "$build/bin/vhu-sample-frontend" "$stage/split.sock" --packed 2>"$stage/front.log" ||
	fail "packed rings are taken that were not offered"
grep -q 'does not offer RING_PACKED$' "$stage/front.log" || fail "wrong reason"
stage_end split TERM || fail "the back-end ended with status $?"

# Slow and out of order.
start slow --device blk --memory 8 --queues 2 --delay 1ms --fault reorder:1/3
drive_all slow --depth 8 --queues 2 --requests 64
end slow
end blk
end rng
if [ "$way" = proxy ]; then
	"$vhu" dump "$stage/slow.pcapng" >"$stage/dump.log" || fail "vhu dump: $?"
	[ "$(grep -c 'session opened' "$stage/dump.log")" -eq 32 ] ||
		fail "the capture does not hold 32 sessions"
fi
echo "$runs runs, all data was the same"
