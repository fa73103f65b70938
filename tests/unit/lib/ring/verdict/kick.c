/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers wait: each cause, and what comes close and must not be taken for it. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ring/verdict/show.h"
#include "lib/util/util.h"
#include "tests/unit/lib/ring/image.h"

#define V(id) VHU_RING_##id

/* Make a packed ring with one used request and one that waits, each of one descriptor. */
static void open_packed(struct image *image, uint64_t features)
{
	image_open(image, features | IMAGE_PACKED | IMAGE_VERSION_1, 8);
	for (uint16_t i = 0; i < 4; i++)
		image_describe_packed(image, i, i, VRING_DESC_F_INDIRECT, true, i < 3);
}

static void d1_a_kick_is_wanted_and_none_came(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, IMAGE_EVENT_IDX, 3);
	image.evidence.session.base_by = 4;
	image.evidence.session.base = 65535; /* something was used since */
	/* Back-ends that complete all before they ask for the next kick leave their event behind.
	 */
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	/* The back-end has taken them: its event is behind. */
	*image.avail_event = htole16(3);
	image_expect(&image, V(D4), 0);
	image_close(&image);
	/* Neither EVENT_IDX nor the in-flight area: it may have been taken. */
	image_open_waiting(&image, 0, 3);
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	/* The area says that it was not. */
	image_add_inflight(&image);
	image_expect(&image, V(D1), 1, V(D20));
	/* Nothing was used since the start: it may wait since then. */
	image.evidence.session.base_by = 4;
	image_expect(&image, V(D1), 2, V(D20), V(D2b));
	/* Who does not know the counter cannot tell it from a kick that is not read. */
	image.evidence.sample[0].kick.known = image.evidence.sample[1].kick.known = false;
	image_expect(&image, V(D1), 3, V(D3), V(D20), V(D2b));
	image_close(&image);
}

static void d1_the_proxy_lost_the_kick(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image.evidence.signals.lost_kick = true;
	image_expect(&image, V(D1), 0);
	assert_non_null(strstr(image_judge(&image).text, "the proxy lost the last kick"));
	assert_non_null(strstr(image_judge(&image).advice, "vhu ctl faults remove"));
	image_close(&image);
}

static void d1_probes_tell_it_from_a_kick_that_was_read(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image.evidence.probes = (struct vhu_ring_probes){.known = true, .available = 1};
	image_expect(&image, V(D1), 0);
	image.evidence.probes.kicks = image.evidence.probes.wakes = 1;
	image_expect(&image, V(D4), 1, V(D20));
	/* Probes that came later know nothing of it. */
	image.evidence.probes = (struct vhu_ring_probes){.known = true, .available = 3};
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	image_close(&image);
}

static void d20_the_kick_was_read_and_nothing_taken(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 1);
	image_add_inflight(&image);
	image.evidence.probes = (struct vhu_ring_probes){.known = true, .kicks = 1, .wakes = 1};
	image_expect(&image, V(D20), 0);
	/* It has the buffer. */
	image_take(&image, 0, 1);
	image_expect(&image, V(D4), 0);
	image.inflight[16] = 0;
	/* No kick came. */
	image.evidence.probes.kicks = image.evidence.probes.wakes = 0;
	image_expect(&image, V(D1), 0);
	image.evidence.probes.known = false;
	image_expect(&image, V(D1), 1, V(D20));
	/* Each kick had a call, and this one has none. */
	image.evidence.signals = (struct vhu_ring_signals){
	    .known = true, .kicks = 5, .calls = 4, .open_kicks = 1, .in_turn = 4};
	image_expect(&image, V(D20), 0);
	/* Where the counter is not known, a stopped back-end most likely did not read it. */
	image.evidence.sample[0].kick.known = image.evidence.sample[1].kick.known = false;
	image_expect(&image, V(D20), 1, V(D3));
	image_set_states(&image, 'S', 'T');
	image_expect(&image, V(D3), 1, V(D20));
	image_set_states(&image, 'S', 'S');
	image.evidence.sample[0].kick.known = image.evidence.sample[1].kick.known = true;
	/* Several requests were under way, or more wait than kicks came. */
	image.avail->ring[127] = htole16(3);
	image_expect(&image, V(D1), 1, V(D20));
	image.avail->ring[127] = 0;
	image.avail->idx = htole16(2);
	image_expect(&image, V(D1), 1, V(D20));
	image.avail->idx = htole16(1);
	/* No habit, no kick since the last call, or it was lost on its way. */
	image.evidence.signals.in_turn = 3;
	image_expect(&image, V(D1), 1, V(D20));
	image.evidence.signals.in_turn = 4;
	image.evidence.signals.open_kicks = 0;
	image_expect(&image, V(D1), 1, V(D20));
	image.evidence.signals.open_kicks = 1;
	image.evidence.signals.lost_kick = true;
	image_expect(&image, V(D1), 0);
	image_close(&image);
}

