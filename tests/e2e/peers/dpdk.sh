#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two DPDKs talk through the proxy over packed vrings, and the capture tells.
. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/sample.sh"

if [ "$(nproc)" -lt 2 ]; then
	echo "lacks a second processor for testpmd"
	exit 77
fi
sample_run dpdk.sh dpdk
printed 'the back-end has received [1-9]'
captured_answers GET_FEATURES GET_PROTOCOL_FEATURES GET_STATUS
captured_messages SET_OWNER SET_FEATURES SET_PROTOCOL_FEATURES SET_STATUS SET_MEM_TABLE
captured "packed vrings negotiated" \
	'any(.message == "SET_FEATURES" and (.payload.features_names | index("RING_PACKED")))'
captured "bases of packed vrings" 'any(.message == "GET_VRING_BASE" and .reply and (.payload | has("used_wrap_counter")))'
for vring in 0 1 2 3; do
	captured_vring "$vring"
done
