# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that gives vhu latency what a machine may refuse it, for scripts to source.

# Say what is missing to boot one and return 0; return 1 if nothing is.
vhu_boot_lacks() {
	for _program in qemu-system-x86_64 busybox gzip ldd; do
		command -v "$_program" >/dev/null && continue
		echo "lacks $_program"
		return 0
	done
	[ "$(uname -m)" = x86_64 ] || { echo "lacks an x86-64 machine, whose kernel the guest boots"; return 0; }
	vhu_boot_kernel=$(sh "$1/samples/guest/kernel.sh" 2>&1) || {
		echo "lacks a kernel: $vhu_boot_kernel"
		return 0
	}
	return 1
}

# Run the script $2 in a guest with Debian's kernel and a KVM of its own, which has the programs $3 and
# so on in /vhu; $1 is the top of the sources, here is where files are made. Leaves what the guest
# printed in the file lines. Needs vhu_boot_lacks to have been asked. vhu_boot_options is given to QEMU.
vhu_boot() {
	_top=$1 _script=$2
	shift 2
	sh "$_top/samples/guest/make-initramfs.sh" -o base.gz "$_script" kvm_amd unix_diag
	# The programs with all that they are linked to, as a second archive behind the first.
	mkdir -p root/vhu
	cp "$@" root/vhu/
	for _program in "$@"; do
		ldd "$_program" 2>/dev/null || :
	done | grep -o '/[^ :)]*' | grep '\.so' | sort -u | while read -r _library; do
		mkdir -p "root$(dirname "$_library")"
		cp -L "$_library" "root$_library"
	done
	(cd root && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >more.gz
	cat base.gz more.gz >initrd.gz
	# no_timer_check: a kernel gives up when its timer seems late, as that of a busy host is.
	# The processor has AMD's virtualization, which QEMU emulates.
	# shellcheck disable=SC2086 # several words, or none
	timeout 540 qemu-system-x86_64 ${vhu_boot_options-} -accel tcg -cpu EPYC -m 768 -smp 1 -nographic -no-reboot \
		-nic none -vga none -kernel "/boot/vmlinuz-$vhu_boot_kernel" -initrd initrd.gz \
		-append "console=ttyS0 panic=-1 quiet mitigations=off no_timer_check" </dev/null >console 2>&1 || :
	# The firmware's last escape sequence and the first line share one.
	tr -d '\r' <console | sed 's/^.*result /result /' >lines
}