static void d2_the_back_end_asks_for_no_kick(void **state)
{
	struct vhu_ring_verdict verdict;
	char text[VHU_RING_SHOW_TEXT];
	struct image image;

	(void)state;
	image_open_waiting(&image, IMAGE_EVENT_IDX, 5);
	image.used->idx = htole16(2);
	*image.avail_event = htole16(1);
	image_expect(&image, V(D2), 0);
	verdict = image_judge(&image);
	vhu_ring_verdict_text(0, &verdict, text, sizeof(text));
	assert_string_equal(text, "vring 0: 3 buffers wait, the back-end asks for no kick "
				  "(avail_event 1, available 5): the back-end did not re-arm "
				  "notification (D2)");
	/* One further, and a kick was due. */
	*image.avail_event = htole16(2);
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	/* A back-end that polls the vring asks for no kicks and may have the buffers ... */
	*image.avail_event = htole16(1);
	image.evidence.kick_poller = VHU_RING_POLLER_NONE;
	image_expect(&image, V(D2), 1, V(D4));
	/* ... and the in-flight area says so. */
	image_add_inflight(&image);
	image_take(&image, 6, 1);
	image_take(&image, 9, 2);
	image_take(&image, 12, 3);
	image_expect(&image, V(D4), 0);
	image_close(&image);
	/* By the flag. */
	image_open_waiting(&image, 0, 1);
	image.used->flags = htole16(VRING_USED_F_NO_NOTIFY);
	image_expect(&image, V(D2), 0);
	image_close(&image);
}

static void d2b_the_buffers_wait_since_the_start(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image.evidence.session.base_by = 9;
	image.evidence.session.start_known = true;
	image.evidence.session.start_available = 3;
	image_expect(&image, V(D2b), 0);
	/* One came later, and should have been kicked for. */
	image.evidence.session.start_available = 2;
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	/* Something was used since. */
	image.evidence.session.start_available = 3;
	image.used->idx = htole16(1);
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	image_close(&image);
}

