/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as it is written, value by value. Keys are NULL inside arrays. Errors of the stream are kept
 * by the stream (ferror).
 */
#ifndef VHU_UTIL_JSON_H
#define VHU_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vhu_json {
	FILE *to;
	bool comma; /* a value stands before in the innermost structure */
};

/* Open and close an object or an array. */
void vhu_json_object(struct vhu_json *json, const char *key);

/* Open the object of a line or document. @schema: its schema and version, "dump/1", which
 * docs/json/dump.json describes. */
void vhu_json_document(struct vhu_json *json, const char *key, const char *schema);

void vhu_json_object_end(struct vhu_json *json);
void vhu_json_array(struct vhu_json *json, const char *key);
void vhu_json_array_end(struct vhu_json *json);

/* Return whether the numbers of a key are strings of their digits. @key: may be NULL, which is not.
 */
bool vhu_json_is_exact(const char *key);

/* Write a number; as a string of its digits if vhu_json_is_exact says so of its key. */
void vhu_json_unsigned(struct vhu_json *json, const char *key, uint64_t value);

/* Write a number that may be negative. */
void vhu_json_signed(struct vhu_json *json, const char *key, int64_t value);

/* Write a number with one digit behind the point. */
void vhu_json_decimal(struct vhu_json *json, const char *key, double value);

void vhu_json_bool(struct vhu_json *json, const char *key, bool value);

/* Write a text; bytes that are not UTF-8 become U+FFFD. */
void vhu_json_string(struct vhu_json *json, const char *key, const char *text);

/* Write a text in parts, which end between characters. */
void vhu_json_text(struct vhu_json *json, const char *key);
void vhu_json_text_part(struct vhu_json *json, const char *text);
void vhu_json_text_end(struct vhu_json *json);

/* Write bytes as a string of hexadecimal digits. */
void vhu_json_bytes(struct vhu_json *json, const char *key, const uint8_t *bytes, size_t size);

#endif
