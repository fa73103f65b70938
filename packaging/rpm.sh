#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make RPM packages of what stands here: vhu, vhu-wireshark, vhu-wireshark-lua, vhu-samples,
# vhu-doc.
#
#	sh packaging/rpm.sh [FOLDER] [OPTION OF rpmbuild...]
#
# They go to FOLDER (build/packages). Where the packages to build with are not known to rpm, as on Debian,
# --nodeps is the option to give.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
case ${1-} in
-*)
	echo "usage: sh packaging/rpm.sh [FOLDER] [OPTION OF rpmbuild...]" >&2
	exit 2
	;;
esac
to=${1:-$top/build/packages}
[ $# -eq 0 ] || shift
command -v rpmbuild >/dev/null || {
	echo "rpm.sh: rpmbuild is not installed: it is in the package rpm-build, in Debian in rpm" >&2
	exit 1
}
mkdir -p "$to"
to=$(cd "$to" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

version=$(sed -n 's/^Version: *//p' "$top/packaging/vhu.spec")
mkdir "$work/SOURCES"
tar -C "$top" --exclude='./build' --exclude='./build-*' --exclude=./.git --exclude=./tests \
	--transform="s,^\.,vhu-$version," -czf "$work/SOURCES/vhu-$version.tar.gz" .
if ! rpmbuild -bb "$@" --define "_topdir $work" "$top/packaging/vhu.spec" >"$work/log" 2>&1; then
	tail -n 40 "$work/log" >&2
	echo "rpm.sh: the packages cannot be built" >&2
	exit 1
fi
mv "$work"/RPMS/*/*.rpm "$to"
for package in "$to"/*.rpm; do
	printf '%s\n' "$package"
done
