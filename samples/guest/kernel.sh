#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Find a kernel that a small guest can boot, and print its version.
#
# It is a Debian kernel of this machine with virtio modules, readable by us: the newest for clouds
# (small, quick to boot), else the newest. The image is /boot/vmlinuz-VERSION.
set -eu

for pattern in '*-cloud-*' '*'; do
	# shellcheck disable=SC2086 # the pattern is to be expanded
	for image in $(ls /boot/vmlinuz-$pattern 2>/dev/null | sort -rV); do
		version=${image#/boot/vmlinuz-}
		[ -r "$image" ] || continue
		[ -d "/lib/modules/$version/kernel/drivers/virtio" ] || continue
		echo "$version"
		exit 0
	done
done
echo "kernel: no kernel with virtio modules in /boot; install the package linux-image-cloud-amd64" >&2
exit 1
