/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over a payload.
 *
 * It keeps a small stack of the structures it is in. Each step looks at the next field of the
 * innermost one. The walk returns the field, or enters the structure that the field is, or finds
 * that bytes are missing. After that it returns only the ends of the open structures, and last the
 * bytes that no field covered.
 */
#include "lib/protocol/walk.h"

void vhu_walk_start(struct vhu_walk *walk, const struct vhu_layout *layout,
		    const struct vhu_payload *payload, const struct vhu_context *context)
{
	walk->payload = *payload;
	walk->context = context ? *context : (struct vhu_context){0};
	walk->depth = 1;
	walk->frame[0] = (struct vhu_walk_frame){.layout = layout, .end = payload->size};
	walk->seen = 0;
	walk->window = false;
	walk->stopped = false;
	walk->ended = false;
}

/* Fill in an item and return true: the step is taken. */
static bool tell(struct vhu_item *item, enum vhu_item_what what, const struct vhu_field *field,
		 int64_t offset, int64_t size)
{
	*item = (struct vhu_item){
	    .what = what,
	    .field = field,
	    .offset = (uint32_t)offset,
	    .size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
	};
	return true;
}

/* Enter a structure that fills @as and tell so. */
static bool enter(struct vhu_walk *walk, struct vhu_item *item, struct vhu_walk_frame frame)
{
	bool element = frame.as->kind == VHU_ARRAY;

	walk->frame[walk->depth++] = frame;
	tell(item, VHU_ITEM_OPEN, frame.as, frame.from, frame.end - frame.from);
	item->layout = frame.layout;
	item->index = frame.index;
	item->element = element;
	return true;
}

/* Leave the innermost structure; returns true if the caller sees that. */
static bool leave(struct vhu_walk *walk, struct vhu_item *item)
{
	const struct vhu_walk_frame *frame = &walk->frame[--walk->depth];

	if (!frame->as)
		return false;
	tell(item, VHU_ITEM_CLOSE, frame->as, frame->from, frame->end - frame->from);
	item->layout = frame->layout;
	item->index = frame->index;
	item->element = frame->as->kind == VHU_ARRAY;
	return true;
}

/* Tell why bytes up to @end cannot be had: the capture was cut, or they were never sent. */
static bool lack(struct vhu_walk *walk, struct vhu_item *item, const struct vhu_field *field,
		 int64_t at, int64_t end)
{
	int64_t whole = walk->frame[0].layout->size;

	walk->stopped = true;
	if (end > walk->payload.size && end < whole)
		end = whole;
	if (end > walk->payload.size)
		return tell(item, VHU_ITEM_MISSING, field, at, end - walk->payload.size);
	walk->seen = walk->payload.size;
	return tell(item, VHU_ITEM_CUT, field, walk->payload.captured,
		    walk->payload.size - walk->payload.captured);
}

/* Note that a field covers the bytes up to @end. */
static void cover(struct vhu_walk *walk, int64_t end)
{
	walk->seen = end > walk->seen ? end : walk->seen;
}

/* Return where an array that nothing counts ends: where the next field begins or its layout ends;
 * one beyond these, where its structure ends. */
static int64_t array_end(const struct vhu_walk_frame *frame, const struct vhu_field *field)
{
	const struct vhu_layout *layout = frame->layout;
	unsigned next = frame->field + 1;
	uint32_t end =
	    next < layout->fields ? vhu_fields[layout->first + next].offset : layout->size;

	return end > field->offset ? frame->base + end : frame->end;
}

/* Return how many the field that counts @field says there are; without one, what there is room
 * for, in units of @unit bytes from @at on. */
static int64_t count_of(const struct vhu_walk *walk, const struct vhu_walk_frame *frame,
			const struct vhu_field *field, int64_t at, uint32_t unit)
{
	uint64_t count;

	if (field->counted_by == VHU_FIELDS)
		return at < array_end(frame, field) ? (array_end(frame, field) - at) / unit : 0;
	return vhu_field_read(&walk->payload, field->counted_by, (uint32_t)frame->base, &count)
		   ? (int64_t)(count & UINT32_MAX)
		   : 0;
}

/* Take the next step in an array; returns false where it is done. */
static bool step_array(struct vhu_walk *walk, struct vhu_item *item, struct vhu_walk_frame *frame,
		       const struct vhu_field *field, int64_t at)
{
	int64_t count = count_of(walk, frame, field, at, field->size);
	int64_t element = at + (int64_t)frame->elements * field->size;

	if (frame->elements >= count)
		return false;
	if (element + field->size > walk->payload.size)
		return lack(walk, item, field, element, at + count * field->size);
	if (element >= walk->payload.captured)
		return lack(walk, item, field, element, element + field->size);
	return enter(walk, item,
		     (struct vhu_walk_frame){
			 .layout = &vhu_layouts[field->layout],
			 .as = field,
			 .index = frame->elements++,
			 .base = element,
			 .from = element,
			 .end = element + field->size,
		     });
}

