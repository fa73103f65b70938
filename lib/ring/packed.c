/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Packed Virtqueues": one ring of descriptors that both sides write, with no index in memory.
 *
 * The driver writes each descriptor with the AVAIL bit equal to its wrap counter, and the device
 * writes a used one with AVAIL and USED equal to its own. So in ring order from 0 all descriptors
 * of the current lap have one AVAIL bit and the rest, of the lap before, have the other: where the
 * bit first changes is the driver's next position.
 *
 * The device's position is harder to find. It writes one used descriptor for a whole request and
 * skips as many as the request had; the skipped ones stay as they were and look available. What the
 * memory says of the length of the last used request is its old descriptors, if they are those
 * that follow: a guess. The in-flight area and the driver's event say it better.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "lib/protocol/field.h"
#include "lib/ring/internal.h"

#define AVAIL      (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED       (1u << VRING_PACKED_DESC_F_USED)
/* The wrap counter in a position, and an area of event suppression: position and flags. */
#define WRAP       0x8000u
#define EVENT_SIZE 4
#define FLAGS_AT   2

/* Return a descriptor's flags. */
static unsigned flags_of(const struct vhu_ring_snapshot *snapshot, uint32_t row)
{
	return (unsigned)vhu_ring_row_field(snapshot->descriptor, row, VHU_ROW_PACKED_FLAGS, 2,
					    snapshot->big_endian);
}

/* Return a descriptor's buffer id. */
static unsigned id_of(const struct vhu_ring_snapshot *snapshot, uint32_t row)
{
	return (unsigned)vhu_ring_row_field(snapshot->descriptor, row, VHU_ROW_PACKED_ID, 2,
					    snapshot->big_endian);
}

/* Return the row of a position. */
static uint32_t row_of(uint16_t position)
{
	return position & (WRAP - 1);
}

/* Return where the driver puts its next descriptor. */
static uint16_t next_available(const struct vhu_ring_snapshot *snapshot)
{
	unsigned first = flags_of(snapshot, 0) & AVAIL;

	for (uint32_t row = 1; row < snapshot->size; row++)
		if ((flags_of(snapshot, row) & AVAIL) != first)
			return (uint16_t)(row | (first ? WRAP : 0));
	/* A lap has just been completed, or none was begun. */
	return first ? 0 : WRAP;
}

/* Return whether the device has written a used descriptor at a position, in that lap. */
static bool is_used(const struct vhu_ring_snapshot *snapshot, uint16_t position)
{
	static const uint8_t never[VHU_RING_DESCRIPTOR_SIZE];
	uint32_t row = row_of(position);
	unsigned flags = flags_of(snapshot, row), used = AVAIL | USED;

	if ((flags & used) != (position & WRAP ? used : 0))
		return false;
	/* Rings begin as zeros, which look like used ones of the lap before the first. */
	return position & WRAP ||
	       memcmp(snapshot->descriptor + (size_t)row * VHU_RING_DESCRIPTOR_SIZE, never,
		      sizeof(never));
}

/* Return how many of @most descriptors from a position on make up one request. */
static uint32_t request_length(const struct vhu_ring_snapshot *snapshot, uint16_t from,
			       uint32_t most)
{
	uint32_t length = 0;

	while (length < most) {
		uint32_t row = row_of(vhu_ring_advance(from, length++, snapshot->size));

		if (!(flags_of(snapshot, row) & VRING_DESC_F_NEXT))
			break;
	}
	return length;
}

/* The used descriptors of a stretch of the ring. */
struct used_run {
	uint16_t last;  /* position of the last one */
	uint32_t after; /* descriptors between it and the driver's position */
	/* From the one before to the last, and between any two; 0: there is one only. */
	uint32_t gap, widest_gap;
};

