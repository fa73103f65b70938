/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's memory as the front-end shares it. */
#include "lib/ring/memory.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* The part of a range that one region holds. */
struct piece {
	const struct vhu_ring_region *region;
	uint64_t at, size; /* from the region's first byte */
};

ssize_t vhu_ring_read_file(const struct vhu_ring_region *region, uint64_t at, void *to, size_t size)
{
	uint64_t offset;
	ssize_t got;

	if (__builtin_add_overflow(region->offset, at, &offset) || offset > INT64_MAX)
		return 0;
	do
		got = pread(region->fd, to, size, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

ssize_t vhu_ring_read_mapping(const struct vhu_ring_region *region, uint64_t at, void *to,
			      size_t size)
{
	struct iovec remote, local = {.iov_base = to};
	ssize_t got;

	if (at >= region->mapped)
		return 0;
	if (size > region->mapped - at)
		size = region->mapped - at;
	remote.iov_base = (uint8_t *)(uintptr_t)region->mapping + at;
	remote.iov_len = local.iov_len = size;
	got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	if (got < 0)
		return errno == EFAULT ? 0 : -errno;
	return got;
}

/* Translate an IOVA and cut *@size to what one translation holds. Returns 0 or -ENXIO. */
static int translate(const struct vhu_ring_memory *memory, uint64_t *address, uint64_t *size)
{
	unsigned from = 0, to = memory->translations;

	while (from < to) {
		const unsigned middle = from + (to - from) / 2;
		const struct vhu_ring_translation *translation = &memory->translation[middle];
		const uint64_t at = *address - translation->iova;

		if (*address < translation->iova) {
			to = middle;
		} else if (at >= translation->size) {
			from = middle + 1;
		} else {
			if (*size > translation->size - at)
				*size = translation->size - at;
			*address = translation->user + at;
			return 0;
		}
	}
	return -ENXIO;
}

/* Find where a range begins, and as much of it as lies together. Returns 0, -ENXIO or -EFAULT. */
static int find(const struct vhu_ring_memory *memory, enum vhu_ring_space space, uint64_t address,
		uint64_t size, struct piece *piece)
{
	if (space == VHU_RING_IOVA && translate(memory, &address, &size))
		return -ENXIO;
	for (unsigned i = 0; i < memory->regions; i++) {
		const struct vhu_ring_region *region = &memory->region[i];
		uint64_t at = address - (space == VHU_RING_GUEST ? region->guest : region->user);

		if (at >= region->size)
			continue;
		if (size > region->size - at)
			size = region->size - at;
		*piece = (struct piece){region, at, size};
		return 0;
	}
	return -EFAULT;
}

int vhu_ring_memory_user(const struct vhu_ring_memory *memory, enum vhu_ring_space space,
			 uint64_t *address)
{
	uint64_t size = 1;

	return space == VHU_RING_IOVA ? translate(memory, address, &size) : 0;
}

int vhu_ring_memory_read(const struct vhu_ring_memory *memory, enum vhu_ring_space space,
			 uint64_t address, void *to, size_t size)
{
	uint8_t *next = to;
	struct piece piece;
	ssize_t got;
	int error;

	while (size > 0) {
		error = find(memory, space, address, size, &piece);
		if (error)
			return error;
		got = memory->read(piece.region, piece.at, next, piece.size);
		if (got <= 0)
			return got < 0 ? (int)got : -ENODATA;
		next += got;
		size -= (size_t)got;
		/* An address space does not go on at 0. */
		if (__builtin_add_overflow(address, (uint64_t)got, &address) && size > 0)
			return -EFAULT;
	}
	return 0;
}

int vhu_ring_memory_holds(const struct vhu_ring_memory *memory, enum vhu_ring_space space,
			  uint64_t address, uint64_t size)
{
	/* No range passes a region twice: more steps than this are a walk over tiny pieces. */
	unsigned steps = memory->regions + memory->translations + 1;
	struct piece piece;
	int error;

	for (; size > 0; steps--) {
		error = steps ? find(memory, space, address, size, &piece) : -EFAULT;
		if (error)
			return error;
		size -= piece.size;
		if (__builtin_add_overflow(address, piece.size, &address) && size > 0)
			return -EFAULT;
	}
	return 0;
}
