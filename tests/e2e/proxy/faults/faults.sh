#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each fault of vhu proxy does what it says, and the capture says so.
#
#	faults.sh [CASE]
#	faults.sh --refresh	write faults.golden again; the diff is the review
. "$(dirname "$0")/../../../lib/common.sh"
work_open

refresh=false
if [ "${1-}" = --refresh ]; then
	refresh=true
	shift
fi
export VHU="$vhu"

"$programs/proxy_faults" "$@" >"$work/said"
# How much of a message is kept depends on the pieces that it came in.
sed -E 's/(cut by the snap length to )[0-9]+ /\1... /' "$work/said" >"$work/now"
if $refresh; then
	cp "$work/now" "$here/faults.golden"
elif [ $# -gt 0 ]; then
	cat "$work/now"
elif ! diff -u "$here/faults.golden" "$work/now" >"$work/diff"; then
	head -50 "$work/diff"
	echo "faults.golden differs; if that is meant: tests/e2e/proxy/faults/faults.sh --refresh"
	exit 1
fi
