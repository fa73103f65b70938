/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vring's memory holds at one moment: indexes, flags, event suppression, heads,
 * descriptors. Everything is copied once; later questions are answered from the copy.
 *
 * The order of the reads is used, available, the rest, used again. The device moves the used index
 * after the driver moves the available one, so the distance between them is never negative, and a
 * vring whose used index is equal in both reads was read at rest.
 *
 * Split rings count buffers (heads) and packed rings count descriptors. A position in a packed ring
 * is an index with the wrap counter in bit 15, as SET_VRING_BASE writes it. A packed ring's memory
 * holds the driver's position exactly; the device's position is known from the in-flight area or
 * from the driver's event, and is otherwise guessed from the used descriptors.
 */
#ifndef VHU_RING_SNAPSHOT_H
#define VHU_RING_SNAPSHOT_H

#include "lib/ring/inflight.h"
#include "lib/ring/memory.h"

/* "Virtqueue Size" of the virtio specification. */
#define VHU_RING_SIZE_MAX 32768

/* Of a descriptor, in both formats. */
#define VHU_RING_DESCRIPTOR_SIZE 16

/* Where a vring is, as the session says. */
struct vhu_ring_place {
	const struct vhu_ring_memory *memory;
	uint64_t features;                    /* virtio features negotiated */
	uint32_t size;                        /* SET_VRING_NUM */
	uint64_t descriptor, available, used; /* SET_VRING_ADDR */
	bool big_endian; /* a legacy ring of a big endian guest; VERSION_1 makes it irrelevant */
	struct vhu_ring_inflight_place inflight;
};

/* How the device's position in a ring is known. */
enum vhu_ring_known {
	VHU_RING_KNOWN_INDEX,    /* split: the used index */
	VHU_RING_KNOWN_INFLIGHT, /* packed: the in-flight area says it */
	VHU_RING_KNOWN_EVENT, /* packed: the driver waits there, or saw descriptors used up to it */
	VHU_RING_KNOWN_GUESS, /* packed: from used descriptors; `waiting_least` may be lower */
};

struct vhu_ring_snapshot {
	bool packed, event_idx; /* features 34 and 29 */
	bool steady;            /* the used index, or all flags, were equal before and after */
	uint32_t size;
	uint16_t available, used; /* indexes (split), positions (packed) */
	uint32_t waiting;         /* made available and not used */
	uint32_t waiting_least;   /* the same, if the guess of `used` is wrong; else equal */
	enum vhu_ring_known known;
	bool misplaced; /* packed: the in-flight area has the device ahead of the driver */

	/* What each side asked of the other. Split: VRING_AVAIL_F_NO_INTERRUPT and used_event,
	 * VRING_USED_F_NO_NOTIFY and avail_event. Packed: the flags and the position of the event
	 * suppression areas. The events are 0 where event_idx is not negotiated. */
	uint16_t driver_flags, driver_event;
	uint16_t device_flags, device_event;

	/* The in-flight area; inflight_error: 0, or why it was not read; -ENOENT without an area.
	 */
	struct vhu_ring_inflight inflight;
	int inflight_error;

	uint8_t *descriptor; /* a copy of the table, `size` rows of 16 bytes; owned */
	uint16_t *head;      /* split: a copy of the available ring, `size` entries; owned */
	bool big_endian;     /* of multi-byte fields in `descriptor` */
	enum vhu_ring_space ring_space,
	    buffer_space; /* of the vring's own and its buffers' addresses
			   */
};

/*
 * Read a vring.
 * Returns 0; @snapshot is then to be freed. -EINVAL: no ring has such a size; -ENOMEM; an error of
 * vhu_ring_memory_read. After an error there is nothing to free.
 */
int vhu_ring_snapshot_read(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot);

void vhu_ring_snapshot_free(struct vhu_ring_snapshot *snapshot);

/* Return whether nothing in the vring changed from one snapshot to the other: indexes, flags,
 * events, requests in flight, and the descriptors of a packed ring, whose positions soon recur. */
bool vhu_ring_snapshot_same(const struct vhu_ring_snapshot *one,
			    const struct vhu_ring_snapshot *other);

/* How far the device asked to be kicked for what waits. */
enum vhu_ring_kick {
	VHU_RING_KICK_WANTED,     /* for a buffer that waits, or for each one */
	VHU_RING_KICK_SUPPRESSED, /* by a flag */
	VHU_RING_KICK_STALE,      /* for a position that the driver passed before, or not soon */
	VHU_RING_KICK_TAKEN, /* for what follows all that is available: the device took it all */
};

/* Return how far the device asked to be kicked. Something waits in the vring. If the driver added
 * several buffers at once, WANTED may be said of a kick that was not due. */
enum vhu_ring_kick vhu_ring_kick(const struct vhu_ring_snapshot *snapshot);

/* How far the driver asked to be called for what is used. */
enum vhu_ring_call {
	VHU_RING_CALL_UNKNOWN,    /* for each used buffer: memory does not say what it has seen */
	VHU_RING_CALL_SUPPRESSED, /* by a flag */
	VHU_RING_CALL_AHEAD,      /* for what follows all that is used */
	VHU_RING_CALL_PASSED,     /* for a buffer that is used */
};

/* Return how far the driver asked to be called. */
enum vhu_ring_call vhu_ring_call(const struct vhu_ring_snapshot *snapshot);

/*
 * Return whether the driver gave each of the last @requests requests the same head (split) or
 * buffer id (packed). It gives one again only when it has seen the request before completed: so
 * these requests were under way one at a time. Nothing waits in the vring.
 */
bool vhu_ring_one_at_a_time(const struct vhu_ring_snapshot *snapshot, unsigned requests);

/* Return the distance from one position of a packed ring of @size to a later one; more than @size
 * if the later one is invalid. */
uint32_t vhu_ring_distance(uint16_t from, uint16_t to, uint32_t size);

/* Return the position @by descriptors after another one, at most a lap. */
uint16_t vhu_ring_advance(uint16_t from, uint32_t by, uint32_t size);

/* Return the field of @size bytes at @at in row @row of a copied table of descriptors. */
uint64_t vhu_ring_row_field(const uint8_t *table, uint32_t row, unsigned at, unsigned size,
			    bool big_endian);

#endif
