#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo does what it says: a guest uses its disk through the proxy, and the capture tells.
. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/sample.sh"

sample_run demo.sh demo
printed 'guest: reads the first sector: Hello from the host.'
printed 'guest: has read them back from its second: they are the same'
printed "the guest's answer: The guest was here."
captured_answers GET_FEATURES GET_PROTOCOL_FEATURES GET_QUEUE_NUM GET_CONFIG
captured_messages SET_OWNER SET_FEATURES SET_PROTOCOL_FEATURES SET_BACKEND_REQ_FD
for vring in 0 1; do
	captured_vring "$vring"
	# A vring's index at its stop counts its requests: four blocks of a MiB are at least four.
	captured "four requests on vring $vring" \
		"any(.message == \"GET_VRING_BASE\" and .reply and .payload.index == $vring and .payload.avail_index >= 4)"
done
