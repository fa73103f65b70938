/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as it is written. */
#include "lib/cli/json.h"

#include <inttypes.h>
#include <string.h>

/* RFC 8259, section 6: integers up to here are the same in every implementation. */
#define EXACT_MAX ((UINT64_C(1) << 53) - 1)

/* Return how many bytes the UTF-8 character at @text has, 0 where it is none. */
static unsigned character_size(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} form[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (unsigned more = 0; more < 4; more++) {
		uint32_t code = (uint32_t)(text[0] & ~form[more].mask & 0xff);

		if ((text[0] & form[more].mask) != form[more].lead)
			continue;
		for (unsigned i = 1; i <= more; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (text[i] & 0x3f);
		}
		if (code < form[more].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return 0;
		return more + 1;
	}
	return 0;
}

/* Write a text between quotes. */
static void put_text(struct vhu_json *json, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	fputc('"', json->to);
	while (*at) {
		unsigned size = character_size(at);

		if (size == 0) {
			fputs("\\ufffd", json->to);
			size = 1;
		} else if (*at == '"' || *at == '\\') {
			fprintf(json->to, "\\%c", *at);
		} else if (*at < ' ' || *at == 0x7f) {
			fprintf(json->to, "\\u%04x", *at);
		} else {
			fwrite(at, 1, size, json->to);
		}
		at += size;
	}
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

void vhu_json_unsigned(struct vhu_json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->to, value > EXACT_MAX ? "\"%" PRIu64 "\"" : "%" PRIu64, value);
}

void vhu_json_signed(struct vhu_json *json, const char *key, int64_t value)
{
	bool exact = value <= (int64_t)EXACT_MAX && value >= -(int64_t)EXACT_MAX;

	begin(json, key);
	fprintf(json->to, exact ? "%" PRId64 : "\"%" PRId64 "\"", value);
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

void vhu_json_bytes(struct vhu_json *json, const char *key, const uint8_t *bytes, size_t size)
{
	begin(json, key);
	fputc('"', json->to);
	for (size_t i = 0; i < size; i++)
		fprintf(json->to, "%02x", bytes[i]);
	fputc('"', json->to);
}
