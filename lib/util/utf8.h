/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts in UTF-8, as a writer of JSON or XML has to look at them. */
#ifndef VHU_UTIL_UTF8_H
#define VHU_UTIL_UTF8_H

/* Return how many bytes the character at @text has, 1 to 4; 0 for bytes that are
 * not UTF-8. @text ends with a NUL, which is a character of 1 byte. */
unsigned vhu_utf8_size(const char *text);

#endif