static void d3_a_kick_is_not_read(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image_count(&image, 1, 0);
	image_expect(&image, V(D3), 0);
	image_set_states(&image, 'S', 'T');
	image_expect(&image, V(D3), 0);
	assert_non_null(strstr(image_judge(&image).text, "pid 200) is stopped by a signal (T)"));
	assert_non_null(strstr(image_judge(&image).advice, "kill -CONT"));
	/* Read between the samples: it moves. */
	image.evidence.sample[1].kick.count = 0;
	image_expect(&image, V(MOVING), 0);
	/* Another eventfd: the vring was set up again meanwhile. */
	image_count(&image, 1, 0);
	image.evidence.sample[1].kick.id = 12;
	image_expect(&image, V(MOVING), 0);
	image_close(&image);
	/* Nothing waits: a back-end that polls never reads its kicks. */
	image_open_used(&image, IMAGE_EVENT_IDX, 3);
	*image.used_event = htole16(3);
	image_count(&image, 4, 0);
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d3_of_a_receive_vring_needs_a_back_end_that_listens(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image.context.device = IMAGE_NET;
	image_count(&image, 1, 0);
	image.evidence.kick_poller = VHU_RING_POLLER_NONE;
	image_expect(&image, V(D13), 0);
	image.evidence.kick_poller = VHU_RING_POLLER_LEVEL;
	image_expect(&image, V(D3), 0);
	image.evidence.kick_poller = VHU_RING_POLLER_NONE;
	image_set_states(&image, 'S', 'T');
	image_expect(&image, V(D3), 0);
	image_close(&image);
}

static void d4_the_back_end_has_the_buffers(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image_add_inflight(&image);
	for (uint16_t i = 0; i < 3; i++)
		image_take(&image, (uint16_t)(3 * i), i);
	image_expect(&image, V(D4), 0);
	image.evidence.waiting_since_known = true;
	image.evidence.waiting_since_ns = 5300000000;
	assert_non_null(strstr(image_judge(&image).text, "3 buffers wait for 5.30 s"));
	/* Two of three: the third was not kicked for, or is beyond what the back-end takes. */
	image.inflight[16 + 16 * 6] = 0;
	image_expect(&image, V(D4), 1, V(D1));
	image.used->flags = htole16(VRING_USED_F_NO_NOTIFY);
	image_expect(&image, V(D4), 1, V(D2));
	image_close(&image);
}

static void d15_a_polling_back_end_does_not_look(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 2);
	image.evidence.session.polled = true;
	image.evidence.sample[0].kick.known = image.evidence.sample[1].kick.known = false;
	image_expect(&image, V(D15), 0);
	image.used->idx = htole16(2);
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image_close(&image);
}

/* Have a ring looked at 20 times, 10 ms apart; one request is done between two rests of 40 ms, and
 * the kick counter goes up by @rise each time. @rise 0: it is read once and goes up by 5. */
static struct vhu_ring_verdict judge_watched(struct image *image, uint64_t kicks, unsigned rise)
{
	struct vhu_ring_evidence *evidence = &image->evidence;
	struct vhu_ring_counter kick = {.known = true, .id = 10, .count = kicks};
	struct vhu_ring_snapshot ring;

	evidence->watch = (struct vhu_ring_watch){0};
	evidence->sample[0].kick.count = kicks;
	image_sample(image, 0);
	for (unsigned look = 0; look < 20; look++) {
		if (look % 5 == 4) {
			image->used->idx = image->avail->idx =
			    htole16((uint16_t)(le16toh(image->used->idx) + 1));
			kick.count = look == 4 && !rise ? 1 : kick.count + (rise ? rise : 5);
		}
		assert_int_equal(vhu_ring_snapshot_read(&image->place, &ring), 0);
		vhu_ring_watch_add(&evidence->watch, &evidence->sample[0],
				   look * 10 * VHU_NS_PER_MS, &ring, &kick);
		vhu_ring_snapshot_free(&ring);
	}
	evidence->sample[1].kick.count = kick.count;
	image_sample(image, 1);
	return vhu_ring_judge(evidence);
}

static void d16_requests_are_done_and_the_kick_is_never_read(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 0);
	assert_int_equal(judge_watched(&image, 7, 1).id, VHU_RING_D16);
	/* The kick was read, once is enough; or none was pending. */
	assert_int_equal(judge_watched(&image, 7, 0).id, VHU_RING_MOVING);
	assert_int_equal(judge_watched(&image, 0, 1).id, VHU_RING_MOVING);
	/* Another eventfd than before. */
	image.evidence.sample[1].kick.id = 12;
	assert_int_equal(judge_watched(&image, 7, 1).id, VHU_RING_MOVING);
	image.evidence.sample[1].kick.id = 10;
	/* It polls the vring and not the kick: that is no loop. */
	image.evidence.kick_poller = VHU_RING_POLLER_NONE;
	assert_int_equal(judge_watched(&image, 7, 1).id, VHU_RING_MOVING);
	image.evidence.kick_poller = VHU_RING_POLLER_EDGE;
	assert_int_equal(judge_watched(&image, 7, 1).id, VHU_RING_MOVING);
	image.evidence.kick_poller = VHU_RING_POLLER_UNKNOWN;
	assert_int_equal(judge_watched(&image, 7, 1).id, VHU_RING_MOVING);
	image_set_states(&image, 'S', 'R');
	assert_int_equal(judge_watched(&image, 7, 1).id, VHU_RING_D16);
	/* Two samples alone are chance: it may have had something to do all the time. */
	image.evidence.watch = (struct vhu_ring_watch){0};
	assert_int_equal(image_judge_moving(&image).id, VHU_RING_MOVING);
	image_close(&image);
}

