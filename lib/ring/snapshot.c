/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a vring's memory holds at one moment: what both formats share. */
#include "lib/ring/snapshot.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/field.h"
#include "lib/protocol/protocol.h"
#include "lib/ring/internal.h"

/* In a position of a packed ring. */
#define INDEX 0x7fffu
#define WRAP  0x8000u

/* Return whether a feature is negotiated. */
static bool has(const struct vhu_ring_place *place, unsigned bit)
{
	return place->features >> bit & 1;
}

void vhu_ring_inflight_into(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot)
{
	snapshot->inflight_error = -ENOENT;
	if (place->inflight.memory)
		snapshot->inflight_error = vhu_ring_inflight_read(
		    &place->inflight, snapshot->packed, place->size, &snapshot->inflight);
}

int vhu_ring_snapshot_read(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot)
{
	bool packed = has(place, VHU_F_RING_PACKED), iommu = has(place, VHU_F_ACCESS_PLATFORM);
	int error;

	*snapshot = (struct vhu_ring_snapshot){
	    .packed = packed,
	    .event_idx = has(place, VIRTIO_RING_F_EVENT_IDX),
	    .size = place->size,
	    .big_endian = place->big_endian && !has(place, VIRTIO_F_VERSION_1),
	    .ring_space = iommu ? VHU_RING_IOVA : VHU_RING_USER,
	    .buffer_space = iommu ? VHU_RING_IOVA : VHU_RING_GUEST,
	};
	if (place->size == 0 || place->size > VHU_RING_SIZE_MAX ||
	    (!packed && place->size & (place->size - 1)))
		return -EINVAL;
	snapshot->descriptor = malloc((size_t)place->size * VHU_RING_DESCRIPTOR_SIZE);
	snapshot->head = packed ? NULL : malloc(place->size * sizeof(*snapshot->head));
	error = snapshot->descriptor && (packed || snapshot->head) ? 0 : -ENOMEM;
	error = error ?: (packed ? vhu_ring_packed_read : vhu_ring_split_read)(place, snapshot);
	if (error)
		vhu_ring_snapshot_free(snapshot);
	return error;
}

void vhu_ring_snapshot_free(struct vhu_ring_snapshot *snapshot)
{
	vhu_ring_inflight_free(&snapshot->inflight);
	free(snapshot->descriptor);
	free(snapshot->head);
	*snapshot = (struct vhu_ring_snapshot){0};
}

bool vhu_ring_snapshot_same(const struct vhu_ring_snapshot *one,
			    const struct vhu_ring_snapshot *other)
{
	const struct vhu_ring_inflight *a = &one->inflight, *b = &other->inflight;

	if (one->packed != other->packed || one->size != other->size ||
	    one->available != other->available || one->used != other->used ||
	    one->waiting != other->waiting || one->driver_flags != other->driver_flags ||
	    one->driver_event != other->driver_event || one->device_flags != other->device_flags ||
	    one->device_event != other->device_event || !one->steady || !other->steady)
		return false;
	if (one->packed && memcmp(one->descriptor, other->descriptor,
				  (size_t)one->size * VHU_RING_DESCRIPTOR_SIZE) != 0)
		return false;
	if (a->count != b->count || a->used != b->used)
		return false;
	return a->count == 0 || !memcmp(a->taken, b->taken, a->count * sizeof(*a->taken));
}

enum vhu_ring_kick vhu_ring_kick(const struct vhu_ring_snapshot *snapshot)
{
	return (snapshot->packed ? vhu_ring_packed_kick : vhu_ring_split_kick)(snapshot);
}

enum vhu_ring_call vhu_ring_call(const struct vhu_ring_snapshot *snapshot)
{
	return (snapshot->packed ? vhu_ring_packed_call : vhu_ring_split_call)(snapshot);
}

bool vhu_ring_one_at_a_time(const struct vhu_ring_snapshot *snapshot, unsigned requests)
{
	return (snapshot->packed ? vhu_ring_packed_one_at_a_time
				 : vhu_ring_split_one_at_a_time)(snapshot, requests);
}

uint32_t vhu_ring_distance(uint16_t from, uint16_t to, uint32_t size)
{
	uint32_t first = from & INDEX, last = to & INDEX;

	if (first >= size || last >= size)
		return UINT32_MAX;
	if ((from & WRAP) != (to & WRAP))
		last += size;
	return last >= first ? last - first : UINT32_MAX;
}

uint16_t vhu_ring_advance(uint16_t from, uint32_t by, uint32_t size)
{
	uint32_t index = (from & INDEX) + by, wrap = from & WRAP;

	if (index >= size) {
		index -= size;
		wrap ^= WRAP;
	}
	return (uint16_t)(index | wrap);
}

uint64_t vhu_ring_row_field(const uint8_t *table, uint32_t row, unsigned at, unsigned size,
			    bool big_endian)
{
	return vhu_integer_read(table + (size_t)row * VHU_RING_DESCRIPTOR_SIZE + at, size,
				big_endian);
}
