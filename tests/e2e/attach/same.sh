#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu attach and a proxy record the same session: message by message, with all that is known of the
# descriptors, and how the session and its channels ended.
#
#	sh same.sh sample|blk|fs|net
. "$(dirname "$0")/lib.sh"
. "$top/tests/lib/peers.sh"
device=$1

case $device in
sample)
	back "$back_end" --device blk --memory 8 --socket-path="$work/back"
	;;
blk)
	need qemu-system-x86_64 qemu-storage-daemon
	truncate -s 16M disk.img
	back qemu-storage-daemon --blockdev "driver=file,node-name=f0,filename=$work/disk.img,locking=off" \
		--export "type=vhost-user-blk,id=e0,node-name=f0,writable=on,addr.type=unix,addr.path=$work/back,num-queues=2"
	;;
fs)
	need qemu-system-x86_64
	mkdir share
	vhu_virtiofsd "$work/share" || {
		echo "lacks virtiofsd, or root to run it"
		exit 77
	}
	# shellcheck disable=SC2086 # options are several words
	back "$virtiofsd" --socket-path="$work/back" $virtiofsd_options -o cache=auto
	;;
net)
	need qemu-system-x86_64 dpdk-testpmd
	back dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry "--file-prefix=A$$" \
		--vdev "net_vhost0,iface=$work/back,queues=1" -- --auto-start --forward-mode=icmpecho \
		--total-num-mbufs=2048 --stats-period=1
	;;
esac
attach --socket "$work/back" -w attach.pcapng
stage_start proxy "$vhu" proxy -w proxy.pcapng front back
stage_listens proxy front

case $device in
sample)
	"$front_end" --device blk --requests 20 front >front.log 2>&1 || fail "the front-end: $?"
	;;
blk)
	"$programs/qemu_session" --front "$work/front" --rounds 3 || fail "the session: $?"
	;;
*)
	"$programs/qemu_session" --front "$work/front" --device "$device" || fail "the session: $?"
	;;
esac
# Both have seen the end.
for capture in attach proxy; do
	wait_for holds $capture.pcapng 'any(.type == "closed" and .channel == "front-end")'
done
detach

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
