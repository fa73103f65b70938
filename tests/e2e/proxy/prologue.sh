#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Captures that are cut anywhere read as the whole: all scenarios of tests/rules and real ones.
. "$(dirname "$0")/../../lib/common.sh"
work_open

for case in "$top"/tests/rules/cases/*.scn "$top"/tests/rules/facts/*.scn; do
	# Those that are parts themselves have no whole.
	grep -q '^earlier' "$case" && continue
	"$programs/scenario" "$case" "$work/$(basename "$case" .scn).pcapng"
done
"$programs/proxy_prologue" "$work"/*.pcapng "$captures"/*.pcapng
