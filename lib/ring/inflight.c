/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-flight area of a vring. */
#include "lib/ring/inflight.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/protocol/field.h"

/* Parts begin at multiples of this. */
#define PART_ALIGN 64

/* QueueRegionSplit and DescStateSplit. */
enum {
	SPLIT_HEAD = 16,
	SPLIT_ROW = 16,
	SPLIT_VERSION_AT = 8,
	SPLIT_ROWS_AT = 10,
	SPLIT_USED_AT = 14,
	SPLIT_COUNTER_AT = 8,
};

/* QueueRegionPacked and DescStatePacked. */
enum {
	PACKED_HEAD = 32,
	PACKED_VERSION_AT = 8,
	PACKED_ROWS_AT = 10,
	PACKED_USED_AT = 16,
	PACKED_OLD_USED_AT = 18,
	PACKED_WRAP_AT = 20,
	PACKED_OLD_WRAP_AT = 21,
	PACKED_NUM_AT = 6,
	PACKED_COUNTER_AT = 8,
};

struct vhu_ring_inflight_place vhu_ring_inflight_place(const struct vhu_ring_memory *memory,
						       uint64_t base, uint64_t size,
						       unsigned queues, unsigned vring)
{
	uint64_t stride = queues ? size / queues / PART_ALIGN * PART_ALIGN : 0;

	if (vring >= queues || stride == 0)
		return (struct vhu_ring_inflight_place){0};
	return (struct vhu_ring_inflight_place){memory, base + vring * stride, stride};
}

/* Return an integer of the area: back-end and front-end are on one machine. */
static uint64_t integer(const uint8_t *at, unsigned size)
{
	return vhu_integer_read(at, size, vhu_host_is_big_endian());
}

/* Compare when two requests were taken, for qsort. */
static int compare(const void *a, const void *b)
{
	const struct vhu_ring_taken *one = a, *other = b;

	if (one->counter != other->counter)
		return one->counter > other->counter ? 1 : -1;
	return (one->entry > other->entry) - (one->entry < other->entry);
}

/* List the requests of a split ring. */
static void list_split(struct vhu_ring_inflight *inflight, const uint8_t *row, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++, row += SPLIT_ROW)
		if (row[0] != 0)
			inflight->taken[inflight->count++] = (struct vhu_ring_taken){
			    .entry = (uint16_t)i,
			    .descriptors = 1,
			    .counter = integer(row + SPLIT_COUNTER_AT, 8),
			};
	inflight->descriptors = inflight->count;
}

/* List the requests of a packed ring. A row that begins a request says how many follow; more
 * descriptors than the ring has are not believed. */
static void list_packed(struct vhu_ring_inflight *inflight, const uint8_t *row, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++, row += VHU_RING_INFLIGHT_PACKED_ROW) {
		uint16_t num = (uint16_t)integer(row + PACKED_NUM_AT, 2);

		if (row[0] == 0 || num == 0 || num > rows - inflight->descriptors)
			continue;
		inflight->taken[inflight->count++] = (struct vhu_ring_taken){
		    .entry = (uint16_t)i,
		    .descriptors = num,
		    .counter = integer(row + PACKED_COUNTER_AT, 8),
		};
		inflight->descriptors += num;
	}
}

/* Take what the head of a packed ring's part says. */
static void read_packed_head(struct vhu_ring_inflight *inflight, const uint8_t *head)
{
	uint64_t used = integer(head + PACKED_USED_AT, 2);
	uint64_t old_used = integer(head + PACKED_OLD_USED_AT, 2);
	bool wrap = head[PACKED_WRAP_AT] != 0, old_wrap = head[PACKED_OLD_WRAP_AT] != 0;

	inflight->version = (uint16_t)integer(head + PACKED_VERSION_AT, 2);
	inflight->rows = (uint16_t)integer(head + PACKED_ROWS_AT, 2);
	inflight->used = (uint16_t)((used & 0x7fff) | (unsigned)wrap << 15);
	inflight->unsettled = used != old_used || wrap != old_wrap || used > 0x7fff;
}

/* Take what the head of a split ring's part says. */
static void read_split_head(struct vhu_ring_inflight *inflight, const uint8_t *head)
{
	inflight->version = (uint16_t)integer(head + SPLIT_VERSION_AT, 2);
	inflight->rows = (uint16_t)integer(head + SPLIT_ROWS_AT, 2);
	inflight->used = (uint16_t)integer(head + SPLIT_USED_AT, 2);
}

int vhu_ring_inflight_read(const struct vhu_ring_inflight_place *place, bool packed,
			   uint32_t ring_size, struct vhu_ring_inflight *inflight)
{
	const size_t head_size = packed ? PACKED_HEAD : SPLIT_HEAD;
	const size_t size = ring_size * (size_t)(packed ? VHU_RING_INFLIGHT_PACKED_ROW : SPLIT_ROW);
	uint8_t head[PACKED_HEAD];
	int error;

	*inflight = (struct vhu_ring_inflight){0};
	if (!place->memory || place->size < head_size || size > place->size - head_size)
		return -EINVAL;
	error = vhu_ring_memory_read(place->memory, VHU_RING_USER, place->at, head, head_size);
	if (error)
		return error;
	(packed ? read_packed_head : read_split_head)(inflight, head);
	/* A back-end that has negotiated the area and does not use it leaves it all 0. */
	inflight->known = inflight->version != 0;
	if (!inflight->known) {
		*inflight = (struct vhu_ring_inflight){0};
		return 0;
	}
	inflight->row = malloc(size);
	inflight->taken = calloc(ring_size, sizeof(*inflight->taken));
	error = inflight->row && inflight->taken ? 0 : -ENOMEM;
	error = error
		    ?: vhu_ring_memory_read(place->memory, VHU_RING_USER, place->at + head_size,
					    inflight->row, size);
	if (error) {
		vhu_ring_inflight_free(inflight);
		return error;
	}
	(packed ? list_packed : list_split)(inflight, inflight->row, ring_size);
	qsort(inflight->taken, inflight->count, sizeof(*inflight->taken), compare);
	return 0;
}

void vhu_ring_inflight_free(struct vhu_ring_inflight *inflight)
{
	free(inflight->taken);
	free(inflight->row);
	*inflight = (struct vhu_ring_inflight){0};
}
