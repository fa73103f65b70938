/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text as it grows in the room given for it: how long it would be, and as much of it as fits,
 * always terminated where there is any room. Most texts are made a frame or a message at a time, so
 * what is common, words and numbers, goes in without printf.
 */
#ifndef VHU_PROTOCOL_LINE_H
#define VHU_PROTOCOL_LINE_H

#include <stddef.h>
#include <stdint.h>

struct vhu_line {
	char *to;
	size_t size;   /* bytes of room, the terminating one included; 0: to count only */
	size_t length; /* of the whole text, without the terminating byte */
};

/* Return an empty text in the room given. */
struct vhu_line vhu_line_in(char *to, size_t size);

/* Add a word or more. */
void vhu_line_add(struct vhu_line *line, const char *text);

/* Add a number in decimal, or in hexadecimal behind 0x. */
void vhu_line_decimal(struct vhu_line *line, uint64_t value);
void vhu_line_hex(struct vhu_line *line, uint64_t value);

/* Add what printf would print. */
void vhu_line_printf(struct vhu_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Add @size bytes of text that a peer or a capture brought, up to a NUL: what a terminal would act
 * on, and the characters of @escaped, become \xNN. */
void vhu_line_foreign(struct vhu_line *line, const char *text, size_t size, const char *escaped);

/* Take the text back to @length, which it had before. */
void vhu_line_back(struct vhu_line *line, size_t length);

#endif
