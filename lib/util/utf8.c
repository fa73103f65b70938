/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts in UTF-8. */
#include "lib/util/utf8.h"

#include <stdbool.h>
#include <string.h>

#include "lib/util/util.h"

unsigned vhu_utf8_size(const char *text)
{
	/* RFC 3629, section 4: which second byte may follow which first one. */
	static const struct {
		unsigned char first, last, second_least, second_most, size;
	} form[] = {
	    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	const unsigned char *at = (const unsigned char *)text;
	unsigned size = 0;

	if (at[0] < 0x80)
		return 1;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(form); i++)
		if (at[0] >= form[i].first && at[0] <= form[i].last &&
		    at[1] >= form[i].second_least && at[1] <= form[i].second_most)
			size = form[i].size;
	/* A NUL is no such byte either, so nothing is read behind it. */
	for (unsigned i = 2; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* Return whether a terminal may act on a character: those of C0 and C1, and DEL. */
static bool is_control(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	return at[0] < ' ' || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

unsigned vhu_utf8_shown(const char *text)
{
	return is_control(text) ? 0 : vhu_utf8_size(text);
}

char *vhu_utf8_printable(const char *text, char *to, size_t size)
{
	size_t length = 0;

	/* It never gets longer, so that it may be done in place. */
	while (*text) {
		const unsigned bytes = vhu_utf8_size(text);
		const bool shown = bytes && !is_control(text);

		if (length + (shown ? bytes : 1) >= size)
			break;
		if (shown)
			memmove(to + length, text, bytes);
		else
			to[length] = '?';
		length += shown ? bytes : 1;
		text += bytes ? bytes : 1;
	}
	to[length] = '\0';
	return to;
}
