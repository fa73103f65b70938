/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that is looked through, broken where the screen ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/top/screen/page.h"

static void lines_are_broken_at_blanks(void **state)
{
	struct vhu_top_page page = {0};
	char row[32];

	(void)state;
	vhu_top_page_add(&page, "one two three four five\n\nshort\nabcdefghijklmnopqrstuvwxyz\n");
	assert_int_equal(page.lines, 4);
	assert_int_equal(vhu_top_page_rows(&page, 12), 9);
	vhu_top_page_row(&page, 0, 12, row);
	assert_string_equal(row, "one two");
	vhu_top_page_row(&page, 1, 12, row);
	assert_string_equal(row, "    three");
	vhu_top_page_row(&page, 5, 12, row);
	assert_string_equal(row, "short");
	vhu_top_page_row(&page, 6, 12, row);
	assert_string_equal(row, "abcdefghijkl");
	vhu_top_page_row(&page, 7, 12, row);
	assert_string_equal(row, "    mnopqrst");
	vhu_top_page_row(&page, 99, 12, row);
	assert_string_equal(row, "");
	/* Whatever the width, all of it is there, and no row is wider. */
	for (int width = 1; width < 31; width++) {
		const unsigned rows = vhu_top_page_rows(&page, width);
		size_t letters = 0;

		for (unsigned i = 0; i < rows; i++) {
			vhu_top_page_row(&page, i, width, row);
			assert_true((int)strlen(row) <= width);
			for (const char *at = row; *at; at++)
				letters += *at != ' ';
		}
		assert_int_equal(letters, 50);
	}
	vhu_top_page_clear(&page);
}

static void the_end_is_followed_until_somebody_scrolls(void **state)
{
	struct vhu_top_page page = {.grows = true, .follows = true};

	(void)state;
	for (int i = 0; i < 20; i++)
		vhu_top_page_add(&page, "line");
	vhu_top_page_scroll(&page, 0, 80, 5);
	assert_int_equal(page.from, 15);
	vhu_top_page_add(&page, "line");
	vhu_top_page_scroll(&page, 0, 80, 5);
	assert_int_equal(page.from, 16);
	vhu_top_page_scroll(&page, -3, 80, 5);
	assert_int_equal(page.from, 13);
	vhu_top_page_add(&page, "line");
	vhu_top_page_scroll(&page, 0, 80, 5);
	assert_int_equal(page.from, 13);
	/* Who is at the end again follows again. */
	vhu_top_page_scroll(&page, 100, 80, 5);
	assert_int_equal(page.from, 17);
	vhu_top_page_add(&page, "line");
	vhu_top_page_scroll(&page, 0, 80, 5);
	assert_int_equal(page.from, 18);
	vhu_top_page_scroll(&page, -100, 80, 5);
	assert_int_equal(page.from, 0);
	vhu_top_page_clear(&page);
	vhu_top_page_scroll(&page, 0, 80, 5);
	assert_int_equal(page.from, 0);
}

static void the_latest_lines_are_kept(void **state)
{
	struct vhu_top_page page = {0};

	(void)state;
	vhu_top_page_add(&page, "first");
	for (int i = 0; i < VHU_TOP_PAGE_LINES; i++)
		vhu_top_page_add(&page, "later");
	assert_int_equal(page.lines, VHU_TOP_PAGE_LINES);
	assert_string_equal(page.line[0], "later");
	vhu_top_page_clear(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_broken_at_blanks),
	    cmocka_unit_test(the_end_is_followed_until_somebody_scrolls),
	    cmocka_unit_test(the_latest_lines_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
