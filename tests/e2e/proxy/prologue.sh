#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Captures that are cut anywhere read as the whole: all scenarios of tests/rules and real ones.
#
#   sh prologue.sh PROXY_PROLOGUE SCENARIO CASES FACTS CAPTURES
set -eu

test=$1 scenario=$2 cases=$3 facts=$4 captures=$5
folder=$(mktemp -d "${TMPDIR:-/tmp}/proxy-prologue.XXXXXX")
trap 'rm -rf "$folder"' EXIT
for case in "$cases"/*.scn "$facts"/*.scn; do
	# Those that are parts themselves have no whole.
	grep -q '^earlier' "$case" && continue
	"$scenario" "$case" "$folder/$(basename "$case" .scn).pcapng"
done
"$test" "$folder"/*.pcapng "$captures"/*.pcapng
