/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line's library: options, numbers, JSON. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cli/options.h"
#include "lib/util/json.h"
#include "lib/util/util.h"

static const struct vhu_option option[] = {
    {'w', "write", "FILE", "write to FILE"},
    {300, "quick", NULL, "be quick"},
    {0},
};
static const struct vhu_example example[] = {{0}};
static const struct vhu_command command = {.name = "test", .option = option, .example = example};

/* Take the next option of a command line, begun again where @argv is. */
static int next(char **argv, const char **argument)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return vhu_options_next(&command, argc, argv, argument);
}

static void options_come_one_by_one(void **state)
{
	char *argv[] = {"test", "-wa", "--quick", "--write=b", "last", NULL};
	const char *argument;

	(void)state;
	optind = 0;
	assert_int_equal(next(argv, &argument), 'w');
	assert_string_equal(argument, "a");
	assert_int_equal(next(argv, &argument), 300);
	assert_int_equal(next(argv, &argument), 'w');
	assert_string_equal(argument, "b");
	assert_int_equal(next(argv, &argument), VHU_OPTIONS_END);
	assert_string_equal(argv[optind], "last");
}

static void unknown_options_and_lacking_arguments_are_errors(void **state)
{
	char *unknown[] = {"test", "--slow", NULL}, *lacking[] = {"test", "-w", NULL};
	char *too_much[] = {"test", "--quick=5", NULL};
	const char *argument;

	(void)state;
	optind = 0;
	assert_int_equal(next(unknown, &argument), VHU_OPTIONS_ERROR);
	optind = 0;
	assert_int_equal(next(lacking, &argument), VHU_OPTIONS_ERROR);
	optind = 0;
	assert_int_equal(next(too_much, &argument), VHU_OPTIONS_ERROR);
}

static void numbers_are_whole_and_within_bounds(void **state)
{
	static const char *const bad[] = {
	    "", "-1", "+1", " 1", "1 ", "0x", "9", "1k", "18446744073709551616"};
	uint64_t value;

	(void)state;
	assert_int_equal(vhu_number_parse("8", 1, 8, &value), 0);
	assert_int_equal(value, 8);
	assert_int_equal(vhu_number_parse("0xff", 1, UINT64_MAX, &value), 0);
	assert_int_equal(value, 255);
	assert_int_equal(vhu_number_parse("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(bad); i++)
		assert_int_not_equal(vhu_number_parse(bad[i], 1, 8, &value), 0);
}

static void json_is_as_it_should_be(void **state)
{
	char *text = NULL;
	size_t size = 0;
	struct vhu_json json = {.to = open_memstream(&text, &size)};

	(void)state;
	vhu_json_object(&json, NULL);
	vhu_json_unsigned(&json, "features", 1);
	vhu_json_unsigned(&json, "time_ns", UINT64_MAX);
	vhu_json_unsigned(&json, "size", UINT64_C(1) << 53);
	vhu_json_signed(&json, "small", -1);
	vhu_json_array(&json, "list");
	vhu_json_object(&json, NULL);
	vhu_json_object_end(&json);
	vhu_json_bool(&json, NULL, true);
	vhu_json_array_end(&json);
	vhu_json_string(&json, "text", "a\"\\\n\x7f \xc3\xa4 \xff\xc0\x80 \xed\xa0\x80");
	vhu_json_bytes(&json, "bytes", (const uint8_t[]){0, 0xab}, 2);
	vhu_json_object_end(&json);
	fclose(json.to);
	assert_string_equal(text,
			    "{\"features\":\"1\",\"time_ns\":\"18446744073709551615\","
			    "\"size\":9007199254740992,\"small\":-1,"
			    "\"list\":[{},true],"
			    "\"text\":\"a\\\"\\\\\\u000a\\u007f \xc3\xa4 \\ufffd\\ufffd\\ufffd "
			    "\\ufffd\\ufffd\\ufffd\",\"bytes\":\"00ab\"}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_come_one_by_one),
	    cmocka_unit_test(unknown_options_and_lacking_arguments_are_errors),
	    cmocka_unit_test(numbers_are_whole_and_within_bounds),
	    cmocka_unit_test(json_is_as_it_should_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
