/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's memory: regions that the front-end shares, and where its addresses are here.
 *
 * Regions are mapped by vhu_memory_add and unmapped by _remove and _clear; whoever holds a pointer
 * into one must look it up again after these. A front-end that cuts the file behind a region short
 * would kill whoever touches the lost part (SIGBUS); vhu_memory_guard turns that into zeros.
 *
 * With a virtual IOMMU (VIRTIO_F_ACCESS_PLATFORM) the addresses of vrings and in descriptors are
 * IOVAs, which the front-end's IOTLB updates translate to its own addresses.
 */
#ifndef VHU_SAMPLES_BACKEND_MEMORY_MEMORY_H
#define VHU_SAMPLES_BACKEND_MEMORY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What GET_MAX_MEM_SLOTS answers. */
#define VHU_MEMORY_SLOTS        64
/* IOTLB updates that are kept. */
#define VHU_MEMORY_TRANSLATIONS 256

struct vhu_device_region {
	uint64_t guest, user, size; /* as the front-end told */
	uint8_t *here;              /* its first byte in this process */
	void *map;                  /* what was mapped: the file from its start on */
	size_t map_size;
};

/* An IOTLB update: @size bytes of IOVAs are these addresses of the front-end. */
struct vhu_device_translation {
	uint64_t iova, user, size;
};

struct vhu_memory {
	struct vhu_device_region region[VHU_MEMORY_SLOTS];
	unsigned regions;
	bool iommu; /* VIRTIO_F_ACCESS_PLATFORM is negotiated */
	struct vhu_device_translation translation[VHU_MEMORY_TRANSLATIONS];
	unsigned translations;
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

/* Keep a translation, in place of those that it overlaps. Returns 0; -EINVAL: it is empty or goes
 * past the last address; -ENOSPC: too many are kept. */
int vhu_memory_translate(struct vhu_memory *memory, const struct vhu_device_translation *told);

/* Forget the translations of @size bytes of IOVAs from @iova on. */
void vhu_memory_forget(struct vhu_memory *memory, uint64_t iova, uint64_t size);

/* Return where @size bytes of a vring are. @address: as SET_VRING_ADDR has it, the front-end's own
 * or an IOVA. Returns NULL if they do not all follow each other in one region. */
void *vhu_memory_at_ring(const struct vhu_memory *memory, uint64_t address, uint64_t size);

/* Return where a descriptor's address @address, the guest's or an IOVA, is, and cut *@size to what
 * one region and one translation hold of it; NULL if none holds it. */
void *vhu_memory_at_buffer(const struct vhu_memory *memory, uint64_t address, uint64_t *size);

/* Find the guest address of @at, a pointer into a region. Returns whether it is one. */
bool vhu_memory_guest_of(const struct vhu_memory *memory, const void *at, uint64_t *guest);

#endif
