/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Split Virtqueues": a table of descriptors, a ring of heads that the driver makes available, a
 * ring of those that the device has used.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>

#include "lib/protocol/field.h"
#include "lib/ring/internal.h"

/* Both rings begin with flags and an index; heads have 2 bytes, used elements 8, events 2. */
#define HEAD_SIZE    4
#define INDEX_AT     2
#define ELEMENT_SIZE 8
#define EVENT_SIZE   2

/* Read the used ring's flags and index. Returns 0 or -errno. */
static int read_used(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot,
		     uint16_t *index)
{
	uint8_t head[HEAD_SIZE];
	int error =
	    vhu_ring_memory_read(place->memory, snapshot->ring_space, place->used, head, HEAD_SIZE);

	if (error)
		return error;
	snapshot->device_flags = (uint16_t)vhu_integer_read(head, 2, snapshot->big_endian);
	*index = (uint16_t)vhu_integer_read(head + INDEX_AT, 2, snapshot->big_endian);
	return 0;
}

/* Read the available ring: flags, index, heads and the driver's event. Returns 0 or -errno. */
static int read_available(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot)
{
	const size_t heads = place->size * sizeof(uint16_t);
	const size_t size = HEAD_SIZE + heads + (snapshot->event_idx ? EVENT_SIZE : 0);
	const bool big = snapshot->big_endian;
	uint8_t *copy = malloc(size);
	int error;

	if (!copy)
		return -ENOMEM;
	error =
	    vhu_ring_memory_read(place->memory, snapshot->ring_space, place->available, copy, size);
	if (!error) {
		snapshot->driver_flags = (uint16_t)vhu_integer_read(copy, 2, big);
		snapshot->available = (uint16_t)vhu_integer_read(copy + INDEX_AT, 2, big);
		for (uint32_t i = 0; i < place->size; i++)
			snapshot->head[i] =
			    (uint16_t)vhu_integer_read(copy + HEAD_SIZE + 2 * (size_t)i, 2, big);
		if (snapshot->event_idx)
			snapshot->driver_event =
			    (uint16_t)vhu_integer_read(copy + HEAD_SIZE + heads, 2, big);
	}
	free(copy);
	return error;
}

/* Read the device's event, which follows the used elements. Returns 0 or -errno. */
static int read_device_event(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot)
{
	uint64_t at = place->used + HEAD_SIZE + (uint64_t)place->size * ELEMENT_SIZE;
	uint8_t event[EVENT_SIZE];
	int error;

	if (!snapshot->event_idx)
		return 0;
	error = vhu_ring_memory_read(place->memory, snapshot->ring_space, at, event, sizeof(event));
	if (!error)
		snapshot->device_event = (uint16_t)vhu_integer_read(event, 2, snapshot->big_endian);
	return error;
}

int vhu_ring_split_read(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot)
{
	uint16_t again;
	int error = read_used(place, snapshot, &snapshot->used);

	error = error ?: read_available(place, snapshot);
	error = error ?: read_device_event(place, snapshot);
	error = error
		    ?: vhu_ring_memory_read(place->memory, snapshot->ring_space, place->descriptor,
					    snapshot->descriptor,
					    (size_t)place->size * VHU_RING_DESCRIPTOR_SIZE);
	if (error)
		return error;
	vhu_ring_inflight_into(place, snapshot);
	error = read_used(place, snapshot, &again);
	if (error)
		return error;
	snapshot->steady = again == snapshot->used;
	snapshot->waiting = (uint16_t)(snapshot->available - snapshot->used);
	snapshot->waiting_least = snapshot->waiting;
	snapshot->known = VHU_RING_KNOWN_INDEX;
	return 0;
}

enum vhu_ring_kick vhu_ring_split_kick(const struct vhu_ring_snapshot *snapshot)
{
	if (!snapshot->event_idx)
		return snapshot->device_flags & VRING_USED_F_NO_NOTIFY ? VHU_RING_KICK_SUPPRESSED
								       : VHU_RING_KICK_WANTED;
	if (snapshot->device_event == snapshot->available)
		return VHU_RING_KICK_TAKEN;
	/* Where the driver stood before is not in memory; no buffer before `used` waits. */
	return vring_need_event(snapshot->device_event, snapshot->available, snapshot->used)
		   ? VHU_RING_KICK_WANTED
		   : VHU_RING_KICK_STALE;
}

enum vhu_ring_call vhu_ring_split_call(const struct vhu_ring_snapshot *snapshot)
{
	uint16_t behind = (uint16_t)(snapshot->used - snapshot->driver_event);

	if (!snapshot->event_idx)
		return snapshot->driver_flags & VRING_AVAIL_F_NO_INTERRUPT
			   ? VHU_RING_CALL_SUPPRESSED
			   : VHU_RING_CALL_UNKNOWN;
	/* A driver asks for a call within the next lap; anything else is old. */
	if (behind == 0 || behind >= (uint16_t)-snapshot->size)
		return VHU_RING_CALL_AHEAD;
	return behind <= snapshot->size ? VHU_RING_CALL_PASSED : VHU_RING_CALL_SUPPRESSED;
}

bool vhu_ring_split_one_at_a_time(const struct vhu_ring_snapshot *snapshot, unsigned requests)
{
	const uint16_t *head = snapshot->head;
	uint16_t last = (uint16_t)(snapshot->available - 1);

	for (unsigned i = 1; i < requests; i++)
		if (head[(uint16_t)(last - i) % snapshot->size] != head[last % snapshot->size])
			return false;
	return requests <= snapshot->size;
}
