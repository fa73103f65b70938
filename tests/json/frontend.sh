#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu-sample-frontend prints of its load as JSON fits its schema, for each device and kind of vring.
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open

for device in blk rng; do
	stage_start "$device" "$build/bin/vhu-sample-backend" --device "$device" "--socket-path=$device.sock"
	stage_listens "$device" "$device.sock"
	for option in '' --packed --event-idx --indirect; do
		# shellcheck disable=SC2086 # no option is no word
		"$build/bin/vhu-sample-frontend" --json --device "$device" --requests 20 $option "$device.sock" ||
			fail "$device $option: status $?"
	done
done >lines
schemas_fit lines >fit || fail "$(cat fit)"
jq -se 'length == 8 and all(.request_count == 20 and .latency.count == 20)' lines >fit || fail "$(cat lines)"
