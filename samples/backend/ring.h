/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vring as the device sees it: what the front-end told of it, and where it stands.
 *
 *	stopped --- vhu_ring_start --> started --- vhu_ring_break --> broken
 *	   ^                              |                              |
 *	   +------- vhu_ring_stop --------+------------------------------+
 *
 * Only a ring that is started, enabled and not broken is worked on. The guest may write anything
 * into a ring at any time: whatever is read from it is read once and checked then.
 *
 * The two formats, "Split Virtqueues" and "Packed Virtqueues" of the virtio specification, are
 * behind struct vhu_ring_format.
 */
#ifndef VHU_SAMPLES_BACKEND_RING_H
#define VHU_SAMPLES_BACKEND_RING_H

#include <linux/virtio_ring.h>

#include "samples/backend/chain.h"

/* "Virtqueue Size" of the virtio specification. */
#define VHU_RING_SIZE_MAX 32768

/* A request that the device has executed and that waits to be given back. */
struct vhu_done {
	uint64_t due;         /* when */
	uint32_t written;     /* bytes that the device wrote */
	uint16_t id;          /* as in its chain */
	uint16_t descriptors; /* ditto */
	uint16_t entry;       /* ditto */
};

/* A request that was taken by a predecessor that died. */
struct vhu_resubmit {
	uint16_t entry; /* its head (split) or its entry in the in-flight area (packed) */
	uint16_t descriptors;
};

struct vhu_ring {
	unsigned index;
	const struct vhu_memory *memory;
	const struct vhu_log *log;

	/* What the front-end told. Its own addresses; descriptors of this process or -1. */
	uint32_t num;
	uint64_t desc_user, avail_user, used_user;
	bool has_addresses;
	bool polled; /* no kick will come, look by yourself */
	bool enabled;
	int kick, call, err;

	bool started, broken;
	/* Positions; they outlive a stop. Wrap counters are those of packed rings. */
	uint16_t avail_index, used_index;
	bool avail_wrap, used_wrap;

	/* While it is started. */
	const struct vhu_ring_format *format;
	bool event_idx, indirect; /* negotiated */
	union {
		struct {
			const struct vring_desc *desc;
			const struct vring_avail *avail;
			struct vring_used *used;
		} split;
		struct {
			struct vring_packed_desc *desc;
			const struct vring_packed_desc_event *driver;
			struct vring_packed_desc_event *device;
		} packed;
	};
	uint32_t taken;       /* descriptors (packed) or chains (split) not given back yet */
	uint32_t unannounced; /* given back since it was last decided whether to call */
	bool owes_call;       /* call at the next occasion, wanted or not */
	uint64_t call_due;    /* when a call that was put off comes, or VHU_CLOCK_NEVER */
	bool again;           /* there was more to do than one turn allows */

	struct vhu_done *done; /* executed and not given back */
	uint32_t done_count;

	struct vhu_resubmit *resubmit;   /* oldest first */
	uint32_t resubmits, resubmitted; /* how many, and how many of them are taken again */
	void *inflight;                  /* its part of the in-flight area, or NULL */
	uint64_t counter;                /* of what was taken, for the in-flight area */
};

/* What the formats do differently; the ring is started. */
struct vhu_ring_format {
	/* Find its areas in memory. Returns 0; -EINVAL: badly aligned; -EFAULT: not in memory. */
	int (*map)(struct vhu_ring *ring);
	/* Find out where it stands: from its memory, and from what a predecessor left. */
	void (*begin)(struct vhu_ring *ring);
	/* Take the next request. Returns 1: it is in @chain; 0: there is none; -errno: the ring
	 * says something impossible. */
	int (*pop)(struct vhu_ring *ring, struct vhu_chain *chain);
	/* Give a request back. */
	void (*push)(struct vhu_ring *ring, const struct vhu_done *done);
	/* Ask to be kicked for the next request. Returns whether one has come meanwhile. */
	bool (*arm)(struct vhu_ring *ring);
	/* Return whether the driver wants a call for the last `unannounced` given back. */
	bool (*wants_call)(const struct vhu_ring *ring);
};

extern const struct vhu_ring_format vhu_ring_split, vhu_ring_packed;

/* Make a ring as it is at the beginning of a session. */
void vhu_ring_open(struct vhu_ring *ring, unsigned index, const struct vhu_memory *memory,
		   const struct vhu_log *log);

/* Stop a ring and close its descriptors. */
void vhu_ring_close(struct vhu_ring *ring);

/* Return what keeps a ring of this size and these addresses from starting, NULL for nothing. */
const char *vhu_ring_lacks(const struct vhu_ring *ring, bool packed);

/*
 * Start a ring.
 * @features: the virtio features negotiated. @inflight: its part of the in-flight area or NULL.
 * Returns 0 or -errno; a ring that is started stays so.
 */
int vhu_ring_start(struct vhu_ring *ring, uint64_t features, void *inflight);

/* Look up the areas of a started ring anew, since memory or its addresses have changed.
 * Returns 0 or -errno. */
int vhu_ring_remap(struct vhu_ring *ring);

/* Stop a ring; its positions stay. Nothing must wait to be given back. */
void vhu_ring_stop(struct vhu_ring *ring);

/* Return whether requests of a ring may be worked on. */
bool vhu_ring_runs(const struct vhu_ring *ring);

/* Note that the ring's memory at @at was written. */
void vhu_ring_wrote(const struct vhu_ring *ring, const void *at, size_t size);

/*
 * Find an indirect table ("Indirect Descriptors" in both parts of the virtio specification).
 * Returns it, aligned to nothing, and how many *@rows of 16 bytes it has, at least one; NULL where
 * it may not be, is not in memory, or is of no sensible size.
 */
const void *vhu_ring_table(const struct vhu_ring *ring, uint64_t guest, uint32_t size,
			   uint32_t *rows);

#endif
