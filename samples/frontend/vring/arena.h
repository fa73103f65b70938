/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that the front-end shares, in place of a guest's: one memfd. One region holds the
 * vrings, the other one the buffers.
 *
 * The kinds of addresses of a byte have nothing to do with each other, so that a back-end that
 * takes one for the other is found out: a guest address (in descriptors), a user address (in
 * SET_VRING_ADDR; ours), an offset in the file, and with a virtual IOMMU an IOVA in place of the
 * first two.
 */
#ifndef VHU_SAMPLES_FRONTEND_VRING_ARENA_H
#define VHU_SAMPLES_FRONTEND_VRING_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VHU_ARENA_RINGS, VHU_ARENA_BUFFERS, VHU_ARENA_REGIONS };

struct vhu_arena_region {
	uint8_t *here;
	uint64_t guest, iova, offset, size;
	uint64_t used; /* bytes handed out */
};

struct vhu_arena {
	int fd;
	bool iommu; /* the device's addresses are IOVAs */
	struct vhu_arena_region region[VHU_ARENA_REGIONS];
};

/* Make an arena; the regions' sizes are rounded up to pages. Returns 0 or -errno. */
int vhu_arena_open(struct vhu_arena *arena, uint64_t rings, uint64_t buffers);

void vhu_arena_close(struct vhu_arena *arena);

/* Hand out @size bytes of a region, all zero, aligned to @align, a power of two.
 * Returns them, or NULL where the region has no more. */
void *vhu_arena_take(struct vhu_arena *arena, unsigned region, size_t size, size_t align);

/* Return the guest address of a pointer into the arena. */
uint64_t vhu_arena_guest(const struct vhu_arena *arena, const void *at);

/* Return what a descriptor calls a pointer into the arena: its guest address or its IOVA. */
uint64_t vhu_arena_device(const struct vhu_arena *arena, const void *at);

#endif
