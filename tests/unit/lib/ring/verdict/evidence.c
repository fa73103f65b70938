/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What looks between the samples add up to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/ring/verdict/evidence.h"
#include "lib/util/util.h"

/* One look: when, at what. */
struct watch_look {
	unsigned ms;
	uint16_t available, used;
	uint64_t count;
};

/* Add looks up; the ring was at 5 and 5 in the older sample. */
static struct vhu_ring_watch watch(const struct watch_look *look, unsigned looks)
{
	struct vhu_ring_sample older = {.ring = {.size = 8, .steady = true}};
	struct vhu_ring_watch sum = {0};

	older.ring.available = older.ring.used = 5;
	for (unsigned i = 0; i < looks; i++) {
		struct vhu_ring_snapshot ring = older.ring;
		const struct vhu_ring_counter kick = {.known = true, .count = look[i].count};

		ring.available = look[i].available;
		ring.used = look[i].used;
		ring.waiting = (uint16_t)(look[i].available - look[i].used);
		vhu_ring_watch_add(&sum, &older, look[i].ms * VHU_NS_PER_MS, &ring, &kick);
	}
	return sum;
}

static void a_rest_takes_5_ms_with_nothing_to_do_and_an_unread_kick(void **state)
{
	static const struct {
		struct watch_look look[3];
		unsigned rests;
	} row[] = {
	    {{{0, 5, 5, 1}, {5, 5, 5, 1}, {10, 5, 5, 1}}, 2},
	    {{{0, 5, 5, 1}, {4, 5, 5, 1}, {8, 5, 5, 1}}, 1},
	    {{{0, 5, 5, 1}, {2, 5, 5, 1}, {4, 5, 5, 1}}, 0},
	    {{{0, 5, 5, 0}, {5, 5, 5, 0}, {10, 5, 5, 0}}, 0},
	    {{{0, 5, 5, 1}, {5, 6, 5, 1}, {10, 6, 5, 1}}, 0},
	    {{{0, 5, 5, 1}, {5, 6, 6, 1}, {10, 7, 7, 1}}, 0},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		assert_int_equal(watch(row[i].look, 3).rests, row[i].rests);
}

static void a_counter_that_falls_was_read(void **state)
{
	static const struct watch_look look[] = {
	    {0, 5, 5, 1}, {1, 5, 5, 3}, {2, 5, 5, 2}, {3, 6, 5, 1}, {4, 6, 6, 4}};

	(void)state;
	assert_int_equal(watch(look, 2).falls, 0);
	assert_int_equal(watch(look, 3).falls, 1);
	assert_int_equal(watch(look, 5).falls, 2);
}

static void a_ring_that_is_not_as_before_moved(void **state)
{
	static const struct watch_look look[] = {
	    {0, 5, 5, 0}, {1, 6, 5, 0}, {2, 6, 6, 0}, {3, 5, 5, 0}};

	(void)state;
	assert_int_equal(watch(look, 1).moves, 0);
	assert_int_equal(watch(look, 4).moves, 2);
	assert_int_equal(watch(look, 4).looks, 4);
}

static void missing_snapshots_are_not_counted(void **state)
{
	const struct vhu_ring_sample older = {.ring_error = -5};
	const struct vhu_ring_snapshot ring = {.size = 8, .steady = true};
	const struct vhu_ring_counter unknown = {.count = 3};
	struct vhu_ring_watch sum = {0};

	(void)state;
	vhu_ring_watch_add(&sum, &older, 0, NULL, NULL);
	vhu_ring_watch_add(&sum, &older, 10 * VHU_NS_PER_MS, &ring, &unknown);
	assert_int_equal(sum.looks, 2);
	assert_int_equal(sum.moves, 0);
	assert_int_equal(sum.counts, 0);
	assert_int_equal(sum.rests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rest_takes_5_ms_with_nothing_to_do_and_an_unread_kick),
	    cmocka_unit_test(a_counter_that_falls_was_read),
	    cmocka_unit_test(a_ring_that_is_not_as_before_moved),
	    cmocka_unit_test(missing_snapshots_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
