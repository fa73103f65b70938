/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu top makes of the answers of its sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/virtio_ids.h>

#include "tools/top/table/model.h"

#define S UINT64_C(1000000000)

/* Begin a session of a disk at @clock. */
static struct vhu_top_session *begin(struct vhu_top_source *source, uint64_t number, uint64_t clock)
{
	struct vhu_top_session *session = vhu_top_session_begin(source, number, clock);

	assert_non_null(session);
	session->device_id = VIRTIO_ID_BLOCK;
	session->messages_known = true;
	return session;
}

/* Set a started vring's number of kicks and calls, with @delay between each kick and its call. */
static void tell(struct vhu_top_session *session, unsigned index, uint64_t kicks, uint64_t delay)
{
	struct vhu_top_told told = {
	    .index = index, .started = true, .counted = true, .kicks = kicks, .calls = kicks};

	if (kicks)
		vhu_histogram_add(&told.delay, delay, kicks);
	assert_int_equal(vhu_top_session_vring(session, &told), 0);
}

/* Take one answer: session 1 with vring 0. Returns the session. */
static struct vhu_top_session *answer(struct vhu_top_source *source, uint64_t clock, uint64_t kicks,
				      uint64_t messages)
{
	struct vhu_top_session *session = begin(source, 1, clock);

	session->messages = messages;
	tell(session, 0, kicks, 1000);
	vhu_top_session_end(session);
	vhu_top_source_end(source, clock);
	return session;
}

static void rates_are_those_between_two_answers(void **state)
{
	struct vhu_top top = {.stall_ns = S};
	struct vhu_top_source *source = vhu_top_source(&top, "a");
	struct vhu_top_session *session = answer(source, 5 * S, 1000, 40);
	const struct vhu_top_vring *vring = session->vring[0];

	(void)state;
	assert_false(vring->rated);
	assert_false(session->rated);
	session = answer(source, 7 * S, 1300, 50);
	assert_true(vring->rated && vring->timed && session->rated);
	assert_int_equal(vring->kicks_per_s, 150);
	assert_int_equal(vring->calls_per_s, 150);
	assert_int_equal(session->messages_per_s, 5);
	assert_int_equal(vhu_histogram_bucket_of(vring->p99_ns), vhu_histogram_bucket_of(1000));

	/* Nothing happens: 0 a second, and no times. */
	session = answer(source, 8 * S, 1300, 50);
	vhu_top_session_judge(&top, session);
	assert_true(vring->rated);
	assert_false(vring->timed);
	assert_int_equal(vring->state, VHU_TOP_IDLE);
	/* Counts that go back are another beginning, as those of probes that were started again. */
	session = answer(source, 9 * S, 3, 50);
	assert_false(vring->rated);
	/* So is a clock that does: another proxy has a session of this number. */
	session = answer(source, 1 * S, 5, 50);
	assert_false(session->vring[0]->rated);
	assert_false(session->rated);
	vhu_top_free(&top);
}

static void what_an_answer_does_not_mention_is_dropped(void **state)
{
	struct vhu_top top = {.stall_ns = S};
	struct vhu_top_source *source = vhu_top_source(&top, "a");
	struct vhu_top_session *session;

	(void)state;
	for (uint64_t number = 1; number <= 9; number++) {
		session = begin(source, number, S);
		for (unsigned i = 0; i < 5; i++)
			tell(session, i, 1, 1);
		vhu_top_session_end(session);
	}
	vhu_top_source_end(source, S);
	assert_int_equal(source->sessions, 9);
	session = begin(source, 8, 2 * S);
	tell(session, 4, 1, 1);
	tell(session, 7, 1, 1);
	vhu_top_session_end(session);
	vhu_top_source_end(source, 2 * S);
	assert_int_equal(source->sessions, 1);
	assert_int_equal(source->session[0]->number, 8);
	assert_int_equal(session->vrings, 2);
	assert_int_equal(session->vring[0]->now.index, 4);

	vhu_top_source_gone(source, "away", 3 * S);
	assert_int_equal(source->sessions, 0);
	assert_false(source->here);
	assert_int_equal(source->since_ns, 3 * S);
	/* It still is: since the same time. */
	vhu_top_source_gone(source, "away yet", 4 * S);
	assert_int_equal(source->since_ns, 3 * S);
	assert_string_equal(source->error, "away yet");
	assert_ptr_equal(vhu_top_source(&top, "a"), source);
	assert_ptr_not_equal(vhu_top_source(&top, "b"), source);
	vhu_top_free(&top);
}

/* Return the state of a vring with these facts, in a session like @like. */
static enum vhu_top_state state_of(struct vhu_top_told told, struct vhu_top_session like)
{
	struct vhu_top top = {.stall_ns = S};
	struct vhu_top_source *source = vhu_top_source(&top, "a");
	struct vhu_top_session *session = vhu_top_session_begin(source, 1, S);
	enum vhu_top_state state;

	session->device_id = like.device_id;
	session->stopped = like.stopped;
	session->waiting_ns = like.waiting_ns;
	strcpy(session->waiting_for, like.waiting_for);
	assert_int_equal(vhu_top_session_vring(session, &told), 0);
	vhu_top_session_end(session);
	vhu_top_session_judge(&top, session);
	state = session->vring[0]->state;
	vhu_top_free(&top);
	return state;
}

static void states_follow_from_what_is_told(void **state)
{
	const struct vhu_top_session disk = {.device_id = VIRTIO_ID_BLOCK};
	const struct vhu_top_session net = {.device_id = VIRTIO_ID_NET};
	const struct vhu_top_session stopped_net = {.device_id = VIRTIO_ID_NET, .stopped = true};
	const struct vhu_top_session asking = {
	    .device_id = VIRTIO_ID_NET, .waiting_for = "GET_CONFIG", .waiting_ns = 2 * S};
	struct vhu_top_told told = {0};

	(void)state;
	assert_int_equal(state_of(told, disk), VHU_TOP_OFF);
	told.started = true;
	assert_int_equal(state_of(told, disk), VHU_TOP_ON);
	assert_int_equal(state_of(told, asking), VHU_TOP_NOREPLY);
	told.counted = true;
	assert_int_equal(state_of(told, disk), VHU_TOP_IDLE);
	told.waiting = 1;
	told.waiting_ns = S / 2;
	assert_int_equal(state_of(told, disk), VHU_TOP_IDLE);
	told.waiting_ns = S;
	assert_int_equal(state_of(told, disk), VHU_TOP_STALLED);
	/* Buffers for packets wait until one comes, but not for a back-end that is stopped. */
	assert_int_equal(state_of(told, net), VHU_TOP_WAITS);
	assert_int_equal(state_of(told, stopped_net), VHU_TOP_STALLED);
	/* One that was called after each kick before should be called now. */
	told.in_turn = 100;
	assert_int_equal(state_of(told, net), VHU_TOP_STALLED);
	told = (struct vhu_top_told){.started = true, .polling = true};
	assert_int_equal(state_of(told, disk), VHU_TOP_POLLS);
	told.stalled = true;
	assert_int_equal(state_of(told, disk), VHU_TOP_STALLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rates_are_those_between_two_answers),
	    cmocka_unit_test(what_an_answer_does_not_mention_is_dropped),
	    cmocka_unit_test(states_follow_from_what_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
