/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's memory as the front-end shares it: regions with a guest address and an address in the
 * front-end each, read by copying bounded pieces out of them.
 *
 * The guest, the VMM and the back-end write to this memory at any time, and a VMM may cut its file
 * short. Therefore nothing here hands out a pointer: a reader copies once and decides on the copy.
 *
 * Two functions read:
 * - vhu_ring_read_file calls pread. A file that was cut short gives fewer bytes, never SIGBUS, and
 *   a hole stays a hole (a read through a mapping of a memfd allocates the page). The file is a
 *   memfd, a file of hugetlbfs, a file of /proc/PID/map_files, or /proc/PID/mem with the user
 *   address as offset: one process's own view. This is the one to use where there is a descriptor.
 * - vhu_ring_read_mapping calls process_vm_readv on this process, for memory that is left
 *   only as a mapping. The kernel answers EFAULT where a load would raise SIGBUS.
 *
 * Ownership: the caller owns all arrays, descriptors and mappings, and keeps them while it reads.
 */
#ifndef VHU_RING_MEMORY_H
#define VHU_RING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What an address means. */
enum vhu_ring_space {
	VHU_RING_USER,  /* the front-end's address, as in SET_VRING_ADDR */
	VHU_RING_GUEST, /* guest physical, as in descriptors */
	VHU_RING_IOVA,  /* of a virtual IOMMU (VIRTIO_F_ACCESS_PLATFORM), translated to user */
};

struct vhu_ring_region {
	uint64_t guest, user, size;
	uint64_t offset;     /* where it begins in the file */
	int fd;              /* for vhu_ring_read_file */
	const void *mapping; /* for vhu_ring_read_mapping: the region's first byte ... */
	uint64_t mapped;     /* ... and how many bytes of it are mapped */
};

/* An IOTLB update that holds: @size bytes of IOVAs are these user addresses. */
struct vhu_ring_translation {
	uint64_t iova, user, size;
};

/*
 * Copy up to @size bytes at @at, counted from the region's first byte. All of them are in the
 * region. Returns how many were copied, 0 past the end of the file, or -errno.
 */
typedef ssize_t vhu_ring_read(const struct vhu_ring_region *region, uint64_t at, void *to,
			      size_t size);

vhu_ring_read vhu_ring_read_file, vhu_ring_read_mapping;

struct vhu_ring_memory {
	vhu_ring_read *read;
	const struct vhu_ring_region *region;
	unsigned regions;
	/* In growing order of their IOVAs; none overlaps another. */
	const struct vhu_ring_translation *translation;
	unsigned translations;
};

/*
 * Copy @size bytes at @address to @to. A range may cross from one region into the next.
 * Returns 0; -EFAULT: a byte is in no region; -ENXIO: no translation of an IOVA is known;
 * -ENODATA: the file ends before the region does; another -errno of the read. What was copied
 * before an error is undefined.
 */
int vhu_ring_memory_read(const struct vhu_ring_memory *memory, enum vhu_ring_space space,
			 uint64_t address, void *to, size_t size);

/* Translate *@address to the front-end's address of the byte. @space: USER or IOVA.
 * Returns 0; -ENXIO: no translation of an IOVA is known. */
int vhu_ring_memory_user(const struct vhu_ring_memory *memory, enum vhu_ring_space space,
			 uint64_t *address);

/* Find out, without reading, whether regions hold all of @size bytes at @address.
 * Returns 0, -EFAULT or -ENXIO, as vhu_ring_memory_read does. */
int vhu_ring_memory_holds(const struct vhu_ring_memory *memory, enum vhu_ring_space space,
			  uint64_t address, uint64_t size);

#endif
