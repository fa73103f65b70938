/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over a payload: its fields one by one, as its layout has them, never reading past its end.
 *
 *	struct vhu_walk walk;
 *	struct vhu_item item;
 *
 *	vhu_walk_start(&walk, layout, &payload, &context);
 *	while (vhu_walk_next(&walk, &item))
 *		...
 */
#ifndef VHU_PROTOCOL_WALK_H
#define VHU_PROTOCOL_WALK_H

#include "lib/protocol/field.h"

/* Structures within structures, at the most. */
#define VHU_WALK_DEPTH 6

enum vhu_item_what {
	VHU_ITEM_VALUE,     /* a field with its value or bytes; of VHU_CONFIG, all of its bytes */
	VHU_ITEM_OPEN,      /* a structure begins: an element of an array, a configuration space */
	VHU_ITEM_CLOSE,     /* it ends */
	VHU_ITEM_CUT,       /* bytes that were sent, but that the capture does not hold */
	VHU_ITEM_MISSING,   /* bytes that the layout wants and that were not sent */
	VHU_ITEM_LEFT_OVER, /* bytes that were sent and that the layout has no place for */
};

struct vhu_item {
	enum vhu_item_what what;
	const struct vhu_field *field;   /* VALUE, OPEN, CLOSE; the first one hit: CUT, MISSING */
	const struct vhu_layout *layout; /* OPEN, CLOSE: of the structure */
	unsigned index;                  /* OPEN, CLOSE: which element of its array */
	bool element;                    /* OPEN, CLOSE: it is an element of an array */
	uint32_t offset, size;           /* bytes, from the start of the payload */
	const uint8_t *bytes;            /* VALUE, LEFT_OVER: the bytes, `size` of them */
	uint64_t value;  /* VALUE of an integer, masked and shifted down; VHU_INT sign-extended;
			    of padding, whether any of it is not 0 */
	bool big_endian; /* VALUE: byte order of an integer */
};

/* Where the walk stands in one structure. */
struct vhu_walk_frame {
	const struct vhu_layout *layout;
	const struct vhu_field *as; /* the field that it fills; NULL for the outermost */
	unsigned field;             /* next of its fields */
	unsigned elements;          /* of the array that is the next field, done so far */
	unsigned index;             /* which element it is itself */
	int64_t base;               /* where it begins in the payload; may be before, in windows */
	int64_t from, end;          /* only what lies between these is in it */
};

struct vhu_walk {
	struct vhu_payload payload;
	struct vhu_context context;
	struct vhu_walk_frame frame[VHU_WALK_DEPTH];
	unsigned depth; /* frames in use */
	int64_t seen;   /* one past the last byte that a field covered */
	bool window;    /* the configuration's bytes were returned, its fields are next */
	bool stopped;   /* nothing but what closes is left to tell */
	bool ended;
};

/*
 * Begin a walk.
 * @layout: chosen by vhu_message_layout. @context: may be NULL: nothing is known.
 * The payload's bytes must last as long as the walk.
 */
void vhu_walk_start(struct vhu_walk *walk, const struct vhu_layout *layout,
		    const struct vhu_payload *payload, const struct vhu_context *context);

/* Take the next step. Returns false at the end, with *@item untouched. */
bool vhu_walk_next(struct vhu_walk *walk, struct vhu_item *item);

#endif
