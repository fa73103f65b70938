#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The sample front-end on a foreign back-end: qemu-storage-daemon's vhost-user-blk,
# directly and through vhu proxy.
. "$(dirname "$0")/../../lib/common.sh"
need qemu-storage-daemon
work_open

truncate -s 16M "$stage/disk.img"
stage_start back qemu-storage-daemon \
	--blockdev "driver=file,node-name=disk,filename=$stage/disk.img,locking=off" \
	--export "type=vhost-user-blk,id=export,node-name=disk,writable=on,num-queues=2,addr.type=unix,addr.path=$stage/back.sock" \
	--chardev "socket,id=monitor,path=$stage/monitor,server=on,wait=off" --monitor chardev=monitor
stage_listens back "$stage/back.sock"
stage_start proxy "$vhu" proxy -q -w "$stage/disk.pcapng" "$stage/front.sock" \
	"$stage/back.sock"

# Drive the daemon at socket $1 with the options that follow.
drive() {
	socket=$1
	shift
	"$build/bin/vhu-sample-frontend" --device blk "$stage/$socket.sock" "$@" \
		>"$stage/front.log" 2>&1 || fail "$socket: status $? with $*"
}

stage_listens proxy "$stage/front.sock"
for socket in back front; do
	drive "$socket" --requests 200
	drive "$socket" --requests 2000 --queues 2 --depth 32
	drive "$socket" --requests 200 --indirect --depth 16
	drive "$socket" --requests 200 --event-idx --depth 16
	drive "$socket" --requests 200 --event-idx --indirect --queues 2 --size 65536
	drive "$socket" --requests 200 --log --depth 8
	for feature in REPLY_ACK BACKEND_REQ CONFIGURE_MEM_SLOTS INFLIGHT_SHMFD; do
		drive "$socket" --requests 20 --without "$feature"
	done
done

# What it cannot do is said in a line.
status=0
"$build/bin/vhu-sample-frontend" --device blk "$stage/back.sock" --packed 2>"$stage/front.log" ||
	status=$?
[ "$status" -eq 1 ] && grep -q 'does not offer RING_PACKED$' "$stage/front.log" ||
	fail "packed: status $status"
status=0
"$build/bin/vhu-sample-frontend" "$stage/back.sock" 2>"$stage/front.log" || status=$?
[ "$status" -eq 1 ] && grep -q 'does not say what it is' "$stage/front.log" ||
	fail "no device: status $status"
stage_end proxy TERM || fail "vhu proxy ended with status $?"
"$vhu" check "$stage/disk.pcapng" >"$stage/check.log" 2>&1 ||
	fail "vhu check found something in what passed"
stage_end back TERM || fail "qemu-storage-daemon ended with status $?"
echo "qemu-storage-daemon serves the sample front-end"
