#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every set of hooks counts right, kicks from inside the kernel included: shown in a guest with
# Debian's kernel, for a machine may refuse some of them. The guest's processor has AMD's
# virtualization, which QEMU emulates: so there is a KVM in it whose ioeventfds kick and whose irqfds
# take calls.
#
# That KVM's kicks and calls also come through the proxy, where they are to, is shown in the same guest.
. "$(dirname "$0")/../lib/common.sh"
work_open
bin=$build/bin latency=$programs/bpf_latency inside=$programs/bpf_kernel eventfd=$programs/bpf_eventfd

. "$top/tests/bpf/boot.sh"
vhu_boot_lacks "$top" && exit 77

cat >script <<'END'
mkdir -p /tmp
mount -t tracefs tracefs /sys/kernel/tracing
export VHU=/vhu/vhu COUNTS_ONLY=1
# Show a case; all handlers are the same whichever hooks call them.
show() {
	case $2 in
	kvm | uring) HOOKS=$1 /vhu/bpf_kernel $2 >/out 2>&1 ;;
	*) HOOKS=$1 /vhu/bpf_latency $2 >/out 2>&1 ;;
	esac
	echo "result $1 $2 $?"
	head -n 4 /out
}
for case in inside kvm uring delay_0 coalesced lost_calls calls_without_kick rewired; do
	show fentry $case
done
for case in inside kvm uring coalesced; do
	show kprobe $case
done
show syscalls kvm
show syscalls coalesced
show all-syscalls uring
show all-syscalls coalesced
/vhu/bpf_eventfd >/out 2>&1
echo "result proxy kvm $?"
head -n 20 /out
END
vhu_boot "$top" script "$vhu" "$latency" "$inside" "$eventfd"
grep '^result' lines || { tail -n 30 lines; echo "the guest told nothing"; exit 1; }
[ "$(grep -c '^result .* 0$' lines)" -eq 17 ] || {
	tail -n 60 lines
	echo "not all of 17 cases passed"
	exit 1
}
