/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop's timers: which fires when, however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/core/loop.h"

#define TIMERS 300
#define STEPS  20000

/* A timer, and what is to come of it. */
struct tested {
	struct vhu_timer timer;
	bool set;
	unsigned fired;
};

static struct tested tested[TIMERS];
static uint64_t last_ns;

/* Note that a timer fired, which must be set, and none be due before it. */
static void fire(struct vhu_timer *timer)
{
	struct tested *one = (struct tested *)timer;

	assert_true(one->set);
	assert_true(timer->due_ns >= last_ns);
	for (unsigned i = 0; i < TIMERS; i++)
		assert_true(!tested[i].set || tested[i].timer.due_ns >= timer->due_ns);
	last_ns = timer->due_ns;
	one->set = false;
	one->fired++;
}

/* Take the first timer out, as the loop does when it is due. */
static void take_first(struct vhu_loop *loop)
{
	struct vhu_timer *first = loop->timers;

	vhu_loop_unset(first);
	fire(first);
}

/* Whatever is set, set again and unset in whatever order: they come out by their moments. */
static void timers_come_in_order(void **state)
{
	struct vhu_loop loop = {0};
	unsigned set = 0, fired = 0, taken = 0;

	(void)state;
	srandom(7);
	memset(tested, 0, sizeof(tested));
	for (unsigned i = 0; i < STEPS; i++) {
		struct tested *one = &tested[random() % TIMERS];
		long what = random() % 8;

		if (what < 4) {
			set += !one->set;
			one->set = true;
			/* Many at the same moment, in effect: a few kinds of delays. */
			vhu_loop_set(&loop, &one->timer, (uint64_t)(random() % 5) * 1000000);
			last_ns = 0;
		} else if (what < 6) {
			taken += one->set;
			one->set = false;
			vhu_loop_unset(&one->timer);
			assert_null(one->timer.link);
		} else if (loop.timers) {
			take_first(&loop);
		}
	}
	while (loop.timers)
		take_first(&loop);
	for (unsigned i = 0; i < TIMERS; i++) {
		assert_false(tested[i].set);
		fired += tested[i].fired;
	}
	assert_int_equal(set, fired + taken);
}

static unsigned rings;

/* Set it again twice, then stop. */
static void ring(struct vhu_timer *timer)
{
	struct vhu_loop *loop = (struct vhu_loop *)((char *)timer + sizeof(*timer));

	if (++rings < 3)
		vhu_loop_set(loop, timer, 1000000);
	else
		loop->stop = true;
}

/* One that sets itself again fires again. */
static void timer_sets_itself(void **state)
{
	struct {
		struct vhu_timer timer;
		struct vhu_loop loop;
	} bench = {.timer = {.fire = ring}};

	(void)state;
	assert_int_equal(vhu_loop_start(&bench.loop), 0);
	vhu_loop_set(&bench.loop, &bench.timer, 0);
	assert_int_equal(vhu_loop_run(&bench.loop), 0);
	assert_int_equal(rings, 3);
	assert_null(bench.loop.timers);
	vhu_loop_end(&bench.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(timers_come_in_order),
	    cmocka_unit_test(timer_sets_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
