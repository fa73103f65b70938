/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and texts as vhu top shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/top/table/text.h"

static void amounts_fit_in_five_columns(void **state)
{
	static const struct {
		double amount;
		const char *text;
	} row[] = {
	    {0, "0"},         {0.04, "0"},      {0.4, "0.4"},      {1, "1"},
	    {9.94, "9.9"},    {12.4, "12"},     {9999, "9999"},    {9999.6, "10.0k"},
	    {12345, "12.3k"}, {123456, "123k"}, {999700, "1.00M"}, {1234567, "1.23M"},
	    {5e9, "5.00G"},   {1.5e14, "150T"}, {1e300, "999P"},
	};
	char text[VHU_TOP_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(vhu_top_amount_text(row[i].amount, text), row[i].text);
	for (double amount = 1e-3; amount < 1e20; amount *= 1.01)
		assert_true(strlen(vhu_top_amount_text(amount, text)) <= VHU_TOP_NUMBER_WIDTH);
}

static void times_fit_in_five_columns(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} row[] = {
	    {0, "0ns"},
	    {850, "850ns"},
	    {1000, "1.0us"},
	    {12300, "12us"},
	    {999600, "1.0ms"},
	    {340000000, "340ms"},
	    {1200000000, "1.20s"},
	    {45000000000, "45.0s"},
	    {UINT64_C(120000000000), "2min"},
	    {UINT64_C(7200000000000), "2.00h"},
	    {UINT64_C(8640000000000000), "100d"},
	};
	char text[VHU_TOP_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(vhu_top_time_text(row[i].ns, text), row[i].text);
	for (double ns = 1; ns < 1.8e19; ns *= 1.01)
		assert_true(strlen(vhu_top_time_text((uint64_t)ns, text)) <= VHU_TOP_NUMBER_WIDTH);
}

static void nothing_reaches_the_terminal_that_it_acts_on(void **state)
{
	char text[64], every[256], plain[1100];

	(void)state;
	assert_string_equal(vhu_top_plain("a\033[31m\x9b\x7f\n\t", text, sizeof(text)),
			    "a\\x1b[31m\\x9b\\x7f\\x0a\\x09");
	for (unsigned i = 0; i < 255; i++)
		every[i] = (char)(i + 1);
	every[255] = '\0';
	vhu_top_plain(every, plain, sizeof(plain));
	for (size_t i = 0; plain[i]; i++)
		assert_in_range(plain[i], ' ', '~');
	/* What does not fit is cut. */
	assert_string_equal(vhu_top_plain("0123456789", text, 5), "0123");
	assert_string_equal(vhu_top_plain("", text, sizeof(text)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(amounts_fit_in_five_columns),
	    cmocka_unit_test(times_fit_in_five_columns),
	    cmocka_unit_test(nothing_reaches_the_terminal_that_it_acts_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
