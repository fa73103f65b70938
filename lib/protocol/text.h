/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payloads and values as text for people. All of these return what snprintf would: the length the
 * text would have, written as far as there is room, always terminated where there is any room.
 */
#ifndef VHU_PROTOCOL_TEXT_H
#define VHU_PROTOCOL_TEXT_H

#include "lib/protocol/walk.h"

/* Write a field's value as the field says it is shown: "256", "0x40000000", "R W",
 * "0x3 (ACKNOWLEDGE, DRIVER)", "52:54:00:12:34:56". */
int vhu_value_text(const struct vhu_item *item, const struct vhu_context *context, char *to,
		   size_t size);

/* Write the names of the bits set in @value, separated by ", ", unknown ones as "bit 12". */
int vhu_bits_text(enum vhu_names_id set, uint64_t value, const struct vhu_context *context,
		  char *to, size_t size);

/* Write what a payload says in few words: "vring 0, num 256". Empty for an empty payload. */
int vhu_brief_text(const struct vhu_layout *layout, const struct vhu_payload *payload,
		   const struct vhu_context *context, char *to, size_t size);

#endif
