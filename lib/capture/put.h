/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integers and texts as records have them, appended. Every function returns where the next byte
 * goes. */
#ifndef VHU_CAPTURE_PUT_H
#define VHU_CAPTURE_PUT_H

#include <endian.h>
#include <string.h>

#include "lib/capture/record_layout.h"

/* Append an integer of one, two, four, eight bytes. */
static inline uint8_t *put_8(uint8_t *to, uint8_t value)
{
	*to = value;
	return to + 1;
}

static inline uint8_t *put_16(uint8_t *to, uint16_t value)
{
	value = htobe16(value);
	return (uint8_t *)mempcpy(to, &value, sizeof(value));
}

static inline uint8_t *put_32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	return (uint8_t *)mempcpy(to, &value, sizeof(value));
}

static inline uint8_t *put_64(uint8_t *to, uint64_t value)
{
	value = htobe64(value);
	return (uint8_t *)mempcpy(to, &value, sizeof(value));
}

/* Append @text, which may be NULL, cut to @most bytes, and its NUL. */
static inline uint8_t *put_text(uint8_t *to, const char *text, size_t most)
{
	size_t size = text ? strnlen(text, most) : 0;

	if (size)
		memcpy(to, text, size);
	to[size] = 0;
	return to + size + 1;
}

/* Write the head of the TLV whose value fills [@from + TLV_HEAD_SIZE, @to). */
static inline uint8_t *put_tlv_head(uint8_t *from, enum vhu_tlv type, uint8_t *to)
{
	put_16(put_16(from, type), (uint16_t)(to - from - TLV_HEAD_SIZE));
	return to;
}

#endif
