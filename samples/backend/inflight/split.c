/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-flight area's regions for split rings. */
#include <stdlib.h>

#include "samples/backend/inflight/inflight.h"

/* DescStateSplit of the specification. */
struct vhu_inflight_split_descriptor {
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;
	uint64_t counter;
};

/* QueueRegionSplit. */
struct vhu_inflight_split_region {
	uint64_t features;
	uint16_t version;
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx;
	struct vhu_inflight_split_descriptor desc[];
};

_Static_assert(sizeof(struct vhu_inflight_split_region) == 16 &&
		   sizeof(struct vhu_inflight_split_descriptor) == 16,
	       "as inflight.c reckons");

/* Clear the marks of the last batch: we published it, but died before noting that. */
static void finish_batch(struct vhu_inflight_split_region *region, uint32_t num,
			 uint16_t used_index)
{
	uint16_t batch = (uint16_t)(used_index - region->used_idx);
	uint16_t head = region->last_batch_head;

	for (; batch > 0 && head < num; batch--) {
		region->desc[head].inflight = 0;
		head = region->desc[head].next;
	}
	vhu_inflight_step();
	region->used_idx = used_index;
}

void vhu_inflight_split_recover(struct vhu_device_vring *ring, uint16_t used_index)
{
	struct vhu_inflight_split_region *region = ring->inflight;
	struct vhu_inflight_left *left;
	uint32_t count = 0;

	if (region->version == 0) {
		region->desc_num = (uint16_t)ring->num;
		region->used_idx = used_index;
		vhu_inflight_step();
		region->version = VHU_INFLIGHT_VERSION;
	}
	finish_batch(region, ring->num, used_index);
	left = calloc(ring->num, sizeof(*left));
	for (uint32_t i = 0; left && i < ring->num; i++)
		if (region->desc[i].inflight)
			left[count++] = (struct vhu_inflight_left){
			    .counter = region->desc[i].counter,
			    .what = {.entry = (uint16_t)i, .descriptors = 1},
			};
	vhu_inflight_resubmit(ring, left, count);
	free(left);
}

void vhu_inflight_split_take(struct vhu_device_vring *ring, uint16_t head)
{
	struct vhu_inflight_split_region *region = ring->inflight;

	if (!region)
		return;
	region->desc[head].counter = ring->counter++;
	vhu_inflight_step();
	region->desc[head].inflight = 1;
	vhu_inflight_step();
}

/* Each request is a batch of its own. */
void vhu_inflight_split_give(struct vhu_device_vring *ring, uint16_t head)
{
	struct vhu_inflight_split_region *region = ring->inflight;

	if (!region)
		return;
	region->desc[head].next = region->last_batch_head;
	vhu_inflight_step();
	region->last_batch_head = head;
	vhu_inflight_step();
}

void vhu_inflight_split_given(struct vhu_device_vring *ring, uint16_t head)
{
	struct vhu_inflight_split_region *region = ring->inflight;

	if (!region)
		return;
	vhu_inflight_step();
	region->desc[head].inflight = 0;
	vhu_inflight_step();
	region->used_idx = ring->used_index;
	vhu_inflight_step();
}
