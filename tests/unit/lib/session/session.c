/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions: which message an id is, what its reply answers, what is learnt on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/session/session.h"

#include "lib/session/rules/table.h"
#include "lib/util/util.h"

#define NO_REPLY (-1)

/* A conversation under test. */
struct talk {
	struct vhu_sessions *sessions;
	uint64_t session, number, time_ns;
	struct vhu_annotation note; /* of the message fed last */
	char text[256];             /* and what it says */
	uint16_t marks;             /* of the messages that are fed */
};

static struct talk talk_new(void)
{
	struct talk talk = {.sessions = vhu_sessions_new(true), .session = 1, .time_ns = 1000};

	assert_non_null(talk.sessions);
	return talk;
}

/* Feed a message with a payload of @size bytes. */
static void say(struct talk *talk, enum vhu_channel channel, bool reply, uint32_t request,
		uint32_t flags, const void *payload, uint32_t size)
{
	static uint8_t bytes[VHU_HEADER_SIZE + 2048];
	struct vhu_record record = {
	    .type = VHU_RECORD_MESSAGE,
	    .channel = channel,
	    .from_back_end = reply == (channel == VHU_FRONT_END),
	    .session = talk->session,
	    .time_ns = talk->time_ns,
	    .message = bytes,
	    .message_size = VHU_HEADER_SIZE + size,
	    .message_sent = VHU_HEADER_SIZE + size,
	    .marks = talk->marks | (vhu_host_is_big_endian() ? VHU_MARK_BIG_ENDIAN : 0),
	    .text = "",
	};

	vhu_header_write(bytes, (struct vhu_header){request, flags, size},
			 vhu_host_is_big_endian());
	if (size)
		memcpy(bytes + VHU_HEADER_SIZE, payload, size);
	talk->time_ns += 100;
	assert_int_equal(vhu_session_feed(talk->sessions, &record, ++talk->number, &talk->note), 0);
	vhu_annotation_text(&talk->note, &record, talk->text, sizeof(talk->text));
}

static void ask(struct talk *talk, uint32_t request, const void *payload, uint32_t size)
{
	say(talk, VHU_FRONT_END, false, request, VHU_FLAGS_VERSION, payload, size);
}

static void answer(struct talk *talk, uint32_t request, const void *payload, uint32_t size)
{
	say(talk, VHU_FRONT_END, true, request, VHU_FLAGS_VERSION | VHU_FLAG_REPLY, payload, size);
}

static void set_protocol_features(struct talk *talk, uint64_t offered, uint64_t taken)
{
	ask(talk, 15, NULL, 0);
	answer(talk, 15, &offered, 8);
	ask(talk, 16, &taken, 8);
}

/* Each piece of evidence that tells the dialects apart; -1: no such message. */
static void each_evidence_tells_its_dialect(void **state)
{
	static const struct {
		uint32_t id;
		int request, reply;
		enum vhu_dialect dialect;
		const char *name;
	} row[] = {
	    {41, 16, NO_REPLY, VHU_UPSTREAM, "GET_SHARED_OBJECT"},
	    {41, 0, 0, VHU_UPSTREAM, "GET_SHARED_OBJECT"},
	    {41, 0, 16, VHU_STANDALONE, "GET_BACKEND_SPECS"},
	    {41, 0, 4, VHU_PROBE, "GET_DEVICE_ID"},
	    {42, 8, NO_REPLY, VHU_UPSTREAM, "SET_DEVICE_STATE_FD"},
	    {42, 0, 4, VHU_PROBE, "GET_CONFIG_SIZE"},
	    {43, 0, 8, VHU_UPSTREAM, "CHECK_DEVICE_STATE"},
	    {43, 0, 4, VHU_PROBE, "GET_MIN_VQ"},
	};
	const uint8_t payload[16] = {2};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct talk talk = talk_new();

		ask(&talk, row[i].id, payload, (uint32_t)row[i].request);
		if (row[i].reply != NO_REPLY)
			answer(&talk, row[i].id, payload, (uint32_t)row[i].reply);
		assert_string_equal(talk.note.message->name, row[i].name);
		assert_null(talk.note.or_message);
		assert_int_equal(talk.note.context.dialect, row[i].dialect);
		assert_int_equal(vhu_sessions_dialect(talk.sessions, 1), row[i].dialect);
		vhu_sessions_free(talk.sessions);
	}
}

