/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a page holds them. */
#include "tools/report/gather/pack.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

/* Return bytes in base64, to be freed; NULL out of memory. */
static char *base64(const uint8_t *bytes, size_t size)
{
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc((size + 2) / 3 * 4 + 1), *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i += 3) {
		uint32_t value = (uint32_t)bytes[i] << 16;

		value |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
		value |= i + 2 < size ? bytes[i + 2] : 0;
		*to++ = digit[value >> 18];
		*to++ = digit[value >> 12 & 63];
		*to++ = i + 1 < size ? digit[value >> 6 & 63] : '=';
		*to++ = i + 2 < size ? digit[value & 63] : '=';
	}
	*to = '\0';
	return text;
}

char *vhu_pack(const void *bytes, size_t size)
{
	uLongf packed = compressBound(size);
	uint8_t *to = malloc(packed);
	char *text = NULL;

	if (to && compress2(to, &packed, bytes, size, Z_BEST_COMPRESSION) == Z_OK)
		text = base64(to, packed);
	free(to);
	return text;
}
