/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the proxy counts, and which request it takes to wait for an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proxy/session/link_stats.h"
#include "proxy/session/replies.h"

static const struct vhu_context unknown;
static const struct vhu_context acknowledges = {
    .has_protocol_features = true,
    .protocol_features = 1u << VHU_PF_REPLY_ACK | 1u << VHU_PF_LOG_SHMFD,
};
static const struct vhu_context nothing_taken = {.has_protocol_features = true};

/* The time of what passes. */
static uint64_t clock_ns;

/* What passes on a socket. */
struct replies_traffic {
	struct vhu_link_stats from[2];
	struct vhu_replies replies;
};

/* Let a message pass. */
static void pass(struct replies_traffic *traffic, enum vhu_channel channel, enum vhu_side from,
		 enum vhu_message_id id, uint32_t flags)
{
	const struct vhu_header header = {
	    .request = vhu_messages[id].request,
	    .flags = VHU_FLAGS_VERSION | flags,
	};

	vhu_link_stats_add(&traffic->from[from], 20, 1, ++clock_ns);
	if (from == vhu_replies_asker(channel))
		vhu_replies_ask(&traffic->replies, channel, &header, ++clock_ns, 0);
	else
		vhu_replies_answer(&traffic->replies, header.request);
}

/* Hold the message that waits against @id; VHU_MESSAGES: none. */
static void expect(const struct replies_traffic *traffic, enum vhu_channel channel,
		   const struct vhu_context *context, enum vhu_message_id id)
{
	const struct vhu_message *message = NULL;

	if (!vhu_replies_wait(&traffic->replies, channel, context, &message)) {
		assert_int_equal(id, VHU_MESSAGES);
		return;
	}
	assert_non_null(message);
	assert_int_equal(message->id, id);
}

static void counts_each_way(void **state)
{
	struct replies_traffic traffic = {0};

	(void)state;
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_SET_OWNER, 0);
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_FEATURES, 0);
	pass(&traffic, VHU_FRONT_END, VHU_BACK, VHU_MSG_GET_FEATURES, VHU_FLAG_REPLY);
	vhu_link_stats_add(&traffic.from[VHU_BACK], 3, 0, ++clock_ns);
	assert_int_equal(traffic.from[VHU_FRONT].messages, 2);
	assert_int_equal(traffic.from[VHU_FRONT].bytes, 40);
	assert_int_equal(traffic.from[VHU_FRONT].fds, 2);
	assert_int_equal(traffic.from[VHU_BACK].messages, 2);
	assert_int_equal(traffic.from[VHU_BACK].bytes, 23);
	assert_true(traffic.from[VHU_BACK].last_ns >= traffic.from[VHU_FRONT].last_ns);
	vhu_replies_free(&traffic.replies);
}

static void an_answer_ends_the_waiting_of_older_requests(void **state)
{
	struct replies_traffic traffic = {0};

	(void)state;
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_FEATURES, 0);
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_VRING_BASE, 0);
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_CONFIG, 0);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MSG_GET_FEATURES);
	pass(&traffic, VHU_FRONT_END, VHU_BACK, VHU_MSG_GET_VRING_BASE, VHU_FLAG_REPLY);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MSG_GET_CONFIG);
	/* Nobody asked for this. */
	pass(&traffic, VHU_FRONT_END, VHU_BACK, VHU_MSG_GET_VRING_BASE, VHU_FLAG_REPLY);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MSG_GET_CONFIG);
	pass(&traffic, VHU_FRONT_END, VHU_BACK, VHU_MSG_GET_CONFIG, VHU_FLAG_REPLY);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MESSAGES);
	vhu_replies_free(&traffic.replies);
}

static void expected_replies_depend_on_negotiated_features(void **state)
{
	struct replies_traffic asked = {0}, logs = {0};

	(void)state;
	pass(&asked, VHU_FRONT_END, VHU_FRONT, VHU_MSG_SET_OWNER, 0);
	expect(&asked, VHU_FRONT_END, &acknowledges, VHU_MESSAGES);
	pass(&asked, VHU_FRONT_END, VHU_FRONT, VHU_MSG_SET_MEM_TABLE, VHU_FLAG_NEED_REPLY);
	expect(&asked, VHU_FRONT_END, &acknowledges, VHU_MSG_SET_MEM_TABLE);
	expect(&asked, VHU_FRONT_END, &unknown, VHU_MSG_SET_MEM_TABLE);
	expect(&asked, VHU_FRONT_END, &nothing_taken, VHU_MESSAGES);

	pass(&logs, VHU_FRONT_END, VHU_FRONT, VHU_MSG_SET_LOG_BASE, 0);
	expect(&logs, VHU_FRONT_END, &acknowledges, VHU_MSG_SET_LOG_BASE);
	expect(&logs, VHU_FRONT_END, &nothing_taken, VHU_MESSAGES);
	vhu_replies_free(&asked.replies);
	vhu_replies_free(&logs.replies);
}

