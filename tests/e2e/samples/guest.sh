#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest of a real QEMU on the sample back-end, as its entropy and as its disk. The disk's back-end
# is killed and started again while the guest writes and reads: no request may be lost.
#
# The disk is reached through vhu proxy, and what passed shows that it was as it should have been. With
# split vrings its kicks and calls come by the proxy too.
#
#	guest.sh split|packed
. "$(dirname "$0")/../../lib/common.sh"
need qemu-system-x86_64 busybox
work_open
ring=$1

. "$top/tests/lib/peers.sh"
[ "$(uname -m)" = x86_64 ] || { echo "lacks an x86-64 host"; exit 77; }
kernel=$(sh "$top/samples/guest/kernel.sh") || exit 77

# Start the disk's back-end. Slow, and not in order, so that there is always something in flight.
turn=0
start_disk() {
	turn=$((turn + 1))
	stage_start "disk$turn" "$build/bin/vhu-sample-backend" -v --device blk --queues 2 \
		"--blk-file=$stage/disk.img" "--socket-path=$stage/disk.sock" --delay 3ms \
		--fault reorder:1/3
	stage_listens "disk$turn" "$stage/disk.sock"
}

kill_disk() {
	stage_end "disk$turn" KILL 2>/dev/null || :
}

# Return whether a back-end was given requests that one before it had in flight.
replayed() {
	grep -q 'does again what was in flight' "$stage"/disk*.log
}

sh "$top/samples/guest/make-initramfs.sh" -o "$stage/initramfs" -k "$kernel" \
	"$top/tests/e2e/samples/guest_work.sh" virtio_pci virtio_blk virtio_rng
truncate -s 32M "$stage/disk.img"
start_disk
stage_start chance "$build/bin/vhu-sample-backend" "--socket-path=$stage/rng.sock"
stage_listens chance "$stage/rng.sock"
packed='' interpose=--interpose-eventfds
[ "$ring" = split ] || packed=,packed=on interpose=''
# shellcheck disable=SC2086 # it is to vanish where it is empty
stage_start proxy "$vhu" proxy $interpose -w "$stage/disk.pcapng" \
	"listen:$stage/front.sock" "connect:$stage/disk.sock"
stage_listens proxy "$stage/front.sock"
reconnect=reconnect=1
vhu_qemu_since 9 2 && reconnect="reconnect-ms=1000"
# no_timer_check: a kernel gives up when its timer seems late, as that of a busy host is.
stage_start_piped qemu timeout -k 2 540 \
	qemu-system-x86_64 -M pc -accel tcg -cpu qemu64 -smp 2 -m 128M -nodefaults -display none \
	-serial stdio -no-reboot -kernel "/boot/vmlinuz-$kernel" -initrd "$stage/initramfs" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check" \
	-object memory-backend-memfd,id=memory,size=128M,share=on -machine memory-backend=memory \
	-chardev "socket,id=rng,path=$stage/rng.sock" -device "vhost-user-rng-pci,chardev=rng" \
	-chardev "socket,id=disk,path=$stage/front.sock,$reconnect" \
	-device "vhost-user-blk-pci,chardev=disk,num-queues=2$packed"
done='' kills=0
while IFS= read -r line; do
	line=${line%"$(printf '\r')"}
	printf '%s\n' "$line" >>"$stage/guest.log"
	case $line in
	"guest: done "*) done=${line#guest: done } ;;
	"guest: round "*)
		case $line in
		*" "[258]) ;;
		# Once more, until it was seen to hit.
		*" 9" | *" "1?) ! replayed || continue ;;
		*) continue ;;
		esac
		sleep 0.05
		kill_disk
		start_disk
		kills=$((kills + 1))
		;;
	esac
done <"$stage/qemu.out"
stage_end qemu || fail "QEMU ended with status $?"
[ "$done" = 0 ] || fail "the guest did not get through its work"
[ "$kills" -ge 3 ] || fail "the disk's back-end was killed $kills times, not 3 times"
replayed || fail "nothing was in flight when the disk's back-end was killed"
stage_end "disk$turn" TERM || fail "the disk's back-end ended with status $?"
stage_end chance TERM || fail "the entropy's back-end ended with status $?"
stage_end proxy TERM || fail "vhu proxy ended with status $?"

# Four back-ends, each of the last three given what the one before had in flight, and the ring's
# format that was wanted.
"$vhu" dump "$stage/disk.pcapng" >"$stage/dump.log"
sessions=$(grep -c 'session opened' "$stage/dump.log")
[ "$sessions" -ge 4 ] || fail "there were $sessions sessions, not 4"
areas=$(grep -c '^.* -> SET_INFLIGHT_FD' "$stage/dump.log")
[ "$areas" -ge 4 ] || fail "the in-flight area was handed over $areas times, not 4"
bases=$(grep -c -E '<- GET_VRING_BASE reply .*used' "$stage/dump.log" || :)
case $ring in
split) [ "$bases" -eq 0 ] || fail "the vrings were packed" ;;
packed) [ "$bases" -gt 0 ] || fail "the vrings were not packed" ;;
esac
# Back-ends were killed: sessions ended badly.
"$vhu" check --exit-zero --severity error "$stage/disk.pcapng" >"$stage/check.log" 2>&1
grep -q "^no findings" "$stage/check.log" ||
	fail "vhu check found errors in what passed"
for vring in 0 1; do
	[ "$ring" = packed ] || grep -q -e "vring $vring: [1-9][0-9]* kick" "$stage/proxy.log" ||
		fail "vring $vring was never kicked"
done
grep guest: "$stage/guest.log" | tail -n 3
echo "killed $kills times"
