/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which translations of IOVAs a session has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/session/session.h"

#define PAGE UINT64_C(0x1000)
/* A front-end's address that differs from its IOVA. */
#define USER UINT64_C(0x700000000000)

enum { UPDATE = 2, INVALIDATE = 3 };

/* A session under test. */
struct iotlb_talk {
	struct vhu_sessions *sessions;
	uint64_t number;
	const struct vhu_state *state;
};

static int open_talk(void **state)
{
	static struct iotlb_talk talk;

	talk = (struct iotlb_talk){.sessions = vhu_sessions_new(false)};
	*state = &talk;
	return talk.sessions ? 0 : -1;
}

static int close_talk(void **state)
{
	vhu_sessions_free(((struct iotlb_talk *)*state)->sessions);
	return 0;
}

/* Feed a front-end's message with a payload of @size bytes. */
static void say(struct iotlb_talk *talk, enum vhu_message_id id, const void *payload, uint32_t size,
		uint16_t marks)
{
	uint8_t bytes[VHU_HEADER_SIZE + 64];
	struct vhu_annotation note;
	const struct vhu_record record = {
	    .session = 1,
	    .time_ns = ++talk->number,
	    .message = bytes,
	    .message_size = VHU_HEADER_SIZE + size,
	    .message_sent = VHU_HEADER_SIZE + size,
	    .marks = marks | (vhu_host_is_big_endian() ? VHU_MARK_BIG_ENDIAN : 0),
	    .text = "",
	};

	vhu_header_write(bytes,
			 (struct vhu_header){vhu_messages[id].request, VHU_FLAGS_VERSION, size},
			 vhu_host_is_big_endian());
	memcpy(bytes + VHU_HEADER_SIZE, payload, size);
	assert_int_equal(vhu_session_feed(talk->sessions, &record, talk->number, &note), 0);
	talk->state = note.state;
}

/* Feed an IOTLB message. */
static void iotlb(struct iotlb_talk *talk, uint8_t type, uint64_t iova, uint64_t size,
		  uint16_t marks)
{
	struct {
		uint64_t iova, size, user;
		uint8_t permission, type, padding[6];
	} payload = {iova, size, USER + iova, 3, type, {0}};

	say(talk, VHU_MSG_IOTLB_MSG, &payload, sizeof(payload), marks);
}

/* Return the user address of an IOVA; 0: it has no translation. */
static uint64_t user_of(const struct iotlb_talk *talk, uint64_t iova)
{
	for (unsigned i = 0; i < talk->state->translations; i++) {
		const struct vhu_translation *at = &talk->state->translation[i];

		if (iova >= at->iova && iova - at->iova < at->size)
			return at->user + (iova - at->iova);
	}
	return 0;
}

/* Make sure that translations stand in order and do not overlap. */
static void assert_order(const struct iotlb_talk *talk)
{
	for (unsigned i = 1; i < talk->state->translations; i++) {
		const struct vhu_translation *before = &talk->state->translation[i - 1];

		assert_true(before->iova + (before->size - 1) < before[1].iova);
	}
}

static void updates_translate_until_they_are_invalidated(void **state)
{
	struct iotlb_talk *talk = *state;

	/* In no order. */
	for (uint64_t i = 0; i < 100; i++)
		iotlb(talk, UPDATE, i * 37 % 100 * PAGE, PAGE, 0);
	assert_int_equal(talk->state->translations, 100);
	assert_order(talk);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(user_of(talk, i * PAGE + 8), USER + i * PAGE + 8);
		assert_int_equal(talk->state->translation_by[i * 37 % 100], i + 1);
	}
	iotlb(talk, INVALIDATE, 10 * PAGE, 80 * PAGE, 0);
	assert_int_equal(talk->state->translations, 20);
	assert_int_equal(user_of(talk, 10 * PAGE), 0);
	assert_int_equal(user_of(talk, 90 * PAGE), USER + 90 * PAGE);
	assert_order(talk);
	/* A back-end's miss, a failed access and no range change nothing. */
	iotlb(talk, 1, 0, PAGE, 0);
	iotlb(talk, 4, 0, PAGE, 0);
	iotlb(talk, INVALIDATE, 0, 0, 0);
	iotlb(talk, UPDATE, 50 * PAGE, 0, 0);
	assert_int_equal(talk->state->translations, 20);
	iotlb(talk, INVALIDATE, 0, UINT64_MAX, 0);
	assert_int_equal(talk->state->translations, 0);
}

