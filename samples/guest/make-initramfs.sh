#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make the initramfs of a small guest: busybox, a kernel's modules, one script to run.
#
#   sh make-initramfs.sh -o FILE [-k VERSION] SCRIPT [MODULE...]
#
# The guest loads the modules with all that they need, runs SCRIPT and powers off (see init beside
# this file). VERSION is the kernel's, as kernel.sh prints it; its modules come from /lib/modules.
# Needs busybox-static, no root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

# Print what is wrong ($*) and end.
fail() {
	echo "make-initramfs: $*" >&2
	exit 1
}

usage() {
	echo "usage: sh make-initramfs.sh -o FILE [-k VERSION] SCRIPT [MODULE...]" >&2
	exit 2
}

# Print the files of module $1 and of all that it needs, in loading order:
# modules.dep names the last one needed first. Nothing for a module that is built into the kernel.
files_of() {
	awk -v "module=$1" '
		{
			name = $1
			sub(/:$/, "", name)
			file = name
			sub(/.*\//, "", name)
			sub(/\.ko.*/, "", name)
			gsub(/-/, "_", name)
			if (name != module)
				next
			found = 1
			if (FILENAME ~ /builtin$/)
				exit
			for (i = NF; i > 1; i--)
				print $i
			print file
			exit
		}
		END { exit !found }' "$modules/modules.builtin" "$modules/modules.dep"
}

out='' version=''
while getopts o:k: option; do
	case $option in
	o) out=$OPTARG ;;
	k) version=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$out" ] && [ $# -ge 1 ] || usage
script=$1
shift
[ -r "$script" ] || fail "$script: cannot be read"
[ -n "$version" ] || version=$(sh "$here/kernel.sh") || exit 1
modules=/lib/modules/$version
[ -r "$modules/modules.dep" ] || fail "$modules/modules.dep: not there; is kernel $version installed?"
busybox=$(command -v busybox) || fail "busybox: not found; install the package busybox-static"

root=$(mktemp -d "${TMPDIR:-/tmp}/initramfs.XXXXXX")
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/mnt" "$root/modules"
cp "$busybox" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp "$here/init" "$root/init"
cp "$script" "$root/guest"
chmod 755 "$root/init" "$root/guest"

: >"$root/modules/order"
for module in "$@"; do
	files=$(files_of "$module") || fail "$module: not among the modules of kernel $version"
	for file in $files; do
		name=${file##*/}
		name=${name%%.ko*}.ko
		! grep -qx "$name" "$root/modules/order" || continue
		case $file in
		*.ko) cp "$modules/$file" "$root/modules/$name" ;;
		*.xz) "$busybox" xzcat "$modules/$file" >"$root/modules/$name" ;;
		*) fail "$modules/$file: packed in a way that is not known here" ;;
		esac
		echo "$name" >>"$root/modules/order"
	done
done
(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$out"
