#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QEMU without a guest on the sample back-end, through vhu proxy: it finds the disk, writes,
# reads, compares, resets it, and does so again.
. "$(dirname "$0")/../../lib/common.sh"
work_open
session=$programs/qemu_session

for dialect in standalone upstream; do
	for missing in RARP STATUS INFLIGHT_SHMFD CONFIGURE_MEM_SLOTS REPLY_ACK RESET_DEVICE; do
		name=$dialect-$missing
		stage_start "$name" "$build/bin/vhu-sample-backend" --device blk --queues 2 \
			"--socket-path=$stage/back.sock" --dialect "$dialect" --without "$missing"
		stage_listens "$name" "$stage/back.sock"
		stage_start "$name.proxy" "$vhu" proxy -q -w "$stage/$name.pcapng" \
			"$stage/front.sock" "$stage/back.sock"
		stage_listens "$name.proxy" "$stage/front.sock"
		status=0
		"$session" --front "$stage/front.sock" --rounds 3 >"$stage/session.log" 2>&1 ||
			status=$?
		if [ "$status" -eq 77 ]; then
			cat "$stage/session.log"
			exit 77
		fi
		[ "$status" -eq 0 ] || fail "$name: QEMU's session ended with status $status"
		stage_end "$name.proxy" TERM || fail "vhu proxy ended with status $?"
		stage_end "$name" TERM || fail "$name: the back-end ended with status $?"
		[ ! -s "$stage/$name.log" ] || fail "$name: the back-end has refused something"

		# QEMU resets the status before it asks where the rings stand: they stand where
		# they were, two requests a round further than at the reset before.
		"$vhu" dump "$stage/$name.pcapng" >"$stage/dump.log"
		[ "$(grep -c 'GET_VRING_BASE reply vring [01], avail 2 ' "$stage/dump.log")" -eq 6 ] ||
			fail "$name: the vrings do not stand where they were"
		# QEMU earns some warnings: status 0 before it stops the rings, for one.
		"$vhu" check --severity error "$stage/$name.pcapng" \
			>"$stage/check.log" 2>&1 ||
			fail "$name: vhu check found something in what passed"
	done
done
echo "QEMU and the sample back-end understand each other"
