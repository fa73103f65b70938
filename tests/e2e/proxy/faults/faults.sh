#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each rule of vhu proxy does what it says, and the capture says so.
#
#	faults.sh BUILD [CASE]
#	faults.sh --refresh BUILD		write faults.golden anew; the diff is the review
set -eu
here=$(cd "$(dirname "$0")" && pwd)
refresh=false
if [ "$1" = --refresh ]; then
	refresh=true
	shift
fi
build=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VHU="$build/bin/vhu" LC_ALL=C

"$build/tests/bin/proxy_faults" "$@" >"$work/now"
if $refresh; then
	cp "$work/now" "$here/faults.golden"
elif [ $# -gt 0 ]; then
	cat "$work/now"
elif ! diff -u "$here/faults.golden" "$work/now" >"$work/diff"; then
	head -50 "$work/diff"
	echo "faults.golden differs; if that is meant: tests/e2e/proxy/faults/faults.sh --refresh BUILD"
	exit 1
fi
