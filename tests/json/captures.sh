#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu dump, stats and check say of captures as JSON fits its schema: of real captures, of each golden
# one and of the scenarios of rules.
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/schemas.sh"
work_open

mkdir scenarios
for scenario in "$top"/tests/rules/cases/*.scn; do
	"$programs/scenario" "$scenario" "scenarios/$(basename "$scenario" .scn).pcapng"
done
"$programs/golden_generate" golden.pcapng
"$programs/golden_generate" --big-endian big.pcapng

# Run vhu $* on each capture, and hold what it prints against its schema.
fits()
{
	for capture in "$captures"/*.pcapng ./*.pcapng scenarios/*.pcapng; do
		"$vhu" "$@" "$capture" || [ $? = 1 ]
	done >lines 2>err
	schemas_fit lines >out || fail "vhu $*: $(cat out)"
}

fits dump --json --bytes
fits stats --json
fits check --json --severity info
"$vhu" dump --json "$captures/qemu-blk.pcapng" golden.pcapng >lines
schemas_fit lines >out || fail "vhu dump of two captures: $(cat out)"
"$vhu" dump --json - <"$captures/qemu-blk.pcapng" >lines
schemas_fit lines >out || fail "vhu dump of a pipe: $(cat out)"
cat "$top"/tests/golden/*/*.json >lines
schemas_fit lines >out || fail "what is kept of golden captures: $(cat out)"
