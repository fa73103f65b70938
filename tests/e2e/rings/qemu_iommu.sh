#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with QEMU's own IOMMU: its driver maps each buffer for one use, DPDK asks for each translation, and QEMU
# sends updates and invalidations. vhu rings and the proxy's watchdog read the vrings behind them, and say that
# DPDK does not read a kick once it is stopped.
. "$(dirname "$0")/lib.sh"
need qemu-system-x86_64 busybox gzip dpdk-testpmd
[ "$(uname -m)" = x86_64 ] || { echo "lacks an x86-64 host"; exit 77; }
kernel=$(sh "$top/samples/guest/kernel.sh") || exit 77

# The guest sends packets for ever, each with a reply.
cat >work.sh <<'END'
ip link set eth0 up
ip addr add 10.0.0.1/24 dev eth0
while :; do
	ping -c 1 -W 1 10.0.0.2 >/dev/null 2>&1 && echo "guest: reply"
done
END
sh "$top/samples/guest/make-initramfs.sh" -o initramfs -k "$kernel" work.sh virtio_pci virtio_net

# testpmd answers pings. It polls its vrings.
stage_start back dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry "--file-prefix=vhu-$$" \
	--vdev net_vhost0,iface=back.sock,queues=1,iommu-support=1 \
	-- --auto-start --forward-mode=icmpecho --total-num-mbufs=2048 --stats-period=1
stage_listens back back.sock
proxy --stall 500ms
# vectors=0: QEMU 7.2 crashes without when the guest unmasks an interrupt. no_timer_check: a kernel gives up when
# its timer seems late, as that of a busy host is.
stage_start front qemu-system-x86_64 -M q35 -accel tcg -cpu qemu64 -smp 1 -m 128M -nodefaults -display none \
	-serial stdio -no-reboot -kernel "/boot/vmlinuz-$kernel" -initrd initramfs \
	-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check intel_iommu=on iommu.strict=1" \
	-object memory-backend-memfd,id=memory,size=128M,share=on -machine memory-backend=memory \
	-device intel-iommu,device-iotlb=on,intremap=off \
	-chardev socket,id=net,path=front.sock -netdev vhost-user,id=net,chardev=net \
	-device virtio-net-pci,netdev=net,vectors=0,romfile=,iommu_platform=on,ats=on,disable-legacy=on

# Return whether the guest has had replies.
has_replies() {
	kill -0 "$(stage_pid front)" 2>/dev/null || fail "QEMU ended: $(cat front.log)"
	[ "$(grep -c 'guest: reply' front.log)" -ge 5 ]
}
wait_turn=0
until has_replies; do
	wait_turn=$((wait_turn + 1))
	[ "$wait_turn" -lt 2400 ] || fail "the guest has no replies: $(cat front.log)"
	sleep 0.1
done
"$vhu" dump --json vm.pcapng >messages
for kind in update invalidate; do
	jq -se --arg kind $kind '[.[] | select(.message == "IOTLB_MSG" and (.reply | not) and
		.payload.message_type_name == $kind)] | length > 5' messages >/dev/null ||
		fail "no messages to $kind: $(grep -m 1 IOTLB_MSG messages)"
done

# Return whether vring 1, to which the guest adds packets, hangs by the source $*: the kick is not read.
hangs() {
	status=0
	"$vhu" rings -v --json --vring 1 "$@" >out 2>err || status=$?
	[ "$status" -eq 1 ] && jq -e '.verdict.id == "D3" and .waiting > 0 and .back_end.state == "T"' out >/dev/null
}
kill -STOP "$(stage_pid back)"
for source in '-r vm.pcapng' '-s ctl.sock'; do
	# shellcheck disable=SC2086 # an option and its argument
	wait_for hangs $source
	# No address of a guest of 128 MiB is so high.
	jq -e '.requests[0].buffers[0].address > 4000000000' out >/dev/null || fail "$source: no IOVA: $(cat out)"
	# What waits was added after DPDK was stopped, which thus has not asked for its translation.
	jq -e '.requests[-1].buffers[0] | .mapped == false and .translated == false' out >/dev/null ||
		fail "$source: a buffer is translated: $(cat out)"
	schemas_fit out >fit || fail "$source: $(cat fit)"
done
has_stalled() {
	"$vhu" dump --json vm.pcapng | jq -se 'any(.[]; .type == "vring snapshot" and .reason == "stall" and
		.vring == 1 and .verdict.id == "D3" and .waiting > 0)' >stalled
}
wait_for has_stalled
all_out
