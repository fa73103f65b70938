/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The in-flight area's regions for packed rings.
 *
 * Used descriptors overwrite available ones, so that what a chain consists of is saved: an entry
 * for each descriptor, linked; entries that are not in use make up the free list. What begins with
 * "old" is what the driver was last told for certain.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "samples/backend/inflight/inflight.h"

/* DescStatePacked of the specification. */
struct vhu_inflight_packed_descriptor {
	uint8_t inflight;
	uint8_t padding;
	uint16_t next;
	uint16_t last;
	uint16_t num;
	uint64_t counter;
	/* of the descriptor that is saved; as in the ring, little endian */
	uint16_t id;
	uint16_t flags;
	uint32_t len;
	uint64_t addr;
};

/* QueueRegionPacked. */
struct vhu_inflight_packed_region {
	uint64_t features;
	uint16_t version;
	uint16_t desc_num;
	uint16_t free_head;
	uint16_t old_free_head;
	uint16_t used_idx;
	uint16_t old_used_idx;
	uint8_t used_wrap_counter;
	uint8_t old_used_wrap_counter;
	uint8_t padding[7];
	struct vhu_inflight_packed_descriptor desc[];
};

_Static_assert(sizeof(struct vhu_inflight_packed_region) == 32 &&
		   sizeof(struct vhu_inflight_packed_descriptor) == 32,
	       "as inflight.c reckons");

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

/* Make a region as it is before the first request. */
static void initialize(struct vhu_inflight_packed_region *region,
		       const struct vhu_device_vring *ring)
{
	for (uint32_t i = 0; i < ring->num; i++)
		region->desc[i].next = (uint16_t)(i + 1);
	region->desc_num = (uint16_t)ring->num;
	region->free_head = region->old_free_head = 0;
	region->used_idx = region->old_used_idx = ring->used_index;
	region->used_wrap_counter = region->old_used_wrap_counter = ring->used_wrap;
	vhu_inflight_step();
	region->version = VHU_INFLIGHT_VERSION;
}

/* What is now, the driver knows of. */
static void commit(struct vhu_inflight_packed_region *region)
{
	region->old_free_head = region->free_head;
	region->old_used_idx = region->used_idx;
	region->old_used_wrap_counter = region->used_wrap_counter;
}

/* Return whether the descriptor at the noted used position is not available any more: the
 * predecessor published more, and died before it noted that. */
static bool was_told(const struct vhu_inflight_packed_region *region,
		     const struct vhu_device_vring *ring)
{
	uint16_t available = region->old_used_wrap_counter ? AVAIL : USED;
	uint16_t flags = le16toh(ring->packed.desc[region->old_used_idx].flags);
	bool moved = region->used_idx != region->old_used_idx ||
		     region->used_wrap_counter != region->old_used_wrap_counter;

	return moved && (flags & (AVAIL | USED)) != available;
}

/* Bring a region into the state that the driver knows of. Returns 0 or -EPROTO. */
static int roll_back(struct vhu_inflight_packed_region *region, struct vhu_device_vring *ring)
{
	uint16_t entry;

	if (region->old_used_idx >= ring->num || region->used_idx >= ring->num)
		return -EPROTO;
	if (was_told(region, ring))
		commit(region);
	region->free_head = region->old_free_head;
	region->used_idx = region->old_used_idx;
	region->used_wrap_counter = region->old_used_wrap_counter;
	entry = region->free_head;
	for (uint32_t steps = 0; steps < ring->num && entry < ring->num; steps++) {
		region->desc[entry].inflight = 0;
		entry = region->desc[entry].next;
	}
	ring->used_index = region->used_idx;
	ring->used_wrap = region->used_wrap_counter != 0;
	return 0;
}

void vhu_inflight_packed_recover(struct vhu_device_vring *ring, uint32_t *descriptors)
{
	struct vhu_inflight_packed_region *region = ring->inflight;
	struct vhu_inflight_left *left;
	uint32_t count = 0;

	*descriptors = 0;
	if (region->version == 0 || roll_back(region, ring))
		initialize(region, ring);
	left = calloc(ring->num, sizeof(*left));
	for (uint32_t i = 0; left && i < ring->num; i++) {
		uint16_t num = region->desc[i].num;

		if (!region->desc[i].inflight || num == 0 || num > ring->num - *descriptors)
			continue;
		left[count++] = (struct vhu_inflight_left){
		    .counter = region->desc[i].counter,
		    .what = {.entry = (uint16_t)i, .descriptors = num},
		};
		*descriptors += num;
	}
	vhu_inflight_resubmit(ring, left, count);
	free(left);
}

int vhu_inflight_packed_take(struct vhu_device_vring *ring, struct vhu_chain *chain,
			     const struct vring_packed_desc *desc)
{
	struct vhu_inflight_packed_region *region = ring->inflight;
	bool last = !(le16toh(desc->flags) & VRING_DESC_F_NEXT);
	struct vhu_inflight_packed_descriptor *first, *state;
	uint16_t entry;

	if (!region)
		return 0;
	entry = region->free_head;
	if (chain->descriptors == 1)
		chain->entry = entry;
	if (entry >= ring->num || chain->entry >= ring->num)
		return -EPROTO;
	first = &region->desc[chain->entry];
	state = &region->desc[entry];
	if (chain->descriptors == 1) {
		first->num = 0;
		first->counter = ring->counter++;
		vhu_inflight_step();
		first->inflight = 1;
	}
	state->id = desc->id;
	state->flags = desc->flags;
	state->len = desc->len;
	state->addr = desc->addr;
	first->last = entry;
	first->num = chain->descriptors;
	vhu_inflight_step();
	region->free_head = state->next;
	vhu_inflight_step();
	if (last)
		region->old_free_head = region->free_head;
	vhu_inflight_step();
	return 0;
}

int vhu_inflight_packed_saved(const struct vhu_device_vring *ring, uint16_t *entry,
			      struct vring_packed_desc *desc)
{
	const struct vhu_inflight_packed_region *region = ring->inflight;
	const struct vhu_inflight_packed_descriptor *state = &region->desc[*entry];

	if (*entry >= ring->num)
		return -EPROTO;
	*desc = (struct vring_packed_desc){
	    .addr = state->addr,
	    .len = state->len,
	    .id = state->id,
	    .flags = state->flags,
	};
	*entry = state->next;
	return 0;
}

/* Each request is a batch of its own. */
void vhu_inflight_packed_give(struct vhu_device_vring *ring, uint16_t entry)
{
	struct vhu_inflight_packed_region *region = ring->inflight;
	uint16_t last;

	if (!region)
		return;
	last = region->desc[entry].last;
	if (last < ring->num)
		region->desc[last].next = region->free_head;
	vhu_inflight_step();
	region->free_head = entry;
	vhu_inflight_step();
	region->used_wrap_counter = ring->used_wrap;
	region->used_idx = ring->used_index;
	vhu_inflight_step();
}

void vhu_inflight_packed_given(struct vhu_device_vring *ring, uint16_t entry)
{
	struct vhu_inflight_packed_region *region = ring->inflight;

	if (!region)
		return;
	vhu_inflight_step();
	region->desc[entry].inflight = 0;
	vhu_inflight_step();
	commit(region);
	vhu_inflight_step();
}
