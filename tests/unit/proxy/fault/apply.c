/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What faults do in a session, as far as it takes more than what comes out of it: keys, holding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/control/status.h"
#include "tests/lib/fixture/session.h"

#include "lib/util/util.h"

#define KEY 0x5c

static void key_material_is_not_recorded_of_altered_messages(void **state)
{
	static const char *const faults[] = {
	    "26: size 0",
	    "26: size 4294967295",
	    "26: set header.request=200",
	    "26: truncate 100",
	    "26: drop",
	    "26: resize 100",
	    "26: cut before",
	    "26: duplicate, set u8[0]=1",
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(faults); i++) {
		struct fixture_session *fixture = fixture_begin(false);
		uint8_t keys[1072];
		struct vhu_secret secret[VHU_SECRETS_MAX];
		const struct kept *kept = &fixture->kept[1];

		memset(keys, KEY, sizeof(keys));
		assert_true(vhu_message_secrets(VHU_FRONT_END, 26, sizeof(keys), secret) >= 1);
		fixture_fault(fixture, faults[i]);
		fixture_transmit(fixture->peer[VHU_FRONT], 26, keys, sizeof(keys), -1);
		fixture_leave(fixture, VHU_FRONT);
		fixture_run(fixture, i == 7 ? 4 : 3);
		assert_true(kept->record.marks & VHU_MARK_ALTERED);
		assert_true(kept->record.marks & VHU_MARK_REDACTED);
		for (uint32_t at = VHU_HEADER_SIZE + secret[0].offset;
		     at < kept->record.message_size &&
		     at < VHU_HEADER_SIZE + secret[0].offset + secret[0].size;
		     at++)
			assert_int_equal(kept->bytes[at], 0);
		fixture_end(fixture);
	}
}

static void held_messages_pass_when_the_fault_is_released(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		struct fixture_session *fixture = fixture_begin(false);
		unsigned id = fixture_fault(fixture, "SET_OWNER: hold");

		fixture_transmit(fixture->peer[VHU_FRONT], 3, NULL, 0, -1);
		fixture_transmit(fixture->peer[VHU_FRONT], 1, NULL, 0, -1);
		/* What the other one sends passes meanwhile. */
		fixture_transmit(fixture->peer[VHU_BACK], 40, "12345678", 8, -1);
		fixture_run(fixture, 2);
		while (!fixture->proxy.faults.held)
			fixture_turn(fixture);
		fixture_is(fixture, 1, VHU_RECORD_MESSAGE, VHU_FRONT_END, true);
		assert_int_equal(recv(fixture->peer[VHU_BACK], fixture_said, 1, MSG_DONTWAIT), -1);
		assert_int_equal(vhu_faults_release(&fixture->proxy.faults, 2, 0), 0);
		assert_int_equal(vhu_faults_release(&fixture->proxy.faults, 0, id + 1), 0);
		if (way == 0)
			assert_int_equal(vhu_faults_release(&fixture->proxy.faults, 1, id), 1);
		else if (way == 1)
			assert_int_equal(vhu_faults_remove(&fixture->proxy.faults, id), 0);
		else
			fixture_leave(fixture, VHU_FRONT);
		fixture_run(fixture, way == 2 ? 5 : 4);
		assert_null(fixture->proxy.faults.held);
		assert_int_equal(fixture_receive(fixture->peer[VHU_BACK]), -1);
		assert_int_equal(fixture_receive(fixture->peer[VHU_BACK]), -1);
		assert_memory_equal(fixture->kept[2].text, "fault 1: held; let go after ", 28);
		assert_false(fixture->kept[2].record.marks & VHU_MARK_DROPPED);
		fixture_end(fixture);
	}
}

