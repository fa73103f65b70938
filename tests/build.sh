#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Configure and build presets; the compiler is only heard where it fails.
#
#	sh tests/build.sh PRESET...
set -eu
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

for preset; do
	printf '\n== Building (%s)\n' "$preset"
	if ! cmake --preset "$preset" >"$log" 2>&1 ||
		! cmake --build --preset "$preset" --parallel "$(nproc)" >>"$log" 2>&1; then
		tail -n 40 "$log"
		echo "the preset $preset does not build" >&2
		exit 1
	fi
	grep '^-- Left out' "$log" || true
done