/* Tell a run of bytes that is a field's value. */
static bool tell_bytes(struct vhu_walk *walk, struct vhu_item *item, const struct vhu_field *field,
		       int64_t at, int64_t size)
{
	cover(walk, at + size);
	tell(item, VHU_ITEM_VALUE, field, at, size);
	item->bytes = walk->payload.bytes + at;
	if (vhu_kind_is_integer(field->kind)) {
		item->big_endian = field->kind != VHU_LE && walk->payload.big_endian;
		item->value = vhu_field_value(field, item->bytes, item->big_endian);
	} else if (field->kind == VHU_PADDING) {
		for (int64_t i = 0; i < size; i++)
			item->value |= item->bytes[i] != 0;
	}
	return true;
}

/* Take the next step in a window on the configuration space: first its bytes, then, where the
 * device is known, its fields. Returns false where it is done. */
static bool step_window(struct vhu_walk *walk, struct vhu_item *item, struct vhu_walk_frame *frame,
			const struct vhu_field *field, int64_t at)
{
	const struct vhu_layout *layout = vhu_config_layout(walk->context.device);
	int64_t size = count_of(walk, frame, field, at, 1);
	uint64_t offset = 0;

	if (size == 0)
		return false;
	if (!walk->window) {
		if (at + size > walk->payload.captured)
			return lack(walk, item, field, at, at + size);
		walk->window = true;
		return tell_bytes(walk, item, field, at, size);
	}
	walk->window = false;
	vhu_field_read(&walk->payload, VHU_FIELD_config_offset, (uint32_t)frame->base, &offset);
	if (!layout || offset >= layout->size)
		return false;
	frame->field++;
	return enter(walk, item,
		     (struct vhu_walk_frame){
			 .layout = layout,
			 .as = field,
			 .base = at - (int64_t)offset,
			 .from = at,
			 .end = at + size,
		     });
}

/* Return whether a field lies in a window that shows only a part of its structure. */
static bool in_window(const struct vhu_walk_frame *frame, const struct vhu_field *field, int64_t at)
{
	return frame->as == NULL || frame->as->kind != VHU_CONFIG ||
	       (at >= frame->from && at + field->size <= frame->end);
}

/* Take the next step in the innermost structure; returns false where there is nothing to tell. */
static bool step(struct vhu_walk *walk, struct vhu_item *item)
{
	struct vhu_walk_frame *frame = &walk->frame[walk->depth - 1];
	const struct vhu_field *field = &vhu_fields[frame->layout->first + frame->field];
	int64_t at = frame->base + field->offset;
	int64_t size = field->size;

	if (!in_window(frame, field, at)) {
		frame->field++;
		return false;
	}
	if (field->kind == VHU_ARRAY) {
		if (step_array(walk, item, frame, field, at))
			return true;
		frame->field++;
		frame->elements = 0;
		return false;
	}
	if (field->kind == VHU_CONFIG) {
		if (step_window(walk, item, frame, field, at))
			return true;
		frame->field++;
		return false;
	}
	frame->field++;
	if (size == 0)
		size = count_of(walk, frame, field, at, 1);
	if (size == 0)
		return false;
	if (at + size > frame->end || at + size > walk->payload.captured)
		return lack(walk, item, field, at, at + size);
	if (field->kind != VHU_STRUCT)
		return tell_bytes(walk, item, field, at, size);
	return enter(walk, item,
		     (struct vhu_walk_frame){
			 .layout = &vhu_layouts[field->layout],
			 .as = field,
			 .base = at,
			 .from = at,
			 .end = at + size,
		     });
}

/* Tell the bytes that no field covered; returns false where there are none. */
static bool tell_left_over(struct vhu_walk *walk, struct vhu_item *item)
{
	int64_t captured = walk->payload.captured;

	if (walk->ended)
		return false;
	walk->ended = true;
	if (walk->seen >= walk->payload.size)
		return false;
	tell(item, VHU_ITEM_LEFT_OVER, NULL, walk->seen,
	     (walk->seen < captured ? captured : walk->seen) - walk->seen);
	item->bytes = item->size ? walk->payload.bytes + walk->seen : NULL;
	return item->size > 0;
}

bool vhu_walk_next(struct vhu_walk *walk, struct vhu_item *item)
{
	while (walk->depth > 0) {
		const struct vhu_walk_frame *frame = &walk->frame[walk->depth - 1];

		if (walk->stopped || frame->field >= frame->layout->fields) {
			if (leave(walk, item))
				return true;
		} else if (step(walk, item)) {
			return true;
		}
	}
	return tell_left_over(walk, item);
}
