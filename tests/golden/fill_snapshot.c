/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of vrings for the golden captures: a split ring that hangs, a packed one that moves,
 * one whose memory was not read. */
#include <errno.h>

#include "lib/util/util.h"
#include "tests/golden/fill.h"

static const struct vhu_snapshot_request requests[] = {
    {
	.head = 5,
	.id = 5,
	.taken = true,
	.descriptors = 3,
	.buffers = 3,
	.readable = 528,
	.writable = 1,
	.header = "virtio-blk request: type OUT (1), ioprio 0, sector 2048",
	.listed = 3,
	.buffer = {{0x1000, 16, 1, false, false},
		   {0x2000, 512, 1, true, false},
		   {0x1f000012345678, 1, 2, false, true}},
    },
    {.head = 8, .id = 9, .descriptors = 128, .fault = "has more descriptors than the ring"},
};

static const struct vhu_vring_snapshot snapshots[] = {
    {
	.reason = VHU_SNAPSHOT_STALL,
	.has = 0x1ff,
	.vring = 1,
	.hangs = true,
	.verdict = "D1",
	.alternatives = "D4 D2b",
	.title = "the driver or the VMM did not kick",
	.text = "3 buffers wait for 5.30 s",
	.size = 128,
	.available = 65535,
	.used = 65532,
	.waiting = 3,
	.driver_flags = 1,
	.driver_event = 2,
	.device_flags = 3,
	.device_event = 4,
	.in_flight = 1,
	.kick = {20, 6},
	.call = {21, 7},
	.front_end = {4711, 'S', 80},
	.back_end = {4712, 'T', 81},
	.pending_request = 11,
	.pending_of_back_end = true,
	.pending_ns = 2500000000,
	.age_ns = 5300000000,
	.requests = VHU_ARRAY_SIZE(requests),
	.request = requests,
    },
    {
	.reason = VHU_SNAPSHOT_ASKED,
	.has = VHU_SNAPSHOT_HAS_RING,
	.verdict = "moving",
	.title = "the vring moved between the samples",
	.text = "the vring moves",
	.packed = true,
	.size = 256,
	.available = 0x8007,
	.used = 0x00fe,
	.waiting = 9,
    },
    {
	.reason = VHU_SNAPSHOT_END,
	.verdict = "unread",
	.title = "the vring's memory could not be read",
	.text = "the memory was not read: Permission denied",
	.error = EACCES,
    },
};

bool vhu_fill_snapshot(struct vhu_vring_snapshot *snapshot, unsigned which)
{
	if (which >= VHU_ARRAY_SIZE(snapshots))
		return false;
	*snapshot = snapshots[which];
	return true;
}
