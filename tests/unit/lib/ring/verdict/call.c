/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers are used: each cause, and what comes close and must not be taken for it. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lib/ring/image.h"

#define V(id) VHU_RING_##id

static void d5_there_was_no_call(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 3);
	image.evidence.probes = (struct vhu_ring_probes){.known = true, .kicks = 3, .wakes = 3};
	image_expect(&image, V(D5), 0);
	image.evidence.probes.calls = 1;
	image_expect(&image, V(D13), 1, V(D8));
	/* The driver did not want one. */
	image.evidence.probes.calls = 0;
	image.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	image_expect(&image, V(D13), 0);
	image_close(&image);
	image_open_used(&image, IMAGE_EVENT_IDX, 3);
	image.evidence.probes = (struct vhu_ring_probes){.known = true, .kicks = 3, .wakes = 3};
	image_expect(&image, V(D5), 0);
	/* It has seen all without a call; it wants one later; it wanted one before the watch. */
	*image.used_event = htole16(3);
	image_expect(&image, V(D13), 0);
	*image.used_event = htole16(10);
	image_expect(&image, V(D13), 0);
	*image.used_event = htole16(0);
	image.evidence.probes.used = 2;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	/* Nothing was used while the probes watched. */
	image.evidence.probes.used = 3;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image_close(&image);
}

static void d5_each_kick_had_a_call_but_the_last(void **state)
{
	const uint64_t second = UINT64_C(1000000000);
	struct image image;

	(void)state;
	image_open_used(&image, 0, 5);
	image.evidence.signals = (struct vhu_ring_signals){.known = true,
							   .kicks = 5,
							   .calls = 4,
							   .open_kicks = 1,
							   .open_ns = 2 * second,
							   .in_turn = 4};
	/* Several requests under way: a call may have answered one before its kick came. */
	image.avail->ring[3] = htole16(6);
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image.avail->ring[3] = 0;
	image_expect(&image, V(D5), 0);
	assert_true(image_judge(&image).hangs);
	assert_non_null(strstr(image_judge(&image).text, "the last one has had none for 2.00 s"));
	/* Only now; too few to be a habit; the driver wants no calls. */
	image.evidence.signals.open_ns = second / 2;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image.evidence.signals.open_ns = 2 * second;
	image.evidence.signals.in_turn = 3;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image.evidence.signals.in_turn = 4;
	image.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	image_expect(&image, V(D13), 0);
	image_close(&image);
	/* The driver asks for a call at the last buffer; where it was long ago. */
	image_open_used(&image, IMAGE_EVENT_IDX, 5);
	image.evidence.signals = (struct vhu_ring_signals){.known = true,
							   .kicks = 5,
							   .calls = 4,
							   .open_kicks = 1,
							   .open_ns = 2 * second,
							   .in_turn = 4};
	*image.used_event = htole16(4);
	image_expect(&image, V(D5), 0);
	*image.used_event = htole16(3);
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	*image.used_event = htole16(5);
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d6_the_proxy_lost_the_call(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 5);
	image.evidence.signals.lost_call = true;
	image_expect(&image, V(D6), 0);
	assert_true(image_judge(&image).hangs);
	image.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d6_a_call_is_not_read(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 3);
	image_count(&image, 0, 2);
	image_expect(&image, V(D6), 0);
	/* A driver that polls never reads its call. */
	image.evidence.call_poller = VHU_RING_POLLER_NONE;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image.evidence.call_poller = VHU_RING_POLLER_LEVEL;
	image.evidence.sample[0].call.count = 0;
	image_expect(&image, V(MOVING), 0);
	image_close(&image);
	image_open_used(&image, IMAGE_EVENT_IDX, 3);
	image_count(&image, 0, 2);
	image_expect(&image, V(D6), 0);
	/* The driver has seen all. */
	*image.used_event = htole16(3);
	image_expect(&image, V(D13), 0);
	image_close(&image);
	/* Suppressed: a call that came before only matters while the front-end cannot run. */
	image_open_used(&image, 0, 3);
	image_count(&image, 0, 2);
	image.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	image_expect(&image, V(D13), 0);
	image_set_states(&image, 'T', 'S');
	image_expect(&image, V(D6), 0);
	image_close(&image);
}

static void d7_the_back_end_holds_the_call_of_before(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 3);
	for (unsigned i = 0; i < 2; i++) {
		image.evidence.sample[i].call_holders_known = true;
		image.evidence.sample[i].holds_old_call = true;
	}
	image_expect(&image, V(D7), 0);
	/* Both: it is being replaced. In one sample only: it was replaced. */
	image.evidence.sample[1].holds_call = true;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image.evidence.sample[0].holds_call = true;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	/* None at all: it may not call this vring. */
	for (unsigned i = 0; i < 2; i++)
		image.evidence.sample[i].holds_call = image.evidence.sample[i].holds_old_call =
		    false;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	/* A stopped vring has none. */
	for (unsigned i = 0; i < 2; i++)
		image.evidence.sample[i].holds_old_call = true;
	image.evidence.session.started = false;
	image_expect(&image, V(D10), 0);
	image_close(&image);
}

static void d8_the_driver_was_called_and_has_not_seen_it(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, IMAGE_EVENT_IDX, 3);
	image.evidence.probes =
	    (struct vhu_ring_probes){.known = true, .kicks = 3, .wakes = 3, .calls = 3};
	image_expect(&image, V(D8), 0);
	/* Fewer calls than requests: the last one may be missing. */
	image.evidence.probes.calls = 2;
	image_expect(&image, V(D8), 1, V(D5));
	*image.used_event = htole16(3);
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d13_an_idle_vring_may_hide_a_lost_call(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 0);
	image_expect(&image, V(D13), 0);
	assert_false(image_judge(&image).hangs);
	image_close(&image);
	image_open_used(&image, 0, 3);
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	assert_false(image_judge(&image).hangs);
	image_close(&image);
	image_open_used(&image, IMAGE_EVENT_IDX, 3);
	*image.used_event = htole16(2);
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	*image.used_event = htole16(3);
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d13_buffers_for_input_are_no_hang(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, IMAGE_EVENT_IDX, 0);
	image.context.device = IMAGE_NET;
	for (uint16_t i = 0; i < 100; i++) {
		image_describe(
		    &image, i,
		    (struct vring_desc){IMAGE_BUFFERS_GUEST + 64u * i, 64, VRING_DESC_F_WRITE, 0});
		image.avail->ring[i] = htole16(i);
	}
	image.avail->idx = htole16(100);
	image_expect(&image, V(D13), 0);
	assert_string_equal(image_judge(&image).text, "100 buffers wait for input");
	/* The device is not known: the buffers themselves look so. */
	image.context.device = 0;
	image_expect(&image, V(D13), 2, V(D4), V(D1));
	assert_false(image_judge(&image).hangs);
	/* These tell the device something. */
	image_describe(&image, 1, (struct vring_desc){IMAGE_BUFFERS_GUEST, 64, 0, 0});
	assert_true(image_judge(&image).hangs);
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(d5_there_was_no_call),
	    cmocka_unit_test(d5_each_kick_had_a_call_but_the_last),
	    cmocka_unit_test(d6_the_proxy_lost_the_call),
	    cmocka_unit_test(d6_a_call_is_not_read),
	    cmocka_unit_test(d7_the_back_end_holds_the_call_of_before),
	    cmocka_unit_test(d8_the_driver_was_called_and_has_not_seen_it),
	    cmocka_unit_test(d13_an_idle_vring_may_hide_a_lost_call),
	    cmocka_unit_test(d13_buffers_for_input_are_no_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