static void requests_of_the_back_end_wait_too(void **state)
{
	struct replies_traffic traffic = {0};

	(void)state;
	pass(&traffic, VHU_BACK_END, VHU_BACK, VHU_MSG_BACKEND_CONFIG_CHANGE_MSG,
	     VHU_FLAG_NEED_REPLY);
	expect(&traffic, VHU_BACK_END, &acknowledges, VHU_MSG_BACKEND_CONFIG_CHANGE_MSG);
	pass(&traffic, VHU_BACK_END, VHU_FRONT, VHU_MSG_BACKEND_CONFIG_CHANGE_MSG, VHU_FLAG_REPLY);
	expect(&traffic, VHU_BACK_END, &acknowledges, VHU_MESSAGES);
	vhu_replies_free(&traffic.replies);
}

static void a_flood_of_requests_keeps_the_oldest(void **state)
{
	struct replies_traffic traffic = {0};

	(void)state;
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_CONFIG, 0);
	for (unsigned i = 0; i < 1000; i++)
		pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_FEATURES, 0);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MSG_GET_CONFIG);
	for (unsigned i = 0; i < 1000; i++)
		pass(&traffic, VHU_FRONT_END, VHU_BACK, VHU_MSG_GET_FEATURES, VHU_FLAG_REPLY);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MESSAGES);
	vhu_replies_free(&traffic.replies);
}

/* A fault's reply is kept apart from the peer's, with any number of waiting requests. */
static void each_of_many_replies_has_its_asker(void **state)
{
	struct vhu_replies replies = {0};
	const struct vhu_header asks = {.request = 3,
					.flags = VHU_FLAGS_VERSION | VHU_FLAG_NEED_REPLY};
	const struct vhu_header silent = {.request = 3, .flags = VHU_FLAGS_VERSION};
	const struct vhu_message *message;

	(void)state;
	/* Without a fault no request waits for an answer to it. */
	vhu_replies_ask(&replies, VHU_FRONT_END, &silent, ++clock_ns, 0);
	assert_null(vhu_replies_wait(&replies, VHU_FRONT_END, &unknown, &message));
	for (unsigned i = 1; i <= 500; i++) {
		vhu_replies_ask(&replies, VHU_FRONT_END, &silent, ++clock_ns, i);
		vhu_replies_ask(&replies, VHU_FRONT_END, &asks, ++clock_ns, 0);
	}
	assert_int_equal(replies.ours, 500);
	for (unsigned i = 1; i <= 500; i++) {
		assert_int_equal(vhu_replies_fault(&replies, 3), i);
		vhu_replies_answer(&replies, 3);
		assert_int_equal(vhu_replies_fault(&replies, 3), 0);
		/* The status shows the peer's requests alone. */
		assert_int_equal(
		    vhu_replies_wait(&replies, VHU_FRONT_END, &unknown, &message)->number, 2 * i);
		vhu_replies_answer(&replies, 3);
		assert_int_equal(replies.answered, 2 * i);
	}
	assert_int_equal(replies.ours, 0);
	assert_int_equal(replies.queue.count, 0);
	vhu_replies_free(&replies);
}

/* What a flood puts out of the queue is counted no more. */
static void a_flood_of_a_faults_requests_is_bounded(void **state)
{
	struct vhu_replies replies = {0};
	const struct vhu_header silent = {.request = 3, .flags = VHU_FLAGS_VERSION};

	(void)state;
	for (unsigned i = 1; i <= 3 * VHU_PENDING_MAX; i++)
		vhu_replies_ask(&replies, VHU_FRONT_END, &silent, ++clock_ns, i);
	assert_int_equal(replies.ours, VHU_PENDING_MAX);
	assert_int_equal(vhu_replies_fault(&replies, 3), 2 * VHU_PENDING_MAX + 1);
	vhu_replies_free(&replies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_each_way),
	    cmocka_unit_test(an_answer_ends_the_waiting_of_older_requests),
	    cmocka_unit_test(expected_replies_depend_on_negotiated_features),
	    cmocka_unit_test(requests_of_the_back_end_wait_too),
	    cmocka_unit_test(a_flood_of_requests_keeps_the_oldest),
	    cmocka_unit_test(each_of_many_replies_has_its_asker),
	    cmocka_unit_test(a_flood_of_a_faults_requests_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
