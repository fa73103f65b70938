/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vring's requests are: whether the vring carries requests or waits for input, and the
 * header that a request begins with, decoded by the layouts of lib/protocol. Only the bytes of the
 * header are read; the data behind them never is.
 */
#ifndef VHU_RING_REQUEST_H
#define VHU_RING_REQUEST_H

#include "lib/protocol/walk.h"
#include "lib/ring/chain.h"

/* What a vring's buffers are for. */
enum vhu_ring_role {
	VHU_RING_ROLE_UNKNOWN, /* the device is not known */
	VHU_RING_REQUESTS,     /* each buffer is a request: the device gives it back soon */
	VHU_RING_INPUT,        /* buffers wait until something comes, which may be never */
};

/* Return the role of vring @vring of virtio device @device (0: not known). */
enum vhu_ring_role vhu_ring_role(uint32_t device, uint64_t features, unsigned vring);

/* More than any header has. */
#define VHU_RING_HEADER_MAX 64

/* The header of a request. */
struct vhu_ring_request {
	const struct vhu_layout *layout;
	uint32_t
	    size; /* bytes that were read; fewer than the layout has if the driver sent fewer */
	uint8_t bytes[VHU_RING_HEADER_MAX];
};

/*
 * Read the header of a request from the first bytes that the device reads.
 * Returns 0; -ENOENT: requests of this vring have no header that is known, or the chain has no
 * bytes for the device to read; an error of vhu_ring_memory_read.
 */
int vhu_ring_request_read(const struct vhu_ring_memory *memory,
			  const struct vhu_ring_snapshot *snapshot,
			  const struct vhu_ring_chain *chain, const struct vhu_context *context,
			  unsigned vring, struct vhu_ring_request *request);

/* Write a header in a line: "virtio-blk request: type OUT (1), ioprio 0, sector 2048". Returns the
 * length, as snprintf does. */
int vhu_ring_request_text(const struct vhu_ring_request *request, const struct vhu_context *context,
			  char *to, size_t size);

#endif
