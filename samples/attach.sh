#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Watch a virtual machine that already runs talk to its disk, with no proxy: vhu attach --list finds it,
# vhu attach records what the two sides say when the guest puts its disk on again, with the kicks and
# calls between.
#
#   sh samples/attach.sh [--capture FILE] [--built FOLDER]
#
# Installs the Debian packages that are missing (or says which), builds vhu, and boots a small guest whose
# disk is a vhost-user-blk export. Needs root, as vhu attach does. The capture stays in FILE, else in
# build/attach.pcapng. With --built, FOLDER holds a build to use as it is.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/samples/packages.sh"
. "$top/samples/stage.sh"

# Wait until the log of party $1 has a line that matches $2.
until_says() {
	turn=0
	until grep -q "$2" "$stage/$1.log" 2>/dev/null; do
		turn=$((turn + 1))
		kill -0 "$(stage_pid "$1")" 2>/dev/null && [ "$turn" -lt 4800 ] ||
			stage_fail "$1 does not say '$2'"
		sleep 0.05
	done
}

stage_options "$@"
[ "$(uname -m)" = x86_64 ] || { echo "attach.sh: the guest is made for x86-64 hosts only" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "attach.sh: run it as root: vhu attach loads programs into the kernel" >&2; exit 1; }
# shellcheck disable=SC2046 # a list of packages is several words
vhu_need $(vhu_packages build demo) || exit 1
stage_open

stage_build

step "Making a guest of Debian's kernel and busybox, and a disk of 64 MiB"
kernel=$(sh "$top/samples/guest/kernel.sh")
sh "$top/samples/guest/make-initramfs.sh" -o "$stage/initramfs" -k "$kernel" \
	"$top/samples/guest/again.sh" virtio_pci virtio_blk
echo "Hello from the host." >"$stage/disk.img"
truncate -s 64M "$stage/disk.img"
say "kernel $kernel"

step "Starting the back-end, and the virtual machine that is connected to it"
stage_start back-end qemu-storage-daemon \
	--blockdev "driver=file,node-name=disk,filename=$stage/disk.img,locking=off" \
	--export "type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path=$stage/back.sock"
stage_listens back-end "$stage/back.sock"
# no_timer_check: a kernel gives up when its timer seems late, as that of a busy host is.
stage_start qemu timeout -k 2 540 \
	qemu-system-x86_64 -M pc -accel tcg -cpu qemu64 -m 128M -nodefaults -display none \
	-serial stdio -no-reboot -kernel "/boot/vmlinuz-$kernel" -initrd "$stage/initramfs" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check" \
	-object memory-backend-memfd,id=memory,size=128M,share=on -machine memory-backend=memory \
	-chardev "socket,id=disk,path=$stage/back.sock" -device vhost-user-blk-pci,chardev=disk
until_says qemu 'guest: .*reads its disk'
say "the guest reads its disk"

step "Finding it: vhu attach --list"
"$vhu" attach --list >"$stage/list" 2>"$stage/list.log" || {
	echo "attach.sh: this machine lacks what vhu attach needs: $(cat "$stage/list.log")" >&2
	exit 77
}
grep -e FRONT-END -e "$stage/back.sock" "$stage/list" | show

step "Recording it from now on: vhu attach --socket back.sock --latency -w ${capture##*/}"
stage_start attach "$vhu" attach --socket "$stage/back.sock" --latency -w "$capture"
until_says attach watching
printf 'go on' | dd of="$stage/disk.img" bs=512 seek=2048 conv=notrunc 2>/dev/null
stage_end qemu || stage_fail "QEMU ended with status $?"
grep -q '^guest: done 0' "$stage/qemu.log" || stage_fail "the guest did not get through its work"
sed -n 's/^.*\(guest: has\)/\1/p' "$stage/qemu.log" | show
stage_end attach INT || stage_fail "vhu attach ended with status $?"
tail -n 1 "$stage/attach.log" | show

step "What it recorded: vhu dump ${capture##*/}"
"$vhu" dump "$capture" >"$stage/dump"
grep -v ' vring 0 \(kick\|wake\|call\)' "$stage/dump" | head -n 24 | show
say "..."
grep ' vring 0 \(kick\|wake\|call\)' "$stage/dump" | head -n 3 | show

step "Whether it is right: vhu check ${capture##*/}"
{ "$vhu" check "$capture" 2>&1 || :; } | show
say "the capture is $capture"
