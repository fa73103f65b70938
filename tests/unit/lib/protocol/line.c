/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a peer or a capture brought reaches no terminal as a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/protocol/line.h"
#include "lib/util/util.h"

static void foreign_text_is_escaped(void **state)
{
	static const struct {
		const char *text, *escaped, *shown;
		size_t size; /* 0: that of the text */
	} row[] = {
	    {"a\033[31m\n\x7f", "", "a\\x1b[31m\\x0a\\x7f", 0},
	    {"say \"x\"", "\"", "say \\x22x\\x22", 0},
	    {"\xc3\xa4 \xf0\x9f\x98\x80", "", "\xc3\xa4 \xf0\x9f\x98\x80", 0},
	    {"\x9b"
	     "31m\xff\xc3",
	     "", "\\x9b31m\\xff\\xc3", 0},
	    {"\xc2\x9b"
	     "31m",
	     "", "\\xc2\\x9b31m", 0}, /* CSI, one of C1 */
	    {"\xc2\xa0", "", "\xc2\xa0", 0},
	    {"a\xc3\xa4", "", "a\\xc3", 2}, /* half of it is none */
	    {"a", "", "a", 64},             /* no more than the text is read */
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct vhu_line line = vhu_line_in(text, sizeof(text));

		vhu_line_foreign(&line, row[i].text,
				 row[i].size ? row[i].size : strlen(row[i].text), row[i].escaped);
		assert_string_equal(text, row[i].shown);
		assert_int_equal(line.length, strlen(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(foreign_text_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
