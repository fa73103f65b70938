/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's memory: regions that the front-end shares, and where its addresses are here.
 *
 * Regions are mapped by vhu_memory_add and unmapped by _remove and _clear; whoever holds a pointer
 * into one must look it up again after these. A front-end that cuts the file behind a region short
 * would kill whoever touches the lost part (SIGBUS); vhu_memory_guard turns that into zeros.
 */
#ifndef VHU_SAMPLES_BACKEND_MEMORY_MEMORY_H
#define VHU_SAMPLES_BACKEND_MEMORY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What GET_MAX_MEM_SLOTS answers. */
#define VHU_MEMORY_SLOTS 64

struct vhu_device_region {
	uint64_t guest, user, size; /* as the front-end told */
	uint8_t *here;              /* its first byte in this process */
	void *map;                  /* what was mapped: the file from its start on */
	size_t map_size;
};

struct vhu_memory {
	struct vhu_device_region region[VHU_MEMORY_SLOTS];
	unsigned regions;
};

/* Let memory whose file was cut short read as zeros. Returns 0 or -errno. */
int vhu_memory_guard(void);

/*
 * Map a shared area, first making sure that the file is large enough.
 * Returns 0 with *@map and *@map_size (both for munmap) set, or -errno.
 */
int vhu_memory_map(int fd, uint64_t offset, uint64_t size, void **map, size_t *map_size);

/*
 * Map a region.
 * @told: its addresses and size. @offset: where it begins in the file @fd, which may be closed
 * then. Returns 0; -EEXIST: it overlaps another; -ENOSPC: no slot is free; other -errno.
 */
int vhu_memory_add(struct vhu_memory *memory, const struct vhu_device_region *told, uint64_t offset,
		   int fd);

/* Unmap the region with just these addresses and this size. Returns 0 or -ENOENT. */
int vhu_memory_remove(struct vhu_memory *memory, const struct vhu_device_region *told);

void vhu_memory_clear(struct vhu_memory *memory);

/* Return where @size bytes at the front-end's own address @user are; NULL where they are not all
 * in one region. */
void *vhu_memory_at_user(const struct vhu_memory *memory, uint64_t user, uint64_t size);

/* Return where the guest's address @guest is, and cut *@size to what one region holds of it; NULL
 * where no region holds it. */
void *vhu_memory_at_guest(const struct vhu_memory *memory, uint64_t guest, uint64_t *size);

/* Find the guest address of @at, a pointer into a region. Returns whether it is one. */
bool vhu_memory_guest_of(const struct vhu_memory *memory, const void *at, uint64_t *guest);

#endif
