#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu check says of captures as JSON fits its schema.
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/schemas.sh"
work_open

for capture in "$captures"/*.pcapng; do
	"$vhu" check --json --severity info "$capture" || [ $? = 1 ]
done >check.json 2>err
schemas_fit check.json >out || fail "vhu check --json: $(cat out)"
