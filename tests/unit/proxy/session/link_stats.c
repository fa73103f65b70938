/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the proxy counts, and which request it takes to wait for an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proxy/session/link_stats.h"

static const struct vhu_context unknown;
static const struct vhu_context acknowledges = {
    .has_protocol_features = true,
    .protocol_features = 1u << VHU_PF_REPLY_ACK | 1u << VHU_PF_LOG_SHMFD,
};
static const struct vhu_context nothing_taken = {.has_protocol_features = true};

/* Let a message pass. */
static void pass(struct vhu_link_stats *traffic, enum vhu_channel channel, enum vhu_side from,
		 enum vhu_message_id id, uint32_t flags)
{
	const struct vhu_header header = {
	    .request = vhu_messages[id].request,
	    .flags = VHU_FLAGS_VERSION | flags,
	};

	vhu_link_stats_passed(traffic, channel, from, &header, 20, 1);
}

/* Hold the message that waits against @id; VHU_MESSAGES: none. */
static void expect(const struct vhu_link_stats *traffic, enum vhu_channel channel,
		   const struct vhu_context *context, enum vhu_message_id id)
{
	const struct vhu_message *message = NULL;

	if (!vhu_link_stats_waits(traffic, channel, context, &message)) {
		assert_int_equal(id, VHU_MESSAGES);
		return;
	}
	assert_non_null(message);
	assert_int_equal(message->id, id);
}

static void counts_each_way(void **state)
{
	struct vhu_link_stats traffic = {0};

	(void)state;
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_SET_OWNER, 0);
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_FEATURES, 0);
	pass(&traffic, VHU_FRONT_END, VHU_BACK, VHU_MSG_GET_FEATURES, VHU_FLAG_REPLY);
	vhu_link_stats_passed(&traffic, VHU_FRONT_END, VHU_BACK, NULL, 3, 0);
	assert_int_equal(traffic.from[VHU_FRONT].messages, 2);
	assert_int_equal(traffic.from[VHU_FRONT].bytes, 40);
	assert_int_equal(traffic.from[VHU_FRONT].fds, 2);
	assert_int_equal(traffic.from[VHU_BACK].messages, 2);
	assert_int_equal(traffic.from[VHU_BACK].bytes, 23);
	assert_true(traffic.from[VHU_BACK].last_ns >= traffic.from[VHU_FRONT].last_ns);
}

static void an_answer_ends_the_waiting_of_older_requests(void **state)
{
	struct vhu_link_stats traffic = {0};

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
}

static void what_must_be_answered_hangs_on_what_was_taken(void **state)
{
	struct vhu_link_stats asked = {0}, logs = {0};

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
}

static void requests_of_the_back_end_wait_too(void **state)
{
	struct vhu_link_stats traffic = {0};

	(void)state;
	pass(&traffic, VHU_BACK_END, VHU_BACK, VHU_MSG_BACKEND_CONFIG_CHANGE_MSG,
	     VHU_FLAG_NEED_REPLY);
	expect(&traffic, VHU_BACK_END, &acknowledges, VHU_MSG_BACKEND_CONFIG_CHANGE_MSG);
	pass(&traffic, VHU_BACK_END, VHU_FRONT, VHU_MSG_BACKEND_CONFIG_CHANGE_MSG, VHU_FLAG_REPLY);
	expect(&traffic, VHU_BACK_END, &acknowledges, VHU_MESSAGES);
}

static void a_flood_of_requests_keeps_the_oldest(void **state)
{
	struct vhu_link_stats traffic = {0};

	(void)state;
	pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_CONFIG, 0);
	for (unsigned i = 0; i < 1000; i++)
		pass(&traffic, VHU_FRONT_END, VHU_FRONT, VHU_MSG_GET_FEATURES, 0);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MSG_GET_CONFIG);
	for (unsigned i = 0; i < 1000; i++)
		pass(&traffic, VHU_FRONT_END, VHU_BACK, VHU_MSG_GET_FEATURES, VHU_FLAG_REPLY);
	expect(&traffic, VHU_FRONT_END, &unknown, VHU_MESSAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_each_way),
	    cmocka_unit_test(an_answer_ends_the_waiting_of_older_requests),
	    cmocka_unit_test(what_must_be_answered_hangs_on_what_was_taken),
	    cmocka_unit_test(requests_of_the_back_end_wait_too),
	    cmocka_unit_test(a_flood_of_requests_keeps_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
