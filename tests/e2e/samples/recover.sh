#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The sample back-end is killed again and again in the middle of its work. The sample front-end
# hands each successor the in-flight area: no request is lost, none comes back twice, all data is
# the same.
. "$(dirname "$0")/../../lib/common.sh"
work_open

truncate -s 4M "$stage/disk.img"

turn=0
start_back() {
	turn=$((turn + 1))
	stage_start "back$turn" "$build/bin/vhu-sample-backend" --device blk --queues 2 \
		"--blk-file=$stage/disk.img" "--socket-path=$stage/back.sock" "$@"
	stage_listens "back$turn" "$stage/back.sock"
	sum=$(md5sum <"$stage/disk.img")
}

# Wait until the disk has been written to since its back-end was started.
written() {
	tries=0
	while [ "$(md5sum <"$stage/disk.img")" = "$sum" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "nothing is written to the disk"
		sleep 0.02
	done
}

# Drive with the options that follow, while back-ends are killed: each second one while it does
# requests, the others whatever they do. The front-end goes on until it has seen all of that.
# shellcheck disable=SC2086 # options are several words
recover() {
	start_back $back_options
	stage_start front "$build/bin/vhu-sample-frontend" "$stage/back.sock" --device blk --queues 2 \
		--reconnect --duration 240s --timeout 60s --json "$@"
	for kill in 1 2 3 4 5 6 7 8; do
		[ $((kill % 2)) -eq 0 ] || written
		sleep 0.05
		stage_end "back$turn" KILL 2>/dev/null || :
		start_back $back_options
	done
	written
	stage_end front INT || fail "the front-end ended with status $? ($*)"
	stage_end "back$turn" TERM || fail "the back-end ended with status $?"
	reconnects=$(sed -n 's/.*"reconnects":\([0-9]*\).*/\1/p' "$stage/front.log")
	[ "$reconnects" -ge 4 ] || fail "there were $reconnects reconnects, not at least 4"
	mv "$stage/front.log" "$stage/last.log"
}

# With one request after the other done, and with many in flight that end out of order.
for back_options in '' '--delay 500us --fault reorder:1/3'; do
	for ring in '' --packed; do
		recover --depth 8 $ring
		recover --depth 8 $ring --event-idx --indirect
	done
done
echo "$turn back-ends, nothing lost"
