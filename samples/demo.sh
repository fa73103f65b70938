#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Watch a virtual machine talk to its disk: QEMU, vhu proxy, qemu-storage-daemon, vhu dump, tshark.
#
#   sh samples/demo.sh [--capture FILE] [--built FOLDER]
#
# Installs the Debian packages that are missing (or says which), builds vhu, boots a small guest
# whose disk is a vhost-user-blk export, and shows what the two sides said to each other. The capture
# stays in FILE, else in build/demo.pcapng. With --built, FOLDER holds a build to use as it is.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/samples/packages.sh"
. "$top/samples/stage.sh"

stage_options "$@"
[ "$(uname -m)" = x86_64 ] || { echo "demo.sh: the guest is made for x86-64 hosts only" >&2; exit 1; }
# shellcheck disable=SC2046 # a list of packages is several words
vhu_need $(vhu_packages build demo) || exit 1
stage_open

stage_build

# The host's greeting is the disk's first line; the guest's answer will be its second MiB.
step "Making a guest of Debian's kernel and busybox, and a disk of 64 MiB"
kernel=$(sh "$top/samples/guest/kernel.sh")
sh "$top/samples/guest/make-initramfs.sh" -o "$stage/initramfs" -k "$kernel" \
	"$top/samples/guest/disk.sh" virtio_pci virtio_blk
echo "Hello from the host." >"$stage/disk.img"
truncate -s 64M "$stage/disk.img"
say "kernel $kernel"

step "Starting the back-end: qemu-storage-daemon exports the disk"
stage_start back-end qemu-storage-daemon \
	--blockdev "driver=file,node-name=disk,filename=$stage/disk.img,locking=off" \
	--export "type=vhost-user-blk,id=export,node-name=disk,writable=on,num-queues=2,addr.type=unix,addr.path=$stage/back.sock"
stage_listens back-end "$stage/back.sock"
say "it listens on back.sock"

step "Starting the proxy"
say "vhu proxy -w ${capture##*/} listen:front.sock connect:back.sock"
stage_start proxy "$vhu" proxy -w "$capture" "listen:$stage/front.sock" "connect:$stage/back.sock"
stage_listens proxy "$stage/front.sock"

step "Booting the guest: QEMU is the front-end, it connects to front.sock"
# no_timer_check: a kernel gives up when its timer seems late, as that of a busy host is.
stage_start_piped qemu timeout -k 2 540 \
	qemu-system-x86_64 -M pc -accel tcg -cpu qemu64 -smp 2 -m 128M -nodefaults -display none \
	-serial stdio -no-reboot -kernel "/boot/vmlinuz-$kernel" -initrd "$stage/initramfs" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check" \
	-object memory-backend-memfd,id=memory,size=128M,share=on -machine memory-backend=memory \
	-chardev "socket,id=disk,path=$stage/front.sock" \
	-device vhost-user-blk-pci,chardev=disk,num-queues=2
done=''
while IFS= read -r line; do
	line=${line%"$(printf '\r')"}
	printf '%s\n' "$line" >>"$stage/guest.log"
	case $line in
	"guest: done "*) done=${line#guest: done } ;;
	"guest: "*) say "$line" ;;
	esac
done <"$stage/qemu.out"
stage_end qemu || stage_fail "QEMU ended with status $?"
[ "$done" = 0 ] || stage_fail "the guest did not get through its work"
answer=$(dd "if=$stage/disk.img" bs=512 skip=2048 count=1 2>/dev/null | tr -d '\0')
[ "$answer" = "The guest was here." ] || stage_fail "the guest's answer is not on the disk"
say "host: the disk image holds the guest's answer: $answer"
stage_end proxy TERM || stage_fail "vhu proxy ended with status $?"
stage_end back-end TERM || stage_fail "qemu-storage-daemon ended with status $?"
show <"$stage/proxy.log"

stage_tell ADD_MEM_REG