static void read_live_an_empty_request_has_two_names(void **state)
{
	struct talk talk = talk_new();

	(void)state;
	ask(&talk, 41, NULL, 0);
	assert_string_equal(talk.text, "GET_BACKEND_SPECS or GET_DEVICE_ID");
	answer(&talk, 41, (const uint32_t[]){4, 0, 1, 1}, 16);
	assert_string_equal(
	    talk.text, "GET_BACKEND_SPECS reply device RNG, config size 0, min vqs 1, max vqs 1");
	assert_int_equal(vhu_sessions_device(talk.sessions, 1), 4);
	ask(&talk, 41, NULL, 0);
	assert_string_equal(talk.text, "GET_BACKEND_SPECS");
	vhu_sessions_free(talk.sessions);
}

static void read_again_the_request_has_one_name(void **state)
{
	struct talk talk = talk_new();

	(void)state;
	ask(&talk, 41, NULL, 0);
	answer(&talk, 41, (const uint32_t[]){2, 0, 0, 0}, 16);
	vhu_sessions_rewind(talk.sessions);
	ask(&talk, 41, NULL, 0);
	assert_string_equal(talk.text, "GET_BACKEND_SPECS");
	vhu_sessions_free(talk.sessions);
}

static void dialects_are_each_sessions_own(void **state)
{
	struct talk talk = talk_new();

	(void)state;
	for (int round = 0; round < 2; round++) {
		talk.session = 1;
		ask(&talk, 41, NULL, 0);
		answer(&talk, 41, (const uint32_t[]){2, 0, 0, 0}, 16);
		assert_string_equal(talk.note.message->name, "GET_BACKEND_SPECS");
		talk.session = 2;
		ask(&talk, 41, NULL, 0);
		answer(&talk, 41, (const uint32_t[]){2}, 4);
		assert_string_equal(talk.note.message->name, "GET_DEVICE_ID");
		talk.session = 3;
		ask(&talk, 41, (const uint32_t[]){2, 0, 0, 0}, 16);
		assert_string_equal(talk.note.message->name, "GET_SHARED_OBJECT");
	}
	vhu_sessions_free(talk.sessions);
}

static void negotiated_features_lean_towards_a_dialect(void **state)
{
	struct talk talk = talk_new();
	const uint64_t bit18 = UINT64_C(1) << 18;

	(void)state;
	/* Without STATUS bit 18 cannot be STANDALONE. */
	set_protocol_features(&talk, bit18 | 1, bit18);
	ask(&talk, 41, NULL, 0);
	assert_string_equal(talk.text, "GET_SHARED_OBJECT");
	/* But what the back-end answers is surer. */
	answer(&talk, 41, (const uint32_t[]){2, 0, 0, 0}, 16);
	assert_string_equal(talk.note.message->name, "GET_BACKEND_SPECS");
	vhu_sessions_free(talk.sessions);
}

static void a_forced_dialect_is_taken_for_granted(void **state)
{
	struct talk talk = talk_new();

	(void)state;
	vhu_sessions_force_dialect(talk.sessions, VHU_PROBE);
	ask(&talk, 41, NULL, 0);
	assert_string_equal(talk.text, "GET_DEVICE_ID");
	answer(&talk, 41, (const uint32_t[]){2, 0, 0, 0}, 16);
	assert_string_equal(talk.text, "GET_DEVICE_ID reply device BLOCK, 12 bytes left over");
	vhu_sessions_free(talk.sessions);
}

static void a_reply_answers_the_oldest_request_of_its_id(void **state)
{
	struct talk talk = talk_new();
	const uint64_t features = 1;

	(void)state;
	ask(&talk, 1, NULL, 0);
	ask(&talk, 1, NULL, 0);
	ask(&talk, 15, NULL, 0);
	answer(&talk, 15, &features, 8);
	assert_int_equal(talk.note.request_number, 3);
	assert_int_equal(talk.note.delay_ns, 100);
	answer(&talk, 1, &features, 8);
	assert_int_equal(talk.note.request_number, 1);
	assert_int_equal(talk.note.delay_ns, 400);
	answer(&talk, 1, &features, 8);
	assert_int_equal(talk.note.request_number, 2);
	answer(&talk, 1, &features, 8);
	assert_int_equal(talk.note.request_number, 0);
	vhu_sessions_free(talk.sessions);
}

static void a_reply_that_is_kept_back_took_its_time(void **state)
{
	struct talk talk = talk_new();

	(void)state;
	ask(&talk, 1, NULL, 0);
	talk.marks = VHU_MARK_DROPPED;
	answer(&talk, 1, (const uint64_t[]){0}, 8);
	assert_int_equal(talk.note.request_number, 1);
	assert_int_equal(talk.note.delay_ns, 100);
	vhu_sessions_free(talk.sessions);
}

