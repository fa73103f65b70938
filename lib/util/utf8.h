/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts in UTF-8, as those have to look at them who write JSON, XML, or lines for a terminal. */
#ifndef VHU_UTIL_UTF8_H
#define VHU_UTIL_UTF8_H

#include <stddef.h>

/* Return how many bytes the character at @text has, 1 to 4; 0 for bytes that are
 * not UTF-8. @text ends with a NUL, which is a character of 1 byte. */
unsigned vhu_utf8_size(const char *text);

/* Return how many bytes the character at @text has if a terminal shows it and does nothing else; 0
 * for control characters, for bytes that are not UTF-8, and at the NUL that ends @text. */
unsigned vhu_utf8_shown(const char *text);

/*
 * Copy a text that may hold what others chose, such as the name of a process: control characters
 * and bytes that are not UTF-8 become question marks, so that a terminal acts on nothing of it.
 * @to: gets @size bytes at most, with a NUL; may be @text. Returns @to.
 */
char *vhu_utf8_printable(const char *text, char *to, size_t size);

#endif
