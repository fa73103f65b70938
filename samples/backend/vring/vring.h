/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vring as the device sees it: what the front-end told of it, and where it stands.
 *
 *	stopped --- vhu_device_vring_start --> started --- vhu_work_give_up --> broken
 *	   ^                                      |                               |
 *	   +------- vhu_device_vring_stop --------+-------------------------------+
 *
 * Only a ring that is started, enabled and not broken is worked on. The guest may write anything
 * into a ring at any time: whatever is read from it is read once and checked then.
 *
 * The two formats, "Split Virtqueues" and "Packed Virtqueues" of the virtio specification, are
 * behind struct vhu_device_vring_format.
 */
#ifndef VHU_SAMPLES_BACKEND_VRING_VRING_H
#define VHU_SAMPLES_BACKEND_VRING_VRING_H

#include <linux/virtio_ring.h>

#include "samples/backend/vring/chain.h"

/* "Virtqueue Size" of the virtio specification. */
#define VHU_VRING_SIZE_MAX 32768

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

struct vhu_device_vring {
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
	const struct vhu_device_vring_format *format;
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
struct vhu_device_vring_format {
	/* Find its areas in memory. Returns 0; -EINVAL: badly aligned; -EFAULT: not in memory. */
	int (*map)(struct vhu_device_vring *ring);
	/* Find out where it stands: from its memory, and from what a predecessor left. */
	void (*begin)(struct vhu_device_vring *ring);
	/* Take the next request. Returns 1 with the request in @chain; 0 without a request; -errno
	 * if the ring holds something impossible. */
	int (*pop)(struct vhu_device_vring *ring, struct vhu_chain *chain);
	/* Give a request back. */
	void (*push)(struct vhu_device_vring *ring, const struct vhu_done *done);
	/* Ask to be kicked for the next request. Returns whether one has come meanwhile. */
	bool (*arm)(struct vhu_device_vring *ring);
	/* Return whether the driver wants a call for the last `unannounced` given back. */
	bool (*wants_call)(const struct vhu_device_vring *ring);
};

extern const struct vhu_device_vring_format vhu_device_vring_split, vhu_device_vring_packed;

/* Make a ring as it is at the beginning of a session. */
void vhu_device_vring_open(struct vhu_device_vring *ring, unsigned index,
			   const struct vhu_memory *memory, const struct vhu_log *log);

/* Stop a ring and close its descriptors. */
void vhu_device_vring_close(struct vhu_device_vring *ring);

/* Return what keeps a ring of this size and these addresses from starting, NULL for nothing. */
const char *vhu_device_vring_lacks(const struct vhu_device_vring *ring, bool packed);

/*
 * Start a ring.
 * @format: split or packed, as in VIRTIO_F_RING_PACKED. @features: the virtio features
 * negotiated. @inflight: its part of the in-flight area or NULL.
 * Returns 0 or -errno; a ring that is started stays so.
 */
int vhu_device_vring_start(struct vhu_device_vring *ring,
			   const struct vhu_device_vring_format *format, uint64_t features,
			   void *inflight);

/* Look up the areas of a started ring again, after memory or its addresses have changed.
 * Returns 0 or -errno. */
int vhu_device_vring_remap(struct vhu_device_vring *ring);

/* Stop a ring; its positions stay. Nothing must wait to be given back. */
void vhu_device_vring_stop(struct vhu_device_vring *ring);

/* Return whether requests of a ring may be worked on. */
bool vhu_device_vring_runs(const struct vhu_device_vring *ring);

/* Note that the ring's memory at @at was written. */
void vhu_device_vring_wrote(const struct vhu_device_vring *ring, const void *at, size_t size);

/*
 * Find an indirect table ("Indirect Descriptors" in both parts of the virtio specification).
 * Returns it, aligned to nothing, and how many *@rows of 16 bytes it has, at least one; NULL where
 * it may not be, is not in memory, or is of no sensible size.
 */
const void *vhu_device_vring_table(const struct vhu_device_vring *ring, uint64_t guest,
				   uint32_t size, uint32_t *rows);

#endif
