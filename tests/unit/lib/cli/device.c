/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices and dialects as a person names them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/cli/device.h"
#include "lib/protocol/protocol.h"
#include "lib/util/util.h"

static void a_device_has_a_name_and_an_id(void **state)
{
	(void)state;
	assert_int_equal(vhu_device_parse("net"), 1);
	assert_int_equal(vhu_device_parse("NET"), 1);
	assert_int_equal(vhu_device_parse("2"), 2);
	assert_int_equal(vhu_device_parse("0x1a"), 26);
	/* Ids of no known device pass: later specifications have more. */
	assert_int_equal(vhu_device_parse("4294967295"), UINT32_MAX);
}

static void other_words_name_no_device(void **state)
{
	static const char *const word[] = {"", "0", "nets", "4294967296", "-1", "2 "};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(word); i++)
		assert_int_equal(vhu_device_parse(word[i]), 0);
}

static void every_dialect_is_found_by_its_name(void **state)
{
	(void)state;
	for (int i = VHU_UPSTREAM; i < VHU_DIALECTS; i++)
		assert_int_equal(vhu_dialect_parse(vhu_dialect_name((enum vhu_dialect)i)), i);
	assert_int_equal(vhu_dialect_parse("PROBE"), VHU_PROBE);
	assert_int_equal(vhu_dialect_parse(""), -1);
	assert_int_equal(vhu_dialect_parse("probes"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_device_has_a_name_and_an_id),
	    cmocka_unit_test(other_words_name_no_device),
	    cmocka_unit_test(every_dialect_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