/* What a session ends over is recorded as what was not passed on. */
static void held_messages_are_recorded_at_the_end(void **state)
{
	struct fixture_session *fixture = fixture_begin(false);

	(void)state;
	fixture_fault(fixture, "SET_OWNER: delay 10min");
	fixture_transmit(fixture->peer[VHU_FRONT], 3, NULL, 0, -1);
	while (!fixture->proxy.faults.first->applied)
		fixture_turn(fixture);
	fixture_leave(fixture, VHU_BACK);
	fixture_run(fixture, 3);
	fixture_is(fixture, 1, VHU_RECORD_MESSAGE, VHU_FRONT_END, false);
	assert_true(fixture->kept[1].record.marks & VHU_MARK_DROPPED);
	assert_string_equal(fixture->kept[1].text, "fault 1: delayed 600 s");
	fixture_is(fixture, 2, VHU_RECORD_CLOSED, VHU_FRONT_END, false);
	fixture_end(fixture);
}

/* A message that may be altered is altered however late its payload is; others pass meanwhile as
 * far as they are there. */
static void a_late_payload_does_not_save_a_message(void **state)
{
	static const struct vhu_header header = {12, 1, 8};
	static const uint64_t vring[2] = {1, 7};
	uint64_t bytes[3] = {0};

	(void)state;
	for (unsigned altered = 0; altered < 2; altered++) {
		struct fixture_session *fixture = fixture_begin(false);
		const uint64_t until = vhu_now_ns() + 3 * VHU_RELAY_STALL_NS;
		const int back = fixture->peer[VHU_BACK];

		fixture_fault(fixture, altered ? "SET_VRING_KICK: set vring=7" : "13: drop");
		assert_int_equal(write(fixture->peer[VHU_FRONT], &header, 12), 12);
		while (vhu_now_ns() < until)
			fixture_turn(fixture);
		assert_int_equal(recv(back, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_PEEK),
				 altered ? -1 : 12);
		assert_int_equal(write(fixture->peer[VHU_FRONT], &vring[0], 8), 8);
		fixture_run(fixture, 2);
		assert_int_equal(recv(back, bytes, 12, MSG_WAITALL), 12);
		assert_int_equal(recv(back, bytes, 8, MSG_WAITALL), 8);
		assert_true(bytes[0] == vring[altered]);
		fixture_end(fixture);
	}
}

/* The proxy keeps a fault's requests apart from the peer's: only replies to the peer's requests
 * pass, and the status lists these alone. */
static void as_many_answers_as_wait_are_kept_back(void **state)
{
	enum { ROUNDS = 50 };
	struct fixture_session *fixture = fixture_begin(false);
	struct vhu_status status;

	(void)state;
	fixture_fault(fixture, "SET_OWNER: need-reply");
	for (unsigned i = 0; i < ROUNDS; i++) {
		fixture_transmit(fixture->peer[VHU_FRONT], 3, NULL, 0, -1);
		fixture_transmit(fixture->peer[VHU_FRONT], 1, NULL, 0, -1);
	}
	fixture_run(fixture, 1 + 2 * ROUNDS);
	for (unsigned i = 0; i < ROUNDS; i++) {
		vhu_status_gather(&status, fixture->pair.sessions.first);
		assert_non_null(status.waits);
		assert_int_equal(status.waits->request, 1);
		assert_int_equal(status.waits->number, 2 * i + 2);
		fixture_transmit(fixture->peer[VHU_BACK], 3, "12345678", 8, -1);
		fixture_transmit(fixture->peer[VHU_BACK], 1, "12345678", 8, -1);
		fixture_run(fixture, 1 + 2 * ROUNDS + 2 * (i + 1));
		assert_true(fixture->kept[fixture->records - 2].record.marks & VHU_MARK_DROPPED);
		assert_false(fixture->kept[fixture->records - 1].record.marks & VHU_MARK_DROPPED);
	}
	vhu_status_gather(&status, fixture->pair.sessions.first);
	assert_null(status.waits);
	fixture_end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_material_is_not_recorded_of_altered_messages),
	    cmocka_unit_test(as_many_answers_as_wait_are_kept_back),
	    cmocka_unit_test(held_messages_pass_when_the_fault_is_released),
	    cmocka_unit_test(held_messages_are_recorded_at_the_end),
	    cmocka_unit_test(a_late_payload_does_not_save_a_message),
	};

	/* What does not come must not be waited for for ever. */
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
