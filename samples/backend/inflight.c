/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-flight area: the whole of it, and what both formats of regions share. */
#include "samples/backend/inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Regions begin at multiples of this, so that two rings never share a line of the cache. */
#define REGION_ALIGN     64
/* Both formats have a head and a row for each descriptor; see inflight_split.c, _packed.c. */
#define SPLIT_SIZE(num)  (16 + 16 * (uint64_t)(num))
#define PACKED_SIZE(num) (32 + 32 * (uint64_t)(num))

/* Return the distance between two regions. */
static uint64_t stride(uint16_t queue_size, bool packed)
{
	uint64_t size = packed ? PACKED_SIZE(queue_size) : SPLIT_SIZE(queue_size);

	return (size + REGION_ALIGN - 1) / REGION_ALIGN * REGION_ALIGN;
}

uint64_t vhu_inflight_size(uint16_t queues, uint16_t queue_size, bool packed)
{
	return queues * stride(queue_size, packed);
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

int vhu_inflight_set(struct vhu_inflight *inflight, int fd, const struct vhu_inflight_told *told,
		     bool packed)
{
	struct vhu_inflight next = {
	    .queues = told->queues,
	    .queue_size = told->queue_size,
	    .packed = packed,
	};
	int error;

	if (told->offset % sizeof(uint64_t) || told->queues == 0 || told->queue_size == 0 ||
	    told->size < vhu_inflight_size(told->queues, told->queue_size, packed))
		return -EINVAL;
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

void *vhu_inflight_region(const struct vhu_inflight *inflight, const struct vhu_ring *ring,
			  bool packed)
{
	if (!inflight->map || inflight->packed != packed || ring->index >= inflight->queues ||
	    ring->num > inflight->queue_size)
		return NULL;
	return inflight->area + ring->index * stride(inflight->queue_size, packed);
}

/* Compare the order in which two requests were taken, as qsort wants it. */
static int compare(const void *a, const void *b)
{
	const struct vhu_inflight_left *one = a, *other = b;

	return (one->counter > other->counter) - (one->counter < other->counter);
}

void vhu_inflight_resubmit(struct vhu_ring *ring, struct vhu_inflight_left *left, uint32_t count)
{
	if (count > 0)
		qsort(left, count, sizeof(*left), compare);
	for (uint32_t i = 0; i < count; i++)
		ring->resubmit[i] = left[i].what;
	ring->resubmits = count;
	ring->counter = count > 0 ? left[count - 1].counter + 1 : 0;
}