/* Take the device's position from the last used descriptor before the driver's position. */
static void take_used_run(struct vhu_ring_snapshot *snapshot, const struct used_run *run)
{
	uint16_t next = vhu_ring_advance(run->last, 1, snapshot->size);
	uint32_t rest = request_length(snapshot, next, run->after), most, tail;
	bool same_id;

	snapshot->waiting = snapshot->waiting_least = run->after;
	snapshot->known = VHU_RING_KNOWN_EVENT;
	/* Either `rest` descriptors are left over from the request that was used, or they are a
	 * request that waits. One with an indirect table is a request of its own. */
	if (run->after > 0 && !(flags_of(snapshot, row_of(next)) & VRING_DESC_F_INDIRECT)) {
		tail = row_of(vhu_ring_advance(next, rest - 1, snapshot->size));
		same_id = id_of(snapshot, tail) == id_of(snapshot, row_of(run->last));
		snapshot->known = VHU_RING_KNOWN_GUESS;
		/* Out of order, the last one may have had more than the one in its place. */
		most = run->widest_gap > rest + 1 ? run->widest_gap - 1 : rest;
		snapshot->waiting_least -= most < run->after ? most : run->after;
		if ((same_id && run->gap != 1) || run->gap == rest + 1)
			snapshot->waiting -= rest;
	}
	snapshot->used = vhu_ring_advance(next, run->after - snapshot->waiting, snapshot->size);
}

/* Find the last used descriptor from a position on, @ahead descriptors before the driver's, and
 * take the device's position from it. Returns false if none is used. */
static bool used_after(struct vhu_ring_snapshot *snapshot, uint16_t from, uint32_t ahead)
{
	struct used_run run = {0};
	uint32_t last = UINT32_MAX;

	for (uint32_t i = 0; i < ahead; i++) {
		if (!is_used(snapshot, vhu_ring_advance(from, i, snapshot->size)))
			continue;
		if (last != UINT32_MAX)
			run.gap = i - last;
		if (run.gap > run.widest_gap)
			run.widest_gap = run.gap;
		last = i;
	}
	if (last == UINT32_MAX)
		return false;
	run.last = vhu_ring_advance(from, last, snapshot->size);
	run.after = ahead - last - 1;
	take_used_run(snapshot, &run);
	return true;
}

/* Take a position as the device's own, if it is within a lap of the driver's. */
static bool take_used(struct vhu_ring_snapshot *snapshot, uint16_t used, enum vhu_ring_known known)
{
	uint32_t distance = vhu_ring_distance(used, snapshot->available, snapshot->size);

	if (distance > snapshot->size)
		return false;
	snapshot->used = used;
	snapshot->waiting = snapshot->waiting_least = distance;
	snapshot->known = known;
	return true;
}

/* Find the device's position, by what says it best. */
static void find_used(struct vhu_ring_snapshot *snapshot)
{
	const struct vhu_ring_inflight *inflight = &snapshot->inflight;
	uint16_t start, event = snapshot->driver_event;
	uint32_t ahead = vhu_ring_distance(event, snapshot->available, snapshot->size);

	if (inflight->known && !inflight->unsettled) {
		if (take_used(snapshot, inflight->used, VHU_RING_KNOWN_INFLIGHT))
			return;
		snapshot->misplaced = true;
	}
	/* The driver had collected all before its event when it asked for a call there. */
	if (snapshot->event_idx && snapshot->driver_flags == VRING_PACKED_EVENT_FLAG_DESC &&
	    ahead <= snapshot->size) {
		if (!used_after(snapshot, event, ahead))
			take_used(snapshot, event, VHU_RING_KNOWN_EVENT);
		return;
	}
	/* A lap before the driver's position. */
	start = (uint16_t)(snapshot->available ^ WRAP);
	if (used_after(snapshot, start, snapshot->size))
		return;
	/* None was ever used: all that were written wait. */
	start = flags_of(snapshot, snapshot->size - 1) & (AVAIL | USED) ? start : WRAP;
	if (!take_used(snapshot, start, VHU_RING_KNOWN_EVENT))
		take_used(snapshot, snapshot->available, VHU_RING_KNOWN_GUESS);
}