static void an_update_replaces_what_it_overlaps(void **state)
{
	struct iotlb_talk *talk = *state;

	for (uint64_t i = 0; i < 8; i++)
		iotlb(talk, UPDATE, i * PAGE, PAGE, 0);
	iotlb(talk, UPDATE, 2 * PAGE + 8, PAGE, 0);
	assert_int_equal(talk->state->translations, 7);
	/* Those that it cuts lose the rest too. */
	assert_int_equal(user_of(talk, 2 * PAGE), 0);
	assert_int_equal(user_of(talk, 2 * PAGE + 8), USER + 2 * PAGE + 8);
	assert_int_equal(user_of(talk, 4 * PAGE - 1), 0);
	assert_int_equal(user_of(talk, 4 * PAGE), USER + 4 * PAGE);
	assert_order(talk);
}

static void a_range_ends_with_the_address_space(void **state)
{
	struct iotlb_talk *talk = *state;

	iotlb(talk, UPDATE, UINT64_MAX - 15, PAGE, 0);
	assert_int_equal(talk->state->translation[0].size, 16);
	iotlb(talk, UPDATE, 0, PAGE, 0);
	assert_int_equal(talk->state->translations, 2);
	assert_int_equal(talk->state->translation[1].iova, UINT64_MAX - 15);
	iotlb(talk, INVALIDATE, UINT64_MAX, PAGE, 0);
	assert_int_equal(talk->state->translations, 1);
}

static void the_oldest_go_at_the_limit_but_not_those_of_vrings(void **state)
{
	const uint32_t number[] = {0, 256};
	const struct {
		uint32_t index, flags;
		uint64_t descriptor, used, available, log;
	} address = {0, 0, 0, 0x3000, 0x2000, 0};
	struct iotlb_talk *talk = *state;
	const uint64_t more = 10 * VHU_TRANSLATIONS_MAX;

	say(talk, VHU_MSG_SET_VRING_NUM, number, sizeof(number), 0);
	say(talk, VHU_MSG_SET_VRING_ADDR, &address, sizeof(address), 0);
	for (uint64_t i = 0; i < more; i++) {
		iotlb(talk, UPDATE, i * PAGE, PAGE, 0);
		assert_true(talk->state->translations <= VHU_TRANSLATIONS_MAX);
		assert_int_equal(user_of(talk, i * PAGE), USER + i * PAGE);
	}
	assert_order(talk);
	assert_true(talk->state->translations > VHU_TRANSLATIONS_MAX / 2);
	/* No area of the vring is in the second page. */
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(user_of(talk, i * PAGE), i == 1 ? 0 : USER + i * PAGE);
	assert_int_equal(user_of(talk, 4 * PAGE), 0);
	for (uint64_t i = more - VHU_TRANSLATIONS_MAX / 2; i < more; i++)
		assert_int_equal(user_of(talk, i * PAGE), USER + i * PAGE);
}

static void vrings_larger_than_the_limit_lose_the_oldest_too(void **state)
{
	const uint32_t number[] = {0, 32768};
	const struct {
		uint32_t index, flags;
		uint64_t descriptor, used, available, log;
	} address = {0, 0, 0, UINT64_C(1) << 32, UINT64_C(2) << 32, 0};
	struct iotlb_talk *talk = *state;

	say(talk, VHU_MSG_SET_VRING_NUM, number, sizeof(number), 0);
	say(talk, VHU_MSG_SET_VRING_ADDR, &address, sizeof(address), 0);
	for (uint64_t i = 0; i < 2 * VHU_TRANSLATIONS_MAX; i++)
		iotlb(talk, UPDATE, i * 16, 16, 0);
	assert_true(talk->state->translations <= VHU_TRANSLATIONS_MAX);
	assert_int_equal(user_of(talk, 0), 0);
	assert_int_equal(user_of(talk, (2 * VHU_TRANSLATIONS_MAX - 1) * 16),
			 USER + (2 * VHU_TRANSLATIONS_MAX - 1) * 16);
}

static void what_has_ended_translates_nothing(void **state)
{
	struct iotlb_talk *talk = *state;

	iotlb(talk, UPDATE, 0, PAGE, VHU_MARK_EARLIER);
	iotlb(talk, UPDATE, 0, PAGE, VHU_MARK_EARLIER | VHU_MARK_ENDED);
	assert_int_equal(talk->state->translations, 1);
	assert_int_equal(talk->state->translation_by[0], 1);
	/* It answers misses all the same. */
	assert_int_equal(talk->state->iotlb_update.by, 2);
}

int main(void)
{
#define TALK(test) cmocka_unit_test_setup_teardown(test, open_talk, close_talk)
	const struct CMUnitTest tests[] = {
	    TALK(updates_translate_until_they_are_invalidated),
	    TALK(an_update_replaces_what_it_overlaps),
	    TALK(a_range_ends_with_the_address_space),
	    TALK(the_oldest_go_at_the_limit_but_not_those_of_vrings),
	    TALK(vrings_larger_than_the_limit_lose_the_oldest_too),
	    TALK(what_has_ended_translates_nothing),
	};

	return cmocka_run_group_tests_name("session-translation", tests, NULL, NULL);
}
