/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vring as the device sees it: what both formats share. */
#include "samples/backend/vring/vring.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <unistd.h>

#include "samples/common/clock.h"

void vhu_device_vring_open(struct vhu_device_vring *ring, unsigned index,
			   const struct vhu_memory *memory, const struct vhu_log *log)
{
	*ring = (struct vhu_device_vring){
	    .index = index,
	    .memory = memory,
	    .log = log,
	    .kick = -1,
	    .call = -1,
	    .err = -1,
	    .avail_wrap = true,
	    .used_wrap = true,
	    .call_due = VHU_CLOCK_NEVER,
	};
}

void vhu_device_vring_close(struct vhu_device_vring *ring)
{
	vhu_device_vring_stop(ring);
	if (ring->kick >= 0)
		close(ring->kick);
	if (ring->call >= 0)
		close(ring->call);
	if (ring->err >= 0)
		close(ring->err);
	ring->kick = ring->call = ring->err = -1;
}

const char *vhu_device_vring_lacks(const struct vhu_device_vring *ring, bool packed)
{
	if (ring->num == 0)
		return "the vring has no size yet";
	if (!packed && (ring->num & (ring->num - 1)))
		return "the size of a split vring is a power of two";
	if (!ring->has_addresses)
		return "the vring has no addresses yet";
	if (packed && (ring->avail_index >= ring->num || ring->used_index >= ring->num))
		return "the base of a packed vring lies within it";
	return NULL;
}

int vhu_device_vring_start(struct vhu_device_vring *ring,
			   const struct vhu_device_vring_format *format, uint64_t features,
			   void *inflight)
{
	int error;

	if (ring->started)
		return 0;
	ring->event_idx = features >> VIRTIO_RING_F_EVENT_IDX & 1;
	ring->indirect = features >> VIRTIO_RING_F_INDIRECT_DESC & 1;
	ring->format = format;
	error = ring->format->map(ring);
	if (error)
		return error;
	ring->done = calloc(ring->num, sizeof(*ring->done));
	ring->resubmit = calloc(ring->num, sizeof(*ring->resubmit));
	if (!ring->done || !ring->resubmit) {
		vhu_device_vring_stop(ring);
		return -ENOMEM;
	}
	ring->inflight = inflight;
	ring->format->begin(ring);
	ring->started = true;
	/* A predecessor may have given requests back without living to call. */
	ring->owes_call = ring->used_index != 0 || !ring->used_wrap;
	return 0;
}

int vhu_device_vring_remap(struct vhu_device_vring *ring)
{
	return ring->started ? ring->format->map(ring) : 0;
}

void vhu_device_vring_stop(struct vhu_device_vring *ring)
{
	free(ring->done);
	free(ring->resubmit);
	ring->done = NULL;
	ring->resubmit = NULL;
	ring->inflight = NULL;
	ring->done_count = 0;
	ring->resubmits = ring->resubmitted = 0;
	ring->taken = ring->unannounced = 0;
	ring->call_due = VHU_CLOCK_NEVER;
	ring->started = ring->broken = ring->polled = ring->again = ring->owes_call = false;
}

bool vhu_device_vring_runs(const struct vhu_device_vring *ring)
{
	return ring->started && ring->enabled && !ring->broken;
}

void vhu_device_vring_wrote(const struct vhu_device_vring *ring, const void *at, size_t size)
{
	vhu_log_written(ring->log, ring->memory, at, size);
}

const void *vhu_device_vring_table(const struct vhu_device_vring *ring, uint64_t guest,
				   uint32_t size, uint32_t *rows)
{
	uint64_t there = size;
	const void *table = vhu_memory_at_buffer(ring->memory, guest, &there);

	*rows = size / sizeof(struct vring_desc);
	if (!ring->indirect || size == 0 || size % sizeof(struct vring_desc) || there < size)
		return NULL;
	return *rows <= VHU_CHAIN_PARTS_MAX ? table : NULL;
}
