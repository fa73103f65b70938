/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the proxy records of a session: its beginning and end, channels, key material. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/fixture/session.h"

#include "lib/util/util.h"
#include "proxy/session/pair_life.h"

#define KEY 0x5c

static void a_session_is_recorded_from_beginning_to_end(void **state)
{
	struct fixture_session *fixture = fixture_begin(false);
	char own[16];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, own), 0);
	fixture_transmit(fixture->peer[VHU_FRONT], 1, NULL, 0, -1);
	fixture_run(fixture, 2);
	fixture_receive(fixture->peer[VHU_BACK]);
	fixture_transmit(fixture->peer[VHU_BACK], 1, "12345678", 8, -1);
	fixture_run(fixture, 3);
	fixture_leave(fixture, VHU_BACK);
	fixture_run(fixture, 4);
	fixture_is(fixture, 0, VHU_RECORD_OPENED, VHU_FRONT_END, false);
	assert_string_equal(fixture->kept[0].comm[0], own);
	assert_string_equal(fixture->kept[0].path[0], fixture->text[0]);
	assert_string_equal(fixture->kept[0].path[1], fixture->text[1]);
	assert_int_equal(fixture->kept[0].record.back_end.pid, getpid());
	fixture_is(fixture, 1, VHU_RECORD_MESSAGE, VHU_FRONT_END, false);
	fixture_is(fixture, 2, VHU_RECORD_MESSAGE, VHU_FRONT_END, true);
	assert_int_equal(fixture->kept[2].record.message_sent, VHU_HEADER_SIZE + 8);
	fixture_is(fixture, 3, VHU_RECORD_CLOSED, VHU_FRONT_END, false);
	assert_string_equal(fixture->kept[3].text, "back-end closed");
	assert_string_equal(fixture_said, "");
	assert_int_equal(fixture->proxy.messages, 2);
	assert_int_equal(fixture->proxy.sessions, 1);
	fixture_end(fixture);
}

/* Send the crypto device's message that carries keys, of @size bytes, and see what is recorded. */
static void send_keys(bool with_keys, uint32_t size, uint32_t sent)
{
	struct fixture_session *fixture = fixture_begin(with_keys);
	uint8_t bytes[STAND_BYTES_MAX], got[STAND_BYTES_MAX];
	struct vhu_header header = {26, 1, size};
	struct vhu_secret secret[VHU_SECRETS_MAX];
	unsigned secrets = vhu_message_secrets(VHU_FRONT_END, 26, size, secret), masked = 0;
	const struct kept *kept = &fixture->kept[1];

	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	memset(bytes + VHU_HEADER_SIZE, KEY, sizeof(bytes) - VHU_HEADER_SIZE);
	sent += VHU_HEADER_SIZE;
	assert_int_equal(write(fixture->peer[VHU_FRONT], bytes, sent), sent);
	fixture_leave(fixture, VHU_FRONT);
	fixture_run(fixture, 3);
	/* What passes is as it was. */
	assert_int_equal(recv(fixture->peer[VHU_BACK], got, sizeof(got), MSG_DONTWAIT), sent);
	assert_memory_equal(got, bytes, sent);
	assert_int_equal(kept->record.message_size, sent);
	for (uint32_t i = VHU_HEADER_SIZE; i < sent; i++) {
		bool is_secret = false;

		for (unsigned s = 0; s < secrets; s++)
			is_secret |= i - VHU_HEADER_SIZE >= secret[s].offset &&
				     i - VHU_HEADER_SIZE < secret[s].offset + secret[s].size;
		assert_int_equal(kept->bytes[i], is_secret && !with_keys ? 0 : KEY);
		masked += is_secret;
	}
	assert_memory_equal(kept->bytes, bytes, VHU_HEADER_SIZE);
	assert_true(masked >= (sent > 300 ? 64 : 0));
	assert_int_equal(!!(kept->record.marks & VHU_MARK_REDACTED), !with_keys);
	assert_int_equal(!!(kept->record.marks & VHU_MARK_PARTIAL), sent < VHU_HEADER_SIZE + size);
	fixture_end(fixture);
}

