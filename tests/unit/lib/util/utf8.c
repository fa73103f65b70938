/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Valid and invalid characters of UTF-8: RFC 3629. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util/utf8.h"

#include "lib/util/util.h"

static void characters_have_a_size(void **state)
{
	static const struct {
		const char *text;
		unsigned size;
	} row[] = {
	    {"", 1},
	    {"a", 1},
	    {"\x7f", 1},
	    {"\xc2\x80", 2},
	    {"\xdf\xbf", 2},
	    {"\xe0\xa0\x80", 3},
	    {"\xed\x9f\xbf", 3},
	    {"\xee\x80\x80", 3},
	    {"\xef\xbf\xbf", 3},
	    {"\xf0\x90\x80\x80", 4},
	    {"\xf4\x8f\xbf\xbf", 4},
	    {"\xc3\xa9t\xc3\xa9", 2},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		assert_int_equal(vhu_utf8_size(row[i].text), row[i].size);
}

static void other_bytes_are_none(void **state)
{
	static const char *const text[] = {
	    "\x80", /* what follows a first byte */
	    "\xbf",
	    "\xc0\x80", /* longer than need be */
	    "\xc1\xbf",
	    "\xe0\x9f\xbf",
	    "\xf0\x8f\xbf\xbf",
	    "\xed\xa0\x80", /* half of a surrogate pair */
	    "\xed\xbf\xbf",
	    "\xf4\x90\x80\x80", /* beyond U+10FFFF */
	    "\xf5\x80\x80\x80",
	    "\xff",
	    "\xc2", /* cut short */
	    "\xe2\x82",
	    "\xf0\x9f\x98",
	    "\xc2z",
	    "\xe2\x82z",
	    "\xf0\x9f\x98z",
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(text); i++)
		assert_int_equal(vhu_utf8_size(text[i]), 0);
}

static void what_a_terminal_acts_on_is_replaced(void **state)
{
	static const struct {
		const char *text, *shown;
	} row[] = {
	    {"", ""},
	    {"qemu", "qemu"},
	    {"a\033[31mb\nc\177", "a?[31mb?c?"},
	    {"\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac"},
	    {"\xc2\x9b"
	     "2J\xc2\xa0",
	     "?"
	     "2J\xc2\xa0"}, /* CSI of C1 */
	    {"\xff\xc3", "??"},
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		assert_string_equal(vhu_utf8_printable(row[i].text, text, sizeof(text)),
				    row[i].shown);
		/* In place. */
		strcpy(text, row[i].text);
		assert_string_equal(vhu_utf8_printable(text, text, sizeof(text)), row[i].shown);
	}
	/* A character is not cut. */
	assert_string_equal(vhu_utf8_printable("ab\xc3\xa9", text, 4), "ab");
	assert_string_equal(vhu_utf8_printable("ab\xc3\xa9", text, 5), "ab\xc3\xa9");
	assert_string_equal(vhu_utf8_printable("ab", text, 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(characters_have_a_size),
	    cmocka_unit_test(other_bytes_are_none),
	    cmocka_unit_test(what_a_terminal_acts_on_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
