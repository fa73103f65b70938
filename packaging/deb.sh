#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make Debian packages of what stands here: vhu, vhu-wireshark, vhu-wireshark-lua, vhu-samples,
# vhu-doc.
#
#	sh packaging/deb.sh [FOLDER]
#
# They are for the Debian that this runs on, whose Wireshark the plugin is built for, and go to FOLDER
# (build/packages). What is needed is installed, as by sh samples/demo.sh. Then, as root:
#
#	apt-get install ./build/packages/*.deb
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/samples/packages.sh"

case ${1-} in
-*)
	echo "usage: sh packaging/deb.sh [FOLDER]" >&2
	exit 2
	;;
esac
to=${1:-$top/build/packages}
# shellcheck disable=SC2046 # a list of packages is several words
vhu_need $(vhu_packages package) || exit 1
mkdir -p "$to"
to=$(cd "$to" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkdir "$work/vhu"
tar -C "$top" --exclude='./build' --exclude='./build-*' --exclude=./.git --exclude=./tests -cf - . |
	tar -C "$work/vhu" -xf -
cp -r "$top/packaging/debian" "$work/vhu/debian"
cd "$work/vhu"
if ! dpkg-buildpackage --build=binary --no-sign --jobs=auto >"$work/log" 2>&1; then
	tail -n 40 "$work/log" >&2
	echo "deb.sh: the packages cannot be built" >&2
	exit 1
fi
mv "$work"/*.deb "$to"
for package in "$to"/*.deb; do
	printf '%s\n' "$package"
done
