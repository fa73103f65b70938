/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integers and texts as records have them, taken off bytes that come from somebody else. */
#ifndef VHU_CAPTURE_TAKE_H
#define VHU_CAPTURE_TAKE_H

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "lib/capture/record_layout.h"

/* Bytes not yet read. One read past the end and all later ones give zeros; `over` is set then. */
struct input {
	const uint8_t *at;
	size_t left;
	bool over;
};

/* Take @size bytes off @in. Returns where they are, or NULL if fewer are left. */
static inline const uint8_t *take(struct input *in, size_t size)
{
	const uint8_t *at = in->at;

	if (size > in->left) {
		in->left = 0;
		in->over = true;
		return NULL;
	}
	in->at += size;
	in->left -= size;
	return at;
}

/* Take an integer of one, two, four, eight bytes; 0 past the end. */
static inline uint8_t take_8(struct input *in)
{
	const uint8_t *at = take(in, 1);

	return at ? *at : 0;
}

static inline uint16_t take_16(struct input *in)
{
	const uint8_t *at = take(in, 2);
	uint16_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static inline uint32_t take_32(struct input *in)
{
	const uint8_t *at = take(in, 4);
	uint32_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static inline uint64_t take_64(struct input *in)
{
	const uint8_t *at = take(in, 8);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

/* Take a text with its NUL. Returns it where it lies; "" and in->over if its NUL is missing. */
static inline const char *take_text(struct input *in)
{
	const char *text = (const char *)in->at;
	const uint8_t *nul = in->left ? memchr(in->at, 0, in->left) : NULL;

	if (!nul) {
		in->left = 0;
		in->over = true;
		return "";
	}
	take(in, (size_t)(nul - in->at) + 1);
	return text;
}

#endif
