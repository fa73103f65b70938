#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu attach and a proxy record the same session: message by message, with all that is known of the
# descriptors, and how the session and its channels ended.
#
#	sh same.sh BUILD sample|blk|fs|net
set -eu
build=$1 device=$2
. "$(dirname "$0")/lib.sh"
need jq

# Start the back-end, which listens at "back".
case $device in
sample)
	start back "$bin/vhu-sample-backend" --device blk --memory 8 --socket-path="$folder/back"
	;;
blk)
	need qemu-system-x86_64 qemu-storage-daemon
	truncate -s 16M disk.img
	start back qemu-storage-daemon --blockdev "driver=file,node-name=f0,filename=$folder/disk.img,locking=off" \
		--export "type=vhost-user-blk,id=e0,node-name=f0,writable=on,addr.type=unix,addr.path=$folder/back,num-queues=2"
	;;
fs)
	need qemu-system-x86_64 /usr/lib/qemu/virtiofsd
	mkdir share
	start back /usr/lib/qemu/virtiofsd --socket-path="$folder/back" -o "source=$folder/share" -o sandbox=chroot -o cache=auto
	;;
net)
	need qemu-system-x86_64 dpdk-testpmd
	start back dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry "--file-prefix=A$$" \
		--vdev "net_vhost0,iface=$folder/back,queues=1" -- --auto-start --forward-mode=icmpecho \
		--total-num-mbufs=2048 --stats-period=1
	;;
esac
backend=$started
wait_for listens "$folder/back"
attach --socket "$folder/back" -w attach.pcapng
start proxy "$bin/vhu" proxy -w proxy.pcapng front back
wait_for listens front

case $device in
sample)
	"$bin/vhu-sample-frontend" --device blk --requests 20 front >front.log 2>&1 || fail "the front-end: $?"
	;;
blk)
	"$build/tests/bin/qemu_session" --front "$folder/front" --back "$folder/back" --rounds 3 || fail "the session: $?"
	;;
*)
	"$build/tests/bin/qemu_session" --front "$folder/front" --device "$device" || fail "the session: $?"
	;;
esac
# Both have seen the end.
closed() {
	"$bin/vhu" dump --json "$1" | jq -se 'any(.type == "closed" and .channel == "front-end")'
}
wait_for closed attach.pcapng
wait_for closed proxy.pcapng
detach
kill "$backend" 2>/dev/null || :

grep -q ' 0 events lost' attach.log || fail "events were lost"
lines attach.pcapng
lines proxy.pcapng
messages=$(grep -c '"type":"message"' proxy.pcapng.lines)
[ "$messages" -ge 30 ] || fail "only $messages messages"
diff proxy.pcapng.lines attach.pcapng.lines >difference || {
	echo "the proxy recorded (<) what vhu attach (>) did not:"
	cut -c 1-300 difference | head -n 20
	fail "the captures differ"
}
echo "$messages messages are the same"
