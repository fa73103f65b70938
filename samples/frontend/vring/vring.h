/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vring as the driver sees it: requests are made available, used ones are collected.
 *
 * Each request has a slot, a number from 0 on, and at most VHU_VRING_PARTS buffers; slots and the
 * ring's size are such that there is always room. The back-end may write anything into the ring:
 * what it gives back is checked.
 */
#ifndef VHU_SAMPLES_FRONTEND_VRING_VRING_H
#define VHU_SAMPLES_FRONTEND_VRING_VRING_H

#include <linux/virtio_ring.h>
#include <stdbool.h>

#include "samples/frontend/vring/arena.h"

#define VHU_VRING_PARTS 3

/* One buffer of a request. */
struct vhu_part {
	void *at; /* in the arena */
	uint32_t size;
	bool writable; /* by the device */
};

struct vhu_driver_vring {
	const struct vhu_driver_vring_format *format;
	const struct vhu_arena *arena;
	uint32_t num, slots;
	bool event_idx, indirect;
	uint16_t avail_index, used_index; /* next ones */
	bool avail_wrap, used_wrap;       /* packed */
	uint32_t unkicked; /* made available since it was last decided whether to kick */
	bool *busy;        /* by slot: made available, not collected */
	uint16_t *taken;   /* by slot: descriptors that it takes (packed) */
	union {
		struct {
			struct vring_desc *desc;
			struct vring_avail *avail;
			struct vring_used *used;
		} split;
		struct {
			struct vring_packed_desc *desc;
			struct vring_packed_desc_event *driver, *device;
		} packed;
	};
	void *table; /* of rows of 16 bytes, VHU_VRING_PARTS a slot, for indirect descriptors */
};

/* A request that came back. */
struct vhu_used {
	uint32_t slot;
	uint32_t written;
};

struct vhu_driver_vring_format {
	/* Take the ring's areas from the arena. Returns 0 or -ENOMEM. */
	int (*lay_out)(struct vhu_driver_vring *vring, struct vhu_arena *arena);
	/* Make a request available. */
	void (*offer)(struct vhu_driver_vring *vring, uint32_t slot, const struct vhu_part *part,
		      unsigned parts);
	/* Return whether the device wants to be kicked for the last `unkicked`. */
	bool (*wants_kick)(const struct vhu_driver_vring *vring);
	/* Collect a used request. Returns 1; 0 without one; -EPROTO if no such request is out. */
	int (*collect)(struct vhu_driver_vring *vring, struct vhu_used *used);
	/* Ask to be called for the next one. Returns whether there is one already. */
	bool (*arm)(struct vhu_driver_vring *vring);
};

extern const struct vhu_driver_vring_format vhu_driver_vring_split, vhu_driver_vring_packed;

/*
 * Make a ring of @num descriptors for @slots requests; its format and features are set already.
 * Returns 0 or -ENOMEM.
 */
int vhu_driver_vring_open(struct vhu_driver_vring *vring, struct vhu_arena *arena, uint32_t num,
			  uint32_t slots);

void vhu_driver_vring_close(struct vhu_driver_vring *vring);

/* Return how many bytes of the arena's region for rings a ring takes, at most. */
uint64_t vhu_driver_vring_size(uint32_t num, uint32_t slots);

/* Return where the three areas are, for SET_VRING_ADDR. */
struct vhu_driver_vring_areas {
	uint64_t descriptor, available, used;
};
struct vhu_driver_vring_areas vhu_driver_vring_areas(const struct vhu_driver_vring *vring);

/* Note that a slot came back. Returns 0, or -EPROTO where it was not out. */
int vhu_driver_vring_back(struct vhu_driver_vring *vring, uint32_t slot);

#endif
