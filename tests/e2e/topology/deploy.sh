#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The proxy is slipped into a path that is in use, and out of it, as in docs/deployment.md: under
# a QEMU that reconnects and does I/O all the time, and under clients that come and go.
. "$(dirname "$0")/../../lib/common.sh"
need qemu-system-x86_64
work_open
session=$programs/qemu_session

# Start the disk's back-end at socket $1.
disk() {
	stage_start disk "$build/bin/vhu-sample-backend" -v --device blk --queues 2 \
		--blk-file=disk.img --socket-path="$1"
	stage_listens disk "$1"
}

# Wait until a front-end has come to the back-end for the $1th time, and does I/O.
served() {
	await "[ \"\$(grep -c 'has come' disk.log)\" -ge $1 ]" "the front-end came for the $1. time"
	# shellcheck disable=SC2034 # await uses it
	changed=$(md5sum <disk.img)
	await '[ "$(md5sum <disk.img)" != "$changed" ]' "the front-end writes"
}

truncate -s 16M disk.img
disk disk.sock
stage_start vm "$session" --front "$stage/disk.sock" --reconnect --until "$stage/enough" \
	--timeout 120
served 1

# In: the back-end moves, the proxy takes its place and waits for it; QEMU comes by itself.
stage_end disk TERM || fail "the back-end ended with status $?"
stage_start proxy "$vhu" proxy --retry -w in.pcapng disk.sock real.sock
stage_listens proxy disk.sock
disk real.sock
served 2
# The back-end is started again under the proxy, and the proxy under the front-end.
stage_end disk TERM || fail "the back-end ended with status $?"
disk real.sock
served 3
stage_end proxy TERM || fail "the proxy ended with status $?"
stage_start proxy "$vhu" proxy --retry -w again.pcapng disk.sock real.sock
served 4
# Out: the other way round.
stage_end proxy TERM || fail "the proxy ended with status $?"
stage_end disk TERM || fail "the back-end ended with status $?"
disk disk.sock
served 5
touch enough
stage_end vm || fail "the virtual machine has seen it: status $?"
[ "$("$vhu" dump in.pcapng | grep -c 'session opened')" -eq 2 ] || fail "not two sessions passed"
# The back-end was killed: that a session ended badly is right.
"$vhu" check --exit-zero --severity error in.pcapng again.pcapng >check.log 2>&1
grep -q "^no findings" check.log ||
	fail "vhu check found something in what passed"

# In without a change to the back-end: move its socket, which it does not notice; later front-ends
# come through the proxy. Out: move the socket back.
mv disk.sock real.sock
# The kernel goes on to call the one that was moved disk.sock.
stage_start proxy "$vhu" proxy -w moved.pcapng "$stage/disk.sock" real.sock
stage_listens proxy "$stage/disk.sock"
"$build/bin/vhu-sample-frontend" --requests 5 disk.sock >front.log 2>&1 ||
	fail "the front-end failed through the proxy"
stage_end proxy TERM || fail "the proxy ended with status $?"
mv real.sock disk.sock
"$build/bin/vhu-sample-frontend" --requests 5 disk.sock >front.log 2>&1 ||
	fail "the front-end failed without the proxy"
"$vhu" dump moved.pcapng | grep -q SET_VRING_KICK || fail "nothing passed"

# A link in the place of the socket, for those who want the path to stay what it is.
mv disk.sock real.sock
ln -s real.sock disk.sock
stage_start proxy "$vhu" proxy -w link.pcapng proxy.sock real.sock
stage_listens proxy proxy.sock
ln -sfn proxy.sock disk.sock
"$build/bin/vhu-sample-frontend" --requests 5 disk.sock >front.log 2>&1 ||
	fail "the front-end failed by a link to the proxy"
ln -sfn real.sock disk.sock
"$build/bin/vhu-sample-frontend" --requests 5 disk.sock >front.log 2>&1 ||
	fail "the front-end failed by a link to the back-end"
stage_end proxy TERM || fail "the proxy ended with status $?"
[ "$("$vhu" dump link.pcapng | grep -c 'session opened')" -eq 1 ] ||
	fail "not one session passed by the link"
echo "in and out, and no request was lost"
