/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text as it grows. */
#include "lib/protocol/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/utf8.h"

/* Digits of UINT64_MAX, and a NUL. */
#define DIGITS_MAX 21

struct vhu_line vhu_line_in(char *to, size_t size)
{
	if (size)
		to[0] = '\0';
	return (struct vhu_line){to, size, 0};
}

/* Add @length bytes. */
static void add_bytes(struct vhu_line *line, const char *text, size_t length)
{
	if (line->length + 1 < line->size) {
		size_t room = line->size - 1 - line->length;
		size_t fits = length < room ? length : room;

		memcpy(line->to + line->length, text, fits);
		line->to[line->length + fits] = '\0';
	}
	line->length += length;
}

void vhu_line_add(struct vhu_line *line, const char *text)
{
	add_bytes(line, text, strlen(text));
}

/* Add a number in a base up to 16. */
static void add_number(struct vhu_line *line, uint64_t value, unsigned base)
{
	char digits[DIGITS_MAX];
	unsigned at = DIGITS_MAX;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	add_bytes(line, digits + at, DIGITS_MAX - at);
}

void vhu_line_decimal(struct vhu_line *line, uint64_t value)
{
	add_number(line, value, 10);
}

void vhu_line_hex(struct vhu_line *line, uint64_t value)
{
	add_bytes(line, "0x", 2);
	add_number(line, value, 16);
}

void vhu_line_printf(struct vhu_line *line, const char *format, ...)
{
	size_t at = line->length < line->size ? line->length : line->size;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line->size ? line->to + at : NULL, line->size - at, format, arguments);
	va_end(arguments);
	line->length += length > 0 ? (size_t)length : 0;
}

void vhu_line_foreign(struct vhu_line *line, const char *text, size_t size, const char *escaped)
{
	/* Behind the NUL there may be nothing that is the text's. */
	size = strnlen(text, size);
	for (size_t i = 0, bytes; i < size; i += bytes) {
		/* What is cut off at the end is no character. */
		char next[5] = "";

		memcpy(next, text + i, size - i < 4 ? size - i : 4);
		bytes = strchr(escaped, *next) ? 0 : vhu_utf8_shown(next);
		if (bytes) {
			add_bytes(line, next, bytes);
			continue;
		}
		vhu_line_printf(line, "\\x%02x", (unsigned char)*next);
		bytes = 1;
	}
}

void vhu_line_back(struct vhu_line *line, size_t length)
{
	line->length = length;
	if (length < line->size)
		line->to[length] = '\0';
}