/* Read an area of event suppression. Returns 0 or -errno. */
static int read_event(const struct vhu_ring_place *place, const struct vhu_ring_snapshot *snapshot,
		      uint64_t at, uint16_t *event, uint16_t *flags)
{
	uint8_t area[EVENT_SIZE];
	int error = vhu_ring_memory_read(place->memory, snapshot->ring_space, at, area, EVENT_SIZE);

	if (error)
		return error;
	*flags = (uint16_t)vhu_integer_read(area + FLAGS_AT, 2, snapshot->big_endian);
	*event = 0;
	if (snapshot->event_idx)
		*event = (uint16_t)vhu_integer_read(area, 2, snapshot->big_endian);
	return 0;
}

int vhu_ring_packed_read(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot)
{
	const size_t size = (size_t)place->size * VHU_RING_DESCRIPTOR_SIZE;
	uint8_t again[VHU_RING_DESCRIPTOR_SIZE];
	uint32_t row;
	int error;

	error = vhu_ring_memory_read(place->memory, snapshot->ring_space, place->descriptor,
				     snapshot->descriptor, size);
	error = error
		    ?: read_event(place, snapshot, place->available, &snapshot->driver_event,
				  &snapshot->driver_flags);
	error = error
		    ?: read_event(place, snapshot, place->used, &snapshot->device_event,
				  &snapshot->device_flags);
	if (error)
		return error;
	vhu_ring_inflight_into(place, snapshot);
	snapshot->available = next_available(snapshot);
	find_used(snapshot);
	/* Whatever moves next moves where one of the two stands. */
	snapshot->steady = true;
	for (unsigned i = 0; i < 2 && !error; i++) {
		row = row_of(i ? snapshot->available : snapshot->used);
		error = vhu_ring_memory_read(place->memory, snapshot->ring_space,
					     place->descriptor +
						 (uint64_t)row * VHU_RING_DESCRIPTOR_SIZE,
					     again, sizeof(again));
		if (!error && memcmp(again, snapshot->descriptor + (size_t)row * sizeof(again),
				     sizeof(again)))
			snapshot->steady = false;
	}
	return error;
}

enum vhu_ring_kick vhu_ring_packed_kick(const struct vhu_ring_snapshot *snapshot)
{
	uint32_t to_event;

	if (snapshot->device_flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return VHU_RING_KICK_SUPPRESSED;
	if (snapshot->device_flags != VRING_PACKED_EVENT_FLAG_DESC || !snapshot->event_idx)
		return VHU_RING_KICK_WANTED;
	if (snapshot->device_event == snapshot->available)
		return VHU_RING_KICK_TAKEN;
	to_event = vhu_ring_distance(snapshot->used, snapshot->device_event, snapshot->size);
	return to_event < snapshot->waiting ? VHU_RING_KICK_WANTED : VHU_RING_KICK_STALE;
}

enum vhu_ring_call vhu_ring_packed_call(const struct vhu_ring_snapshot *snapshot)
{
	if (snapshot->driver_flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return VHU_RING_CALL_SUPPRESSED;
	if (snapshot->driver_flags != VRING_PACKED_EVENT_FLAG_DESC || !snapshot->event_idx)
		return VHU_RING_CALL_UNKNOWN;
	if (vhu_ring_distance(snapshot->used, snapshot->driver_event, snapshot->size) <=
	    snapshot->size)
		return VHU_RING_CALL_AHEAD;
	return vhu_ring_distance(snapshot->driver_event, snapshot->used, snapshot->size) <=
		       snapshot->size
		   ? VHU_RING_CALL_PASSED
		   : VHU_RING_CALL_SUPPRESSED;
}

bool vhu_ring_packed_one_at_a_time(const struct vhu_ring_snapshot *snapshot, unsigned requests)
{
	const uint32_t size = snapshot->size, end = row_of(snapshot->available) + size;
	const unsigned id = id_of(snapshot, (end - 1) % size);
	unsigned without_next = 0;

	/* Of a request the first descriptor, which the device has written, and the last one have no
	 * NEXT. */
	for (uint32_t i = 1; i <= size && without_next < 2 * requests; i++) {
		if (id_of(snapshot, (end - i) % size) != id)
			return false;
		without_next += !(flags_of(snapshot, (end - i) % size) & VRING_DESC_F_NEXT);
	}
	return without_next >= 2 * requests;
}
