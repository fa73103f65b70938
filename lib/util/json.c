/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as it is written. */
#include "lib/util/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/utf8.h"
#include "lib/util/util.h"

/*
 * Keys whose numbers are strings of their digits, sorted: times of day, and 64 bits that all count.
 * Many readers of JSON have doubles, which hold no more than 53 bits.
 */
static const char *const exact_keys[] = {
    "acked",    "begin_ns", "features",       "input_range_end",   "input_range_start",
    "modifier", "offered",  "page_size_mask", "protocol_features", "protocol_features_acked",
    "time_ns",
};

/* Return how many bytes at @text stand for themselves in a string. */
static size_t plain_size(const char *text)
{
	const char *at = text;

	for (;; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
			return (size_t)(at - text);
	}
}

/* Write a text as it stands between quotes. */
static void put_part(struct vhu_json *json, const char *text)
{
	while (*text) {
		size_t plain = plain_size(text);
		unsigned size;
		unsigned char first;

		/* At once: most of a text is so. */
		if (plain) {
			fwrite(text, 1, plain, json->to);
			text += plain;
			continue;
		}
		size = vhu_utf8_size(text);
		first = (unsigned char)*text;
		if (size == 0) {
			fputs("\\ufffd", json->to);
			size = 1;
		} else if (first == '"' || first == '\\') {
			fprintf(json->to, "\\%c", first);
		} else if (first == '\n') {
			fputs("\\u000a", json->to);
		} else if (first < ' ' || first == 0x7f) {
			fprintf(json->to, "\\u%04x", first);
		} else {
			fwrite(text, 1, size, json->to);
		}
		text += size;
	}
}

/* Write a text between quotes. */
static void put_text(struct vhu_json *json, const char *text)
{
	fputc('"', json->to);
	put_part(json, text);
	fputc('"', json->to);
}

/* Write what stands before a value. */
static void begin(struct vhu_json *json, const char *key)
{
	if (json->comma)
		fputc(',', json->to);
	json->comma = true;
	if (!key)
		return;
	put_text(json, key);
	fputc(':', json->to);
}

void vhu_json_object(struct vhu_json *json, const char *key)
{
	begin(json, key);
	fputc('{', json->to);
	json->comma = false;
}

void vhu_json_document(struct vhu_json *json, const char *key, const char *schema)
{
	vhu_json_object(json, key);
	vhu_json_string(json, "schema", schema);
}

void vhu_json_object_end(struct vhu_json *json)
{
	fputc('}', json->to);
	json->comma = true;
}

void vhu_json_array(struct vhu_json *json, const char *key)
{
	begin(json, key);
	fputc('[', json->to);
	json->comma = false;
}

void vhu_json_array_end(struct vhu_json *json)
{
	fputc(']', json->to);
	json->comma = true;
}

/* Compare two keys. */
static int compare_keys(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

bool vhu_json_is_exact(const char *key)
{
	return key && bsearch(&key, exact_keys, VHU_ARRAY_SIZE(exact_keys), sizeof(*exact_keys),
			      compare_keys);
}

void vhu_json_unsigned(struct vhu_json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->to, vhu_json_is_exact(key) ? "\"%" PRIu64 "\"" : "%" PRIu64, value);
}

void vhu_json_signed(struct vhu_json *json, const char *key, int64_t value)
{
	begin(json, key);
	fprintf(json->to, "%" PRId64, value);
}

void vhu_json_decimal(struct vhu_json *json, const char *key, double value)
{
	begin(json, key);
	fprintf(json->to, "%.1f", value);
}

void vhu_json_bool(struct vhu_json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->to);
}

void vhu_json_string(struct vhu_json *json, const char *key, const char *text)
{
	begin(json, key);
	put_text(json, text ? text : "");
}

void vhu_json_text(struct vhu_json *json, const char *key)
{
	begin(json, key);
	fputc('"', json->to);
}

void vhu_json_text_part(struct vhu_json *json, const char *text)
{
	put_part(json, text);
}

void vhu_json_text_end(struct vhu_json *json)
{
	fputc('"', json->to);
}

void vhu_json_bytes(struct vhu_json *json, const char *key, const uint8_t *bytes, size_t size)
{
	begin(json, key);
	fputc('"', json->to);
	for (size_t i = 0; i < size; i++)
		fprintf(json->to, "%02x", bytes[i]);
	fputc('"', json->to);
}