static void an_acknowledgement_answers_what_asked_for_one(void **state)
{
	struct talk talk = talk_new();
	const uint64_t zero = 0;

	(void)state;
	set_protocol_features(&talk, 1 << 3, 1 << 3);
	ask(&talk, 3, NULL, 0);
	say(&talk, VHU_FRONT_END, false, 3, VHU_FLAGS_VERSION | VHU_FLAG_NEED_REPLY, NULL, 0);
	answer(&talk, 3, &zero, 8);
	assert_int_equal(talk.note.request_number, 5);
	assert_string_equal(talk.text, "SET_OWNER reply success");
	vhu_sessions_free(talk.sessions);
}

static void replies_go_the_other_way_on_the_channels_inside(void **state)
{
	struct talk talk = talk_new();
	const uint64_t zero = 0;

	(void)state;
	say(&talk, VHU_BACK_END, false, 2, VHU_FLAGS_VERSION | VHU_FLAG_NEED_REPLY, NULL, 0);
	assert_string_equal(talk.text, "BACKEND_CONFIG_CHANGE_MSG");
	say(&talk, VHU_BACK_END, true, 2, VHU_FLAGS_VERSION | VHU_FLAG_REPLY, &zero, 8);
	assert_string_equal(talk.text, "BACKEND_CONFIG_CHANGE_MSG reply success");
	assert_int_equal(talk.note.request_number, 1);
	/* GPU requests come with uninitialised flags: the direction decides. */
	say(&talk, VHU_GPU, false, 1, 0x5, NULL, 0);
	assert_string_equal(talk.text, "GPU_GET_PROTOCOL_FEATURES");
	say(&talk, VHU_GPU, true, 1, VHU_FLAG_REPLY, &zero, 8);
	assert_int_equal(talk.note.request_number, 3);
	vhu_sessions_free(talk.sessions);
}

static void postcopy_ends_its_exchange_of_addresses(void **state)
{
	struct talk talk = talk_new();
	uint8_t table[40] = {1};
	const uint64_t zero = 0;

	(void)state;
	ask(&talk, 29, NULL, 0);
	ask(&talk, 5, table, 40);
	assert_string_equal(talk.text, "SET_MEM_TABLE regions 1");
	answer(&talk, 5, table, 40);
	assert_int_equal(talk.note.request_number, 2);
	ask(&talk, 5, &zero, 8);
	assert_string_equal(talk.text, "SET_MEM_TABLE success");
	ask(&talk, 30, NULL, 0);
	answer(&talk, 30, &zero, 8);
	ask(&talk, 5, &zero, 8);
	assert_string_equal(talk.text, "SET_MEM_TABLE regions 0");
	vhu_sessions_free(talk.sessions);
}

static void a_device_is_guessed_by_what_its_back_end_offers(void **state)
{
	static const struct {
		uint64_t features;
		uint32_t config_size, device;
	} row[] = {
	    {UINT64_C(0x130007646), 60, 2},  /* QEMU's storage daemon */
	    {UINT64_C(0x130000000), 40, 26}, /* virtiofsd */
	    {UINT64_C(0x130000000), 0, 0},   /* says nothing of itself */
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct talk talk = talk_new();
		uint8_t config[12 + 64] = {[4] = (uint8_t)row[i].config_size};

		ask(&talk, 1, NULL, 0);
		answer(&talk, 1, &row[i].features, 8);
		if (row[i].config_size)
			ask(&talk, 24, config, 12 + row[i].config_size);
		assert_int_equal(vhu_sessions_device(talk.sessions, 1), row[i].device);
		vhu_sessions_free(talk.sessions);
	}
}

static void no_guess_stands_against_what_a_back_end_says(void **state)
{
	const uint32_t specs[4] = {4, 0, 1, 1};
	const uint64_t features = UINT64_C(0x130007646); /* those of a disk */
	const uint8_t config[12 + 60] = {[4] = 60};
	struct talk talk = talk_new();

	(void)state;
	ask(&talk, 41, NULL, 0);
	answer(&talk, 41, specs, sizeof(specs));
	assert_int_equal(vhu_sessions_device(talk.sessions, 1), 4);
	ask(&talk, 1, NULL, 0);
	answer(&talk, 1, &features, 8);
	ask(&talk, 24, config, sizeof(config));
	assert_int_equal(vhu_sessions_device(talk.sessions, 1), 4);
	vhu_sessions_free(talk.sessions);
}

static void unknown_messages_are_shown_by_number(void **state)
{
	struct talk talk = talk_new();

	(void)state;
	ask(&talk, 77, "abc", 3);
	assert_string_equal(talk.text, "message 77, 3 bytes");
	say(&talk, (enum vhu_channel)7, false, 1, 1, NULL, 0);
	assert_null(talk.note.message);
	vhu_sessions_free(talk.sessions);
}

