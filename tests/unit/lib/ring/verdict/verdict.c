/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What moves, and what cannot be read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lib/ring/image.h"

#define V(id) VHU_RING_##id

static void a_vring_that_moved_is_moving(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image_count(&image, 1, 0);
	image_judge(&image);
	/* Samples too close to each other prove nothing. */
	image.evidence.sample[1].time_ns = VHU_RING_SAMPLES_APART - 1;
	assert_int_equal(vhu_ring_judge(&image.evidence).id, VHU_RING_MOVING);
	image.evidence.sample[1].time_ns = VHU_RING_SAMPLES_APART;
	assert_int_equal(vhu_ring_judge(&image.evidence).id, VHU_RING_D3);
	image.evidence.sample[0].ring.steady = false;
	assert_int_equal(vhu_ring_judge(&image.evidence).id, VHU_RING_MOVING);
	image_expect(&image, V(D3), 0);
	/* It moved between the samples, and is where it was. */
	image.evidence.watch.moves = 1;
	image_expect(&image, V(MOVING), 0);
	image.evidence.watch.moves = 0;
	image_sample(&image, 0);
	image_offer(&image, 9);
	image_sample(&image, 1);
	assert_int_equal(vhu_ring_judge(&image.evidence).id, VHU_RING_MOVING);
	image_close(&image);
}

static void unreadable_memory_is_reported(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image.place.used = 1;
	image_expect(&image, V(UNREAD), 0);
	assert_false(image_judge(&image).hangs);
	assert_non_null(strstr(image_judge(&image).text, "outside the memory regions"));
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_vring_that_moved_is_moving),
	    cmocka_unit_test(unreadable_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
