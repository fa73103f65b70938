/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that the front-end shares. */
#include "samples/frontend/vring/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where the regions are for the device: one below and one above 4 GiB, as in a PC. */
static const uint64_t guest_base[VHU_ARENA_REGIONS] = {0x10000000, 0x100000000};

/* Where they are behind a virtual IOMMU: in the other order. */
static const uint64_t iova_base[VHU_ARENA_REGIONS] = {0x7000000000, 0x20000000};

int vhu_arena_open(struct vhu_arena *arena, uint64_t rings, uint64_t buffers)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t wanted[VHU_ARENA_REGIONS] = {rings, buffers};
	uint64_t end = page; /* the first region begins at an offset, too */

	*arena = (struct vhu_arena){.fd = memfd_create("vhu-sample-frontend", MFD_CLOEXEC)};
	if (arena->fd < 0)
		return -errno;
	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
		struct vhu_arena_region *region = &arena->region[i];

		region->size = (wanted[i] + page) & ~(page - 1);
		region->guest = guest_base[i];
		region->iova = iova_base[i];
		region->offset = end;
		end += region->size;
	}
	if (ftruncate(arena->fd, (off_t)end))
		return -errno;
	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
		struct vhu_arena_region *region = &arena->region[i];
		void *map = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED, arena->fd,
				 (off_t)region->offset);

		if (map == MAP_FAILED)
			return -errno;
		region->here = map;
	}
	return 0;
}

void vhu_arena_close(struct vhu_arena *arena)
{
	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++)
		if (arena->region[i].here)
			munmap(arena->region[i].here, arena->region[i].size);
	if (arena->fd >= 0)
		close(arena->fd);
}

void *vhu_arena_take(struct vhu_arena *arena, unsigned n, size_t size, size_t align)
{
	struct vhu_arena_region *region = &arena->region[n];
	uint64_t at = (region->used + align - 1) & ~(uint64_t)(align - 1);

	if (at > region->size || size > region->size - at)
		return NULL;
	region->used = at + size;
	return region->here + at;
}

/* Return the region that holds a pointer into the arena. */
static const struct vhu_arena_region *region_of(const struct vhu_arena *arena, const void *at)
{
	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
		const struct vhu_arena_region *region = &arena->region[i];

		if ((uintptr_t)at - (uintptr_t)region->here < region->size)
			return region;
	}
	abort(); /* not of the arena: our own mistake */
}

uint64_t vhu_arena_guest(const struct vhu_arena *arena, const void *at)
{
	const struct vhu_arena_region *region = region_of(arena, at);

	return region->guest + ((uintptr_t)at - (uintptr_t)region->here);
}

uint64_t vhu_arena_device(const struct vhu_arena *arena, const void *at)
{
	const struct vhu_arena_region *region = region_of(arena, at);

	return (arena->iommu ? region->iova : region->guest) +
	       ((uintptr_t)at - (uintptr_t)region->here);
}
