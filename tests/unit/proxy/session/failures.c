/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions of a pair that could not begin, in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/session/failures.h"

#include "lib/util/util.h"

static void the_first_failure_is_recorded_and_does_not_wait(void **state)
{
	struct vhu_failures failures = {0};
	char text[VHU_FAILURES_TEXT];

	(void)state;
	assert_int_equal(vhu_failures_wait(&failures, vhu_now_ns()), 0);
	assert_int_equal(vhu_failures_add(&failures, "a.sock: gone"), 0);
	assert_false(vhu_failures_take(&failures, text));
}

static void failures_that_follow_are_counted(void **state)
{
	struct vhu_failures failures = {0};
	char text[VHU_FAILURES_TEXT];
	uint64_t first_ns, next_ns;

	(void)state;
	vhu_failures_add(&failures, "a.sock: gone");
	first_ns = vhu_failures_add(&failures, "a.sock: gone");
	assert_true(first_ns > 0 && first_ns < UINT64_MAX);
	for (unsigned i = 0; i < 7; i++)
		assert_true(vhu_failures_add(&failures, "a.sock: gone") == UINT64_MAX);
	assert_true(vhu_failures_take(&failures, text));
	assert_string_equal(text, "a.sock: gone (8 times)");
	assert_false(vhu_failures_take(&failures, text));
	next_ns = vhu_failures_add(&failures, "a.sock: gone");
	assert_true(next_ns > first_ns && next_ns < UINT64_MAX);
	assert_true(vhu_failures_take(&failures, text));
	assert_string_equal(text, "a.sock: gone");
}

static void each_failure_waits_longer_up_to_a_limit(void **state)
{
	struct vhu_failures failures = {0};
	uint64_t wait_ns = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		vhu_failures_add(&failures, "a.sock: gone");
		assert_true(failures.wait_ns > wait_ns || wait_ns == VHU_FAILURES_WAIT_MAX_NS);
		wait_ns = failures.wait_ns;
	}
	assert_int_equal(wait_ns, VHU_FAILURES_WAIT_MAX_NS);
	/* One that has been there for so long has waited. */
	assert_int_equal(vhu_failures_wait(&failures, vhu_now_ns() - VHU_FAILURES_WAIT_MAX_NS), 0);
}

static void session_or_new_reason_restarts_the_pause(void **state)
{
	struct vhu_failures failures = {0};

	(void)state;
	vhu_failures_add(&failures, "a.sock: gone");
	vhu_failures_add(&failures, "a.sock: gone");
	assert_false(vhu_failures_is_again(&failures, "a.sock: refused"));
	assert_int_equal(vhu_failures_add(&failures, "a.sock: refused"), 0);
	assert_int_equal(failures.wait_ns, VHU_FAILURES_WAIT_NS);
	vhu_failures_end(&failures);
	assert_int_equal(vhu_failures_wait(&failures, vhu_now_ns()), 0);
	assert_false(vhu_failures_is_again(&failures, "a.sock: refused"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_failure_is_recorded_and_does_not_wait),
	    cmocka_unit_test(failures_that_follow_are_counted),
	    cmocka_unit_test(each_failure_waits_longer_up_to_a_limit),
	    cmocka_unit_test(session_or_new_reason_restarts_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
