/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The in-flight area of a vring: the requests that the back-end has taken and not given back.
 *
 * Section "Inflight I/O tracking" of the specification. QueueRegionSplit and QueueRegionPacked have
 * different layouts; VIRTIO_F_RING_PACKED says which one it is. Both sides write the area, so
 * everything in it is checked and copied once.
 */
#ifndef VHU_RING_INFLIGHT_H
#define VHU_RING_INFLIGHT_H

#include "lib/ring/memory.h"

/* Bytes of a row of the packed layout, and where its descriptor begins in it. */
#define VHU_RING_INFLIGHT_PACKED_ROW 32

/* Where a vring's part of the in-flight area is. */
struct vhu_ring_inflight_place {
	const struct vhu_ring_memory *memory; /* NULL without one, or if it cannot be read */
	uint64_t at;                          /* user address in `memory` */
	uint64_t size;                        /* bytes of this part */
};

/* A request that was taken. */
struct vhu_ring_taken {
	uint16_t entry;       /* its head (split), its first row in the area (packed) */
	uint16_t descriptors; /* 1 in split rings */
	uint64_t counter;     /* grows with each request that is taken */
};

struct vhu_ring_inflight {
	bool known; /* it was read, and the back-end has written to it; else all is 0 */
	uint16_t version;
	uint16_t rows;  /* as the back-end noted it: the size of the vring */
	uint16_t used;  /* as the back-end noted it; packed: position, wrap counter in bit 15 */
	bool unsettled; /* packed: the back-end is in the middle of giving a request back */
	uint32_t descriptors;         /* of all requests taken */
	uint32_t count;               /* of requests taken */
	struct vhu_ring_taken *taken; /* oldest first; owned */
	uint8_t *row; /* copies of all rows; in packed rings they hold the descriptors; owned */
};

/*
 * Find the part of a vring in an in-flight area of SET_INFLIGHT_FD.
 * @size: bytes of the whole area. @queues: vrings that share it. @base: its user address.
 * Returns it; its memory is NULL if the area has no part for the vring.
 */
struct vhu_ring_inflight_place vhu_ring_inflight_place(const struct vhu_ring_memory *memory,
						       uint64_t base, uint64_t size,
						       unsigned queues, unsigned vring);

/*
 * Read a vring's part of the in-flight area.
 * @ring_size: descriptors of the vring, 1 to 32768.
 * Returns 0; @inflight is then to be freed. -EINVAL: the part is too small for the vring;
 * -ENOMEM; an error of vhu_ring_memory_read.
 */
int vhu_ring_inflight_read(const struct vhu_ring_inflight_place *place, bool packed,
			   uint32_t ring_size, struct vhu_ring_inflight *inflight);

void vhu_ring_inflight_free(struct vhu_ring_inflight *inflight);

#endif