static void d16_a_back_end_at_rest_leaves_the_kick_unread(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 5);
	image_count(&image, 3, 0);
	image_set_states(&image, 'S', 'R');
	image_expect(&image, V(D16), 0);
	image.evidence.sample[1].back_end.state = 'S';
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image_set_states(&image, 'S', 'R');
	image.avail->idx = htole16(6); /* there is something to do, and it is not done */
	image_expect(&image, V(D3), 0);
	image.avail->idx = htole16(5);
	image_set_states(&image, 'S', 'S');
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	/* The probes saw kicks and completed requests, but no read. */
	image.evidence.probes = (struct vhu_ring_probes){.known = true, .kicks = 5, .calls = 5};
	image_expect(&image, V(D16), 0);
	image.evidence.probes.wakes = 1;
	image_expect(&image, V(D13), 1, V(D8));
	image_close(&image);
}

static void a_packed_vring_is_judged_by_its_own_suppression(void **state)
{
	struct image image;

	(void)state;
	open_packed(&image, 0);
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	image_count(&image, 1, 0);
	image_expect(&image, V(D3), 0);
	image_count(&image, 0, 0);
	image.device->flags = htole16(VRING_PACKED_EVENT_FLAG_DISABLE);
	image_expect(&image, V(D2), 0);
	image_close(&image);
	open_packed(&image, IMAGE_EVENT_IDX);
	image.device->flags = htole16(VRING_PACKED_EVENT_FLAG_DESC);
	image.device->off_wrap = htole16(0x8003);
	image_expect(&image, V(D1), 2, V(D4), V(D20));
	image.device->off_wrap = htole16(0x8004);
	image_expect(&image, V(D4), 0);
	image.device->off_wrap = htole16(0x8002);
	image_expect(&image, V(D2), 0);
	image_close(&image);
}

static void a_guess_of_a_packed_ring_is_no_hang(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 8);
	image_describe_packed(&image, 0, 0, 0, true, true);
	image_describe_packed(&image, 1, 5, 0, true, false);
	image_expect(&image, V(D13), 2, V(D4), V(D1));
	assert_false(image_judge(&image).hangs);
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(d1_a_kick_is_wanted_and_none_came),
	    cmocka_unit_test(d1_the_proxy_lost_the_kick),
	    cmocka_unit_test(d1_probes_tell_it_from_a_kick_that_was_read),
	    cmocka_unit_test(d20_the_kick_was_read_and_nothing_taken),
	    cmocka_unit_test(d2_the_back_end_asks_for_no_kick),
	    cmocka_unit_test(d2b_the_buffers_wait_since_the_start),
	    cmocka_unit_test(d3_a_kick_is_not_read),
	    cmocka_unit_test(d3_of_a_receive_vring_needs_a_back_end_that_listens),
	    cmocka_unit_test(d4_the_back_end_has_the_buffers),
	    cmocka_unit_test(d15_a_polling_back_end_does_not_look),
	    cmocka_unit_test(d16_requests_are_done_and_the_kick_is_never_read),
	    cmocka_unit_test(d16_a_back_end_at_rest_leaves_the_kick_unread),
	    cmocka_unit_test(a_packed_vring_is_judged_by_its_own_suppression),
	    cmocka_unit_test(a_guess_of_a_packed_ring_is_no_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
