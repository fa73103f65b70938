/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What session, sockets and descriptors say, and what comes close. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lib/ring/image.h"

#define V(id) VHU_RING_##id

static void d10_the_vring_does_not_run(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 2);
	image.evidence.session.started = false;
	image.evidence.session.stopped_by = 57;
	image.evidence.session.stopped_message = VHU_MSG_GET_VRING_BASE;
	image_expect(&image, V(D10), 0);
	assert_true(image_judge(&image).hangs);
	assert_non_null(strstr(image_judge(&image).text, "GET_VRING_BASE (message 57)"));
	image.evidence.session.started = true;
	image.evidence.session.enabled = false;
	image_expect(&image, V(D10), 0);
	/* Drivers leave buffers in receive vrings that they do not use. */
	image.context.device = IMAGE_NET;
	assert_false(image_judge(&image).hangs);
	/* Of a capture that does not know, nothing is said. */
	image.context.device = IMAGE_BLOCK;
	image.evidence.session.known = false;
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	image_close(&image);
	/* Never started: there are no addresses, and nothing that waits. */
	image_open(&image, 0, 0);
	image.evidence.session.started = false;
	image_expect(&image, V(D10), 0);
	assert_false(image_judge(&image).hangs);
	image_close(&image);
}

static void d14_the_control_plane_is_stuck(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		image.evidence.sample[i].pending.number = 57;
		image.evidence.sample[i].pending.message = VHU_MSG_GET_VRING_BASE;
		image.evidence.sample[i].pending.age_ns = 300000000;
		image.evidence.sample[i].back_end.unread = 80;
	}
	image_expect(&image, V(D14), 0);
	assert_non_null(strstr(image_judge(&image).text,
			       "GET_VRING_BASE (message 57) has waited 300 ms for its reply, the "
			       "back-end leaves 80 bytes unread"));
	/* Read, and answered late: only after a second. */
	for (unsigned i = 0; i < 2; i++)
		image.evidence.sample[i].back_end.unread = 0;
	image_expect(&image, V(D13), 0);
	image.evidence.sample[1].pending.age_ns = 1000000000;
	image_expect(&image, V(D14), 0);
	/* Another request than before: it goes on. */
	image.evidence.sample[0].pending.number = 56;
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d19_dead_eventfds_are_held(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, IMAGE_EVENT_IDX, 3);
	*image.used_event = htole16(3);
	image.evidence.dead = (struct vhu_ring_dead){.known = true, .held = 80, .resets = 20};
	image_expect(&image, V(D19), 0);
	assert_false(image_judge(&image).hangs);
	assert_int_equal(image_judge_moving(&image).id, VHU_RING_D19);
	/* Those of the last set-up may be closed a while later. */
	image.evidence.dead.held = 7;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	/* A hang is worse. */
	image.evidence.dead.held = 80;
	image_count(&image, 0, 1);
	image_expect(&image, V(D6), 0);
	image_close(&image);
}

/* Let the proxy between kicks and calls be in these states at the two looks. */
static void set_proxy(struct image *image, char older, char newer)
{
	image->evidence.sample[0].proxy = (struct vhu_ring_process){true, 7, older, 0};
	image->evidence.sample[1].proxy = (struct vhu_ring_process){true, 7, newer, 0};
}

static void d21_the_proxy_that_passes_kicks_cannot_run(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 2);
	set_proxy(&image, 'S', 'R');
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	set_proxy(&image, 'T', 'T');
	image_expect(&image, V(D21), 0);
	assert_string_equal(image_judge(&image).text,
			    "2 buffers wait, the proxy (pid 7) is stopped by a signal (T) and "
			    "passes no kick and no call on");
	assert_non_null(strstr(image_judge(&image).advice, "kill -CONT"));
	/* It was stopped at one of the looks only. */
	set_proxy(&image, 'D', 'S');
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	set_proxy(&image, 'S', 'T');
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	image_close(&image);
	/* Nothing waits in the vring: a call may wait in the proxy. */
	image_open_used(&image, IMAGE_EVENT_IDX, 3);
	set_proxy(&image, 'T', 'T');
	image_expect(&image, V(D21), 0);
	assert_true(image_judge(&image).hangs);
	assert_non_null(strstr(image_judge(&image).text, "nothing waits, available and used are 3, "
							 "the proxy (pid 7) is stopped"));
	/* A back-end that polls goes on without it. */
	assert_int_equal(image_judge_moving(&image).id, VHU_RING_MOVING);
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(d10_the_vring_does_not_run),
	    cmocka_unit_test(d14_the_control_plane_is_stuck),
	    cmocka_unit_test(d19_dead_eventfds_are_held),
	    cmocka_unit_test(d21_the_proxy_that_passes_kicks_cannot_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