static void key_material_passes_but_is_not_recorded(void **state)
{
	(void)state;
	send_keys(false, 1072, 1072);
	send_keys(false, 632, 632);
	/* Cut short, in the middle of a key. */
	send_keys(false, 1072, 400);
	send_keys(false, 1072, 60);
}

static void key_material_is_recorded_where_asked(void **state)
{
	(void)state;
	send_keys(true, 1072, 1072);
}

static void channels_are_recorded_with_their_session(void **state)
{
	static const struct {
		uint32_t request;
		enum vhu_channel channel;
	} row[] = {{21, VHU_BACK_END}, {33, VHU_GPU}};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct fixture_session *fixture = fixture_begin(false);
		int ours[2], theirs;

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ours), 0);
		fixture_transmit(fixture->peer[VHU_FRONT], row[i].request, NULL, 0, ours[1]);
		close(ours[1]);
		fixture_run(fixture, 3);
		theirs = fixture_receive(fixture->peer[VHU_BACK]);
		/* As its sender had prepared it. */
		assert_true(fcntl(theirs, F_GETFL) & O_NONBLOCK);
		fixture_transmit(theirs, 2, NULL, 0, -1);
		fixture_run(fixture, 4);
		assert_int_equal(fixture_receive(ours[0]), -1);
		fixture_transmit(ours[0], 2, "12345678", 8, -1);
		fixture_run(fixture, 5);
		assert_int_equal(fixture_receive(theirs), -1);
		fixture_is(fixture, 1, VHU_RECORD_MESSAGE, VHU_FRONT_END, false);
		assert_int_equal(fixture->kept[1].record.fds, 1);
		fixture_is(fixture, 2, VHU_RECORD_OPENED, row[i].channel, false);
		fixture_is(fixture, 3, VHU_RECORD_MESSAGE, row[i].channel, true);
		fixture_is(fixture, 4, VHU_RECORD_MESSAGE, row[i].channel, false);
		/* What is there when the session ends still passes. */
		fixture_leave(fixture, VHU_FRONT);
		fixture_transmit(theirs, 3, NULL, 0, -1);
		fixture_run(fixture, 8);
		fixture_is(fixture, 5, VHU_RECORD_MESSAGE, row[i].channel, true);
		fixture_is(fixture, 6, VHU_RECORD_CLOSED, row[i].channel, false);
		fixture_is(fixture, 7, VHU_RECORD_CLOSED, VHU_FRONT_END, false);
		assert_string_equal(fixture->kept[7].text, "front-end closed");
		assert_int_equal(fixture_receive(ours[0]), -1);
		close(ours[0]);
		close(theirs);
		fixture_end(fixture);
	}
}

static void a_channel_that_closes_leaves_the_session(void **state)
{
	struct fixture_session *fixture = fixture_begin(false);
	int ours[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ours), 0);
	fixture_transmit(fixture->peer[VHU_FRONT], 21, NULL, 0, ours[1]);
	close(ours[1]);
	fixture_run(fixture, 3);
	close(fixture_receive(fixture->peer[VHU_BACK]));
	fixture_run(fixture, 4);
	fixture_is(fixture, 3, VHU_RECORD_CLOSED, VHU_BACK_END, false);
	assert_string_equal(fixture->kept[3].text, "back-end closed");
	fixture_transmit(fixture->peer[VHU_FRONT], 1, NULL, 0, -1);
	fixture_run(fixture, 5);
	close(ours[0]);
	fixture_end(fixture);
}

static void only_the_front_end_opens_channels(void **state)
{
	struct fixture_session *fixture = fixture_begin(false);
	int ours[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ours), 0);
	fixture_transmit(fixture->peer[VHU_BACK], 21, NULL, 0, ours[1]);
	fixture_transmit(fixture->peer[VHU_FRONT], 1, NULL, 0, ours[1]);
	fixture_run(fixture, 3);
	/* The sockets themselves have passed. */
	close(fixture_receive(fixture->peer[VHU_FRONT]));
	close(fixture_receive(fixture->peer[VHU_BACK]));
	fixture_leave(fixture, VHU_FRONT);
	fixture_run(fixture, 4);
	fixture_is(fixture, 3, VHU_RECORD_CLOSED, VHU_FRONT_END, false);
	close(ours[0]);
	close(ours[1]);
	fixture_end(fixture);
}