/* More requests than any peer has open are each found again, in turn. */
static void a_thousand_requests_wait_at_once(void **state)
{
	struct talk talk = talk_new();
	const uint64_t features = 1;

	(void)state;
	for (uint64_t round = 0; round < 3; round++) {
		for (unsigned i = 0; i < VHU_PENDING_MAX; i++)
			ask(&talk, i % 2 ? 1 : 15, NULL, 0);
		for (unsigned i = 0; i < VHU_PENDING_MAX; i++) {
			answer(&talk, i % 2 ? 1 : 15, &features, 8);
			assert_int_equal(talk.note.request_number,
					 2 * VHU_PENDING_MAX * round + i + 1);
		}
	}
	vhu_sessions_free(talk.sessions);
}

static void each_unanswered_request_is_found_at_the_end(void **state)
{
	struct talk talk = talk_new();
	struct vhu_record closed = {
	    .type = VHU_RECORD_CLOSED, .session = 1, .text = "back-end closed"};
	unsigned unanswered = 0;

	(void)state;
	for (int i = 0; i < 60; i++)
		ask(&talk, 1, NULL, 0);
	assert_int_equal(vhu_session_feed(talk.sessions, &closed, ++talk.number, &talk.note), 0);
	for (unsigned i = 0; i < talk.note.findings; i++)
		unanswered += talk.note.finding[i].rule == &vhu_rules[VHU_RULE_AT_411];
	assert_int_equal(unanswered, 60);
	vhu_sessions_free(talk.sessions);
}

static void memory_is_bounded_by_forgetting_the_oldest(void **state)
{
	struct talk talk = talk_new();
	const uint64_t features = 1;

	(void)state;
	/* Far more requests than are kept: the latest are still found. */
	for (int i = 0; i < 10000; i++)
		ask(&talk, 1, NULL, 0);
	answer(&talk, 1, &features, 8);
	assert_int_equal(talk.note.request_number, 10000 - VHU_PENDING_MAX + 1);
	/* Far more sessions than are kept. */
	for (talk.session = 2; talk.session < 40000; talk.session++)
		ask(&talk, 1, NULL, 0);
	talk.session--;
	answer(&talk, 1, &features, 8);
	assert_int_equal(talk.note.request_number, talk.number - 1);
	vhu_sessions_free(talk.sessions);
}

static void a_session_that_closed_is_forgotten(void **state)
{
	struct talk talk = talk_new();
	struct vhu_record closed = {.type = VHU_RECORD_CLOSED, .session = 1, .text = "gone"};
	const uint64_t features = 1;
	char text[64];

	(void)state;
	ask(&talk, 1, NULL, 0);
	assert_int_equal(vhu_session_feed(talk.sessions, &closed, ++talk.number, &talk.note), 0);
	vhu_annotation_text(&talk.note, &closed, text, sizeof(text));
	assert_string_equal(text, "session closed: gone");
	answer(&talk, 1, &features, 8);
	assert_int_equal(talk.note.request_number, 0);
	vhu_sessions_free(talk.sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_evidence_tells_its_dialect),
	    cmocka_unit_test(read_live_an_empty_request_has_two_names),
	    cmocka_unit_test(read_again_the_request_has_one_name),
	    cmocka_unit_test(dialects_are_each_sessions_own),
	    cmocka_unit_test(negotiated_features_lean_towards_a_dialect),
	    cmocka_unit_test(a_forced_dialect_is_taken_for_granted),
	    cmocka_unit_test(a_reply_answers_the_oldest_request_of_its_id),
	    cmocka_unit_test(a_reply_that_is_kept_back_took_its_time),
	    cmocka_unit_test(an_acknowledgement_answers_what_asked_for_one),
	    cmocka_unit_test(replies_go_the_other_way_on_the_channels_inside),
	    cmocka_unit_test(postcopy_ends_its_exchange_of_addresses),
	    cmocka_unit_test(a_device_is_guessed_by_what_its_back_end_offers),
	    cmocka_unit_test(no_guess_stands_against_what_a_back_end_says),
	    cmocka_unit_test(unknown_messages_are_shown_by_number),
	    cmocka_unit_test(a_thousand_requests_wait_at_once),
	    cmocka_unit_test(each_unanswered_request_is_found_at_the_end),
	    cmocka_unit_test(memory_is_bounded_by_forgetting_the_oldest),
	    cmocka_unit_test(a_session_that_closed_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
