/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kicks and calls that take turns, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util/turns.h"

#include "lib/util/util.h"

/* Return what comes of kicks (k, or K for two at once) and calls (c, C), one after the other. */
static struct vhu_turns turns_of(const char *signals)
{
	struct vhu_turns turns = {0};

	for (uint64_t time_ns = 1; *signals; signals++, time_ns++) {
		if (*signals == 'k' || *signals == 'K')
			vhu_turns_kick(&turns, *signals == 'K' ? 2 : 1, time_ns);
		else
			vhu_turns_call(&turns, *signals == 'C' ? 2 : 1);
	}
	return turns;
}

static void kicks_with_a_call_each_are_counted(void **state)
{
	static const struct {
		const char *signals;
		uint64_t in_turn;
	} row[] = {
	    {"", 0},
	    {"k", 0},
	    {"kc", 1},
	    {"kck", 1},
	    {"kckckckc", 4},
	    {"kckckckck", 4},
	    /* A call is late. */
	    {"kckkcckck", 4},
	    {"kckkC", 3},
	    {"kcKcck", 3},
	    {"kckkckckcck", 5},
	    /* It is not there yet. */
	    {"kckckckckk", 0},
	    {"kckckckckkc", 0},
	    {"kckckckckkck", 0},
	    {"kckckckckkckc", 0},
	    /* It does not come. */
	    {"kckkckckck", 0},
	    {"kckkckckckck", 0},
	    {"kckkckckckckck", 1},
	    /* The driver begins with a kick, and nothing for the device to do. */
	    {"kkckck", 1},
	    {"kkckckckckck", 4},
	    /* More calls than kicks. */
	    {"kckckckcc", 0},
	    {"kckckckcCkck", 1},
	    {"c", 0},
	    /* More than one request at a time. */
	    {"kckckckckkkCckck", 1},
	    {"kckckckckkckkcccckck", 1},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		const struct vhu_turns turns = turns_of(row[i].signals);

		if (vhu_turns_in_turn(&turns) != row[i].in_turn)
			fail_msg("%s: %d in turn, not %d", row[i].signals,
				 (int)vhu_turns_in_turn(&turns), (int)row[i].in_turn);
	}
}

static void times_are_those_of_first_kicks(void **state)
{
	const struct vhu_turns plain = turns_of("kckck"), late = turns_of("kckkcck"),
			       again = turns_of("kckckkkckck");

	(void)state;
	assert_int_equal(plain.begun_ns, 1);
	assert_int_equal(plain.open_ns, 5);
	assert_int_equal(late.begun_ns, 1);
	assert_int_equal(late.open_ns, 7);
	assert_int_equal(again.begun_ns, 9);
}

static void a_new_beginning_forgets(void **state)
{
	struct vhu_turns turns = turns_of("kckckckckk");

	(void)state;
	vhu_turns_begin(&turns);
	vhu_turns_call(&turns, 2);
	assert_int_equal(vhu_turns_in_turn(&turns), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kicks_with_a_call_each_are_counted),
	    cmocka_unit_test(times_are_those_of_first_kicks),
	    cmocka_unit_test(a_new_beginning_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
