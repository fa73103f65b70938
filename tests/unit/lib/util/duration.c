/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths of time as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/util/duration.h"

#include "lib/util/util.h"

#define SECOND UINT64_C(1000000000)

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} row[] = {
	    {"0s", 0},
	    {"7ns", 7},
	    {"200us", 200000},
	    {"500ms", SECOND / 2},
	    {"2 s", 2 * SECOND},
	    {"8", 8 * SECOND},
	    {"0.5", SECOND / 2},
	    {"3min", 180 * SECOND},
	    {"1.5h", 5400 * SECOND},
	    {"1.5s", 3 * SECOND / 2},
	    {"0.25 us", 250},
	    {"1.999ns", 1},
	    {"0.0000000001min", 6},
	    {"18446744073.709551615s", UINT64_MAX},
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		assert_int_equal(vhu_duration_parse(row[i].text, &ns), 0);
		assert_int_equal(ns, row[i].ns);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const text[] = {
	    "",
	    "5 ",
	    "ms",
	    "-5ms",
	    "+5ms",
	    " 5ms",
	    "5 ms ",
	    "5  ms",
	    "5m",
	    "5hours",
	    "5MS",
	    "1.s",
	    ".5s",
	    "1.5.5s",
	    "1e3s",
	    "0x5s",
	    "18446744073.709551616s",
	    "18446744074s",
	    "99999999999999999999999ns",
	    "5ms5",
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(text); i++)
		assert_true(vhu_duration_parse(text[i], &ns) < 0);
}

static void durations_have_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} row[] = {
	    {0, "0 ns"},
	    {999, "999 ns"},
	    {1000, "1.00 us"},
	    {1234, "1.23 us"},
	    {12345, "12.3 us"},
	    {200000, "200 us"},
	    {999999, "999 us"},
	    {1005000, "1.00 ms"},
	    {59 * SECOND + 990000000, "59.9 s"},
	    {5000 * SECOND, "5000 s"},
	    {UINT64_MAX, "18446744073 s"},
	};
	char text[VHU_DURATION_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		assert_string_equal(vhu_duration_text(row[i].ns, text), row[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_are_read),
	    cmocka_unit_test(what_is_no_duration_is_refused),
	    cmocka_unit_test(durations_have_three_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
