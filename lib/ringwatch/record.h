/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot of a vring for a capture, made of what a verdict is made of. */
#ifndef VHU_RINGWATCH_RECORD_H
#define VHU_RINGWATCH_RECORD_H

#include "lib/capture/record.h"
#include "lib/ring/verdict/verdict.h"

/* Room for what a snapshot points to; it is to live as long as the snapshot. */
struct vhu_ringwatch_room {
	char alternatives[64], title[VHU_SNAPSHOT_TEXT_MAX + 1];
	char header[VHU_SNAPSHOT_REQUESTS_MAX][VHU_RECORD_TEXT_MAX + 1];
	struct vhu_snapshot_request request[VHU_SNAPSHOT_REQUESTS_MAX];
};

/*
 * Make a snapshot of the newer sample of @evidence, with the oldest requests in the vring.
 * @verdict: NULL for none. @memory: holds the vring; NULL: requests are left out.
 */
struct vhu_vring_snapshot vhu_ringwatch_record(const struct vhu_ring_evidence *evidence,
					       const struct vhu_ring_verdict *verdict,
					       const struct vhu_ring_memory *memory,
					       enum vhu_snapshot_reason reason,
					       struct vhu_ringwatch_room *room);

#endif
