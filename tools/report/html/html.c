/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of a page. */
#include "tools/report/html/html.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/duration.h"
#include "lib/util/utf8.h"

/* Return whether a character of several bytes changes how what stands around it is shown: the
 * controls of direction and the separators of lines, U+200E, U+200F, U+2028 to U+202E, U+2066 to
 * U+2069. */
static int is_unruly(const char *text, unsigned size)
{
	const uint8_t *byte = (const uint8_t *)text;

	if (size != 3 || byte[0] != 0xe2)
		return 0;
	return (byte[1] == 0x80 &&
		(byte[2] == 0x8e || byte[2] == 0x8f || (byte[2] >= 0xa8 && byte[2] <= 0xae))) ||
	       (byte[1] == 0x81 && byte[2] >= 0xa6 && byte[2] <= 0xa9);
}

/* Write the character at @text. Returns how many bytes it has. */
static unsigned put_character(FILE *to, const char *text)
{
	unsigned size = vhu_utf8_size(text);
	unsigned char first = (unsigned char)*text;

	if (size == 0 || is_unruly(text, size) || (first < ' ' && first != '\n') || first == 0x7f)
		fputs("\xef\xbf\xbd", to); /* U+FFFD */
	else if (first == '&')
		fputs("&amp;", to);
	else if (first == '<')
		fputs("&lt;", to);
	else if (first == '>')
		fputs("&gt;", to);
	else if (first == '"')
		fputs("&quot;", to);
	else if (first == '\'')
		fputs("&#39;", to);
	else
		fwrite(text, 1, size, to);
	return size ? size : 1;
}

void vhu_html_text(FILE *to, const char *text)
{
	while (*text)
		text += put_character(to, text);
}

void vhu_html_print(FILE *to, const char *format, ...)
{
	va_list arguments;
	char text[2048];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	vhu_html_text(to, text);
}

void vhu_html_message_id(FILE *to, unsigned capture, uint64_t number)
{
	if (capture)
		fprintf(to, "m%u.%" PRIu64, capture + 1, number);
	else
		fprintf(to, "m%" PRIu64, number);
}

void vhu_html_message(FILE *to, unsigned capture, uint64_t number)
{
	fputs("<a class=\"m\" href=\"#", to);
	vhu_html_message_id(to, capture, number);
	fprintf(to, "\">%" PRIu64 "</a>", number);
}

/* Return whether the digits at @at, with @length of them, are the number of a message. */
static int is_message(const char *text, const char *at, size_t length)
{
	static const char *const before[] = {"message ", "Message ", "messages ", " see "};

	if (length > 18)
		return 0;
	if (at > text && at[-1] == '(' && at[length] == ')')
		return 1;
	for (unsigned i = 0; i < sizeof(before) / sizeof(*before); i++) {
		size_t words = strlen(before[i]);

		if ((size_t)(at - text) >= words && !strncmp(at - words, before[i], words) &&
		    at[length] != '.')
			return 1;
	}
	return 0;
}

void vhu_html_linked(FILE *to, unsigned capture, const char *text)
{
	const char *at = text;

	/* It stands alone: as a sentence. */
	if (islower((unsigned char)*at))
		fputc(toupper((unsigned char)*at++), to);
	while (*at) {
		size_t length = strspn(at, "0123456789");

		if (!length) {
			at += put_character(to, at);
			continue;
		}
		if (is_message(text, at, length))
			vhu_html_message(to, capture, strtoull(at, NULL, 10));
		else
			fprintf(to, "%.*s", (int)length, at);
		at += length;
	}
}

void vhu_html_capture(FILE *to, const char *path)
{
	const char *name = strrchr(path, '/');

	vhu_html_text(to, name && name[1] ? name + 1 : path);
}

void vhu_html_time(FILE *to, uint64_t ns)
{
	char text[VHU_DURATION_TEXT_SIZE];

	vhu_duration_text(ns, text);
	/* The number and its unit stay on one line. */
	for (const char *at = text; *at; at++)
		fputs(*at == ' ' ? "&nbsp;" : (char[]){*at, '\0'}, to);
}
