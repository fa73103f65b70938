/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-flight area: the whole of it, and what both formats of regions share. */
#include "samples/backend/inflight/inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Regions begin at multiples of this, so that two rings never share a line of the cache. */
#define REGION_ALIGN     64
/*
 * Make room for so many descriptors at least. QEMU 10 asks for an area for vrings of its property
 * queue-size, 128 by default, and lets its guest make them of 1024 descriptors.
 */
#define ROWS_LEAST       1024
/* Both formats have a head and a row for each descriptor; see split.c and packed.c. */
#define SPLIT_SIZE(num)  (16 + 16 * (uint64_t)(num))
#define PACKED_SIZE(num) (32 + 32 * (uint64_t)(num))

/* Return how many bytes a vring's region has to have. */
static uint64_t region_size(uint32_t num, bool packed)
{
	return packed ? PACKED_SIZE(num) : SPLIT_SIZE(num);
}

uint64_t vhu_inflight_size(uint16_t queues, uint16_t queue_size, bool packed)
{
	/* A front-end may ask for less than it needs; see ROWS_LEAST. */
	uint64_t size = region_size(queue_size < ROWS_LEAST ? ROWS_LEAST : queue_size, packed);

	return queues * ((size + REGION_ALIGN - 1) / REGION_ALIGN * REGION_ALIGN);
}

int vhu_inflight_create(uint64_t size)
{
	int fd = memfd_create("vhost-user-inflight", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size)) {
		close(fd);
		return -errno;
	}
	return fd;
}

int vhu_inflight_set(struct vhu_inflight *inflight, int fd, const struct vhu_inflight_told *told)
{
	struct vhu_inflight next = {.queues = told->queues};
	int error;

	if (told->offset % sizeof(uint64_t) || told->queues == 0)
		return -EINVAL;
	/* By its size, not by the size of queues that goes with it: see ROWS_LEAST. */
	next.stride = told->size / told->queues / REGION_ALIGN * REGION_ALIGN;
	error = vhu_memory_map(fd, told->offset, told->size, &next.map, &next.map_size);
	if (error)
		return error;
	next.area = (uint8_t *)next.map + told->offset;
	vhu_inflight_clear(inflight);
	*inflight = next;
	return 0;
}

void vhu_inflight_clear(struct vhu_inflight *inflight)
{
	if (inflight->map)
		munmap(inflight->map, inflight->map_size);
	*inflight = (struct vhu_inflight){0};
}

void *vhu_inflight_region(const struct vhu_inflight *inflight, const struct vhu_device_vring *ring,
			  bool packed)
{
	if (!inflight->map || ring->index >= inflight->queues ||
	    inflight->stride < region_size(ring->num, packed))
		return NULL;
	return inflight->area + ring->index * inflight->stride;
}

/* Compare two requests by the order the back-end took them, for qsort. */
static int compare(const void *a, const void *b)
{
	const struct vhu_inflight_left *one = a, *other = b;

	return (one->counter > other->counter) - (one->counter < other->counter);
}

void vhu_inflight_resubmit(struct vhu_device_vring *ring, struct vhu_inflight_left *left,
			   uint32_t count)
{
	if (count > 0)
		qsort(left, count, sizeof(*left), compare);
	for (uint32_t i = 0; i < count; i++)
		ring->resubmit[i] = left[i].what;
	ring->resubmits = count;
	ring->counter = count > 0 ? left[count - 1].counter + 1 : 0;
}
