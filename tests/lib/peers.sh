# SPDX-License-Identifier: GPL-2.0-or-later
# Real peers whose place, options or ways differ by version, for test scripts to source.

# Return whether QEMU is of version $1.$2 or later.
vhu_qemu_since() {
	qemu-system-x86_64 -version | awk -v major="$1" -v minor="$2" '/version/ {
		sub(/.*version /, "")
		split($0, part, ".")
		exit !(part[1] > major || (part[1] == major && part[2] >= minor))
	}'
}

# Set $virtiofsd to the program and $virtiofsd_options to its options for sharing the folder $1. It is
# part of QEMU in Debian 12, and a Rust program later. Returns 1 if it is missing or cannot run.
vhu_virtiofsd() {
	[ "$(id -u)" -eq 0 ] || return 1
	virtiofsd=/usr/lib/qemu/virtiofsd virtiofsd_options="-o source=$1 -o sandbox=chroot -o cache=auto"
	[ -x "$virtiofsd" ] && return
	virtiofsd=/usr/libexec/virtiofsd virtiofsd_options="--shared-dir $1 --sandbox none"
	[ -x "$virtiofsd" ]
}
