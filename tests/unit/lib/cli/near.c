/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suggestion for an unknown name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cli/near.h"
#include "lib/util/util.h"

/* Return what is said of @word where there are check, stats, GET_FEATURES and GET_MAX_MEM_SLOTS. */
static const char *hint(const char *word)
{
	static const char *const name[] = {"check", "stats", "GET_FEATURES", "GET_MAX_MEM_SLOTS"};
	static char text[VHU_NEAR_MAX];
	struct vhu_near near = {.word = word};

	for (size_t i = 0; i < VHU_ARRAY_SIZE(name); i++)
		vhu_near_look(&near, name[i]);
	return vhu_near_hint(&near, text);
}

static void a_slip_is_recognized(void **state)
{
	(void)state;
	assert_string_equal(hint("statz"), "; did you mean stats?");
	assert_string_equal(hint("statss"), "; did you mean stats?");
	assert_string_equal(hint("sttas"), "; did you mean stats?");
	assert_string_equal(hint("sTatz"), "; did you mean stats?");
	assert_string_equal(hint("get_feature"), "; did you mean GET_FEATURES?");
	assert_string_equal(hint("GET_MAX_MEMSLOTS"), "; did you mean GET_MAX_MEM_SLOTS?");
}

static void name_unlike_all_others_has_no_hint(void **state)
{
	char word[200];

	(void)state;
	assert_string_equal(hint(""), "");
	assert_string_equal(hint("dump"), "");
	assert_string_equal(hint("frobnicate"), "");
	/* Three of five letters are too many. */
	assert_string_equal(hint("chxyz"), "");
	memset(word, 'c', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_string_equal(hint(word), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_slip_is_recognized),
	    cmocka_unit_test(name_unlike_all_others_has_no_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
