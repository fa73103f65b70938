/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields and values as faults name them, looked up in the table. */
#ifndef VHU_PROXY_FAULT_VALUE_H
#define VHU_PROXY_FAULT_VALUE_H

#include "proxy/fault/fault.h"

/* A word of a fault; it does not end with a NUL. */
struct vhu_word {
	const char *at;
	size_t size;
};

/* Return whether @word is @text, in any case of letters. */
bool vhu_word_is(struct vhu_word word, const char *text);

/* Read an unsigned number, decimal or 0x, as the whole of @word. Returns whether it is one. */
bool vhu_word_number(struct vhu_word word, uint64_t *value);

/*
 * Find the field that @word names in the messages that @fault is for: by its path in the table
 * ("vring.index"), by the path's last part, by "vring", by its element ("region.size[1]"), in the
 * header ("header.flags", "header.need_reply"), by its place ("u16[4]"), or "fds".
 * @names: the names that its values have.
 * Returns 0 with *@field; -EINVAL with what is wrong as a text in @what, @size bytes.
 */
int vhu_fault_field_find(const struct vhu_fault *fault, struct vhu_word word,
			 struct vhu_fault_field *field, enum vhu_names_id *names, char *what,
			 size_t size);

/* Return the greatest value that @field can have. */
uint64_t vhu_fault_field_most(const struct vhu_fault_field *field);

/*
 * Read the value of a field: a number, or names of @names, of bits joined by |. A name that means
 * different bits on different virtio devices wants its device before it: "net.MQ".
 * Returns 0 with *@value; -EINVAL with what is wrong in @what.
 */
int vhu_fault_value_read(enum vhu_names_id names, struct vhu_word word, uint64_t *value, char *what,
			 size_t size);

#endif