static void what_was_not_delivered_is_told(void **state)
{
	struct fixture_session *fixture = fixture_begin(false);
	uint8_t payload[4000] = {0};
	uint64_t passed;

	(void)state;
	/* The back-end does not read, until nothing more fits, and then goes. */
	for (int i = 0; i < 20; i++)
		fixture_transmit(fixture->peer[VHU_BACK], 9, NULL, 0, -1);
	fixture_run(fixture, 21);
	fixture->records = 1;
	while (send(fixture->peer[VHU_FRONT], payload, sizeof(payload), MSG_DONTWAIT) > 0)
		;
	/* All zeros: messages without payload. They pass, as many as fit, and are not of interest.
	 */
	fixture->proxy.sinks.sinks = 0;
	do {
		passed = fixture->proxy.messages;
		fixture->proxy.loop.stop = false;
		vhu_loop_set(&fixture->proxy.loop, &fixture->timer, 1000000);
		assert_int_equal(vhu_loop_run(&fixture->proxy.loop), 0);
	} while (fixture->proxy.messages != passed);
	assert_int_equal(vhu_sinks_add(&fixture->proxy.sinks, fixture_take, fixture), 0);
	fixture_leave(fixture, VHU_BACK);
	fixture_run(fixture, 3);
	fixture_is(fixture, 1, VHU_RECORD_ERROR, VHU_FRONT_END, false);
	assert_string_equal(fixture->kept[1].text,
			    "12 bytes from the front-end were not delivered");
	assert_string_equal(fixture->kept[2].text, "back-end closed");
	fixture_end(fixture);
}

static void a_message_cut_short_is_said(void **state)
{
	struct fixture_session *fixture = fixture_begin(false);
	char own[16], said[64];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, own), 0);
	assert_int_equal(write(fixture->peer[VHU_FRONT], "12345", 5), 5);
	fixture_leave(fixture, VHU_FRONT);
	fixture_run(fixture, 3);
	assert_int_equal(fixture->kept[1].record.marks & VHU_MARK_PARTIAL, VHU_MARK_PARTIAL);
	snprintf(said, sizeof(said), "session 1: the front-end (%s, pid ", own);
	assert_non_null(strstr(fixture_said, said));
	assert_non_null(strstr(fixture_said, "5 of 12 bytes of a header came"));
	fixture_end(fixture);
}

static void stopping_passes_what_is_there(void **state)
{
	struct fixture_session *fixture = fixture_begin(false);

	(void)state;
	fixture_transmit(fixture->peer[VHU_FRONT], 1, NULL, 0, -1);
	fixture_transmit(fixture->peer[VHU_FRONT], 15, NULL, 0, -1);
	vhu_pair_close(&fixture->pair, "the end");
	assert_int_equal(fixture->records, 4);
	assert_string_equal(fixture->kept[3].text, "the end");
	fixture_receive(fixture->peer[VHU_BACK]);
	fixture_receive(fixture->peer[VHU_BACK]);
	fixture_end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_session_is_recorded_from_beginning_to_end),
	    cmocka_unit_test(key_material_passes_but_is_not_recorded),
	    cmocka_unit_test(key_material_is_recorded_where_asked),
	    cmocka_unit_test(channels_are_recorded_with_their_session),
	    cmocka_unit_test(a_channel_that_closes_leaves_the_session),
	    cmocka_unit_test(only_the_front_end_opens_channels),
	    cmocka_unit_test(what_was_not_delivered_is_told),
	    cmocka_unit_test(a_message_cut_short_is_said),
	    cmocka_unit_test(stopping_passes_what_is_there),
	};

	/* What does not come must not be waited for for ever. */
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
