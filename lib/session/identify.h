/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which message a record is, and how its payload lies. */
#ifndef VHU_SESSION_IDENTIFY_H
#define VHU_SESSION_IDENTIFY_H

#include "lib/session/check_context.h"

/* Fill in a note's header, payload and direction. */
void vhu_annotation_take_apart(struct vhu_annotation *note, const struct vhu_record *record);

/*
 * Find out which message an id is: the row of the session's dialect or, where that is not @sure,
 * those whose sizes agree.
 * @except: a dialect to leave out; VHU_ANY: leave out none.
 * @request, @reply: payload sizes; -1 not known.
 * Fills in note->message, note->or_message. Returns how many rows agree. If none
 * agrees with a reply, it gets the name of its request alone.
 */
unsigned vhu_annotation_identify(struct vhu_annotation *note, enum vhu_channel channel, bool sure,
				 enum vhu_dialect except, int64_t request, int64_t reply);

/* Annotate a message: its type, its dialect, the request it answers, what it points to. */
void vhu_annotate(struct vhu_check_context *check);

/* Choose the layout of a message that was identified, and find the vring it is about. */
void vhu_annotation_lay_out(struct vhu_annotation *note);

/* Return whether a request has an answer, as far as is known. */
enum vhu_answer vhu_annotation_answer(const struct vhu_annotation *note);

/* Find the row of another dialect that a message looks like, which has the id of its own dialect's
 * but not the size. @request: its payload's size, or -1. Returns NULL for none. */
const struct vhu_message *vhu_check_other_reading(const struct vhu_check_context *check,
						  int64_t request);

/* Return a layout's last field where that is repeated, so that the layout has no fixed size; else
 * NULL. */
const struct vhu_field *vhu_layout_repeats(const struct vhu_layout *layout);

/* Return whether a payload has a size that one of a set's layouts has. */
bool vhu_annotation_size_fits(const struct vhu_annotation *note, enum vhu_shapes_id shapes);

#endif
