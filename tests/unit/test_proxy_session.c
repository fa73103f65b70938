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
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/pair.h"

#define RECORDS_MAX 32
#define BYTES_MAX   2048
#define KEY         0x5c

/* What is kept of a record. */
struct kept {
	struct vhu_record record;
	uint8_t bytes[BYTES_MAX];
	char text[VHU_RECORD_TEXT_MAX + 1], comm[2][32], path[2][64];
};

/* A proxy of one session between two inherited connections. */
struct stand {
	struct vhu_proxy proxy;
	struct vhu_pair pair;
	struct vhu_timer timer;
	char text[2][16];
	int peer[2];
	struct kept kept[RECORDS_MAX];
	unsigned records;
};

static char said[1024];

static void on_say(const char *line)
{
	snprintf(said, sizeof(said), "%s", line);
}

static void on_record(void *context, const struct vhu_record *record)
{
	struct stand *stand = context;
	struct kept *kept = &stand->kept[stand->records++];

	assert_true(stand->records <= RECORDS_MAX);
	kept->record = *record;
	assert_true(record->message_size <= BYTES_MAX);
	if (record->message)
		memcpy(kept->bytes, record->message, record->message_size);
	snprintf(kept->text, sizeof(kept->text), "%s", record->text ? record->text : "");
	if (record->type != VHU_RECORD_OPENED)
		return;
	snprintf(kept->comm[0], 32, "%s", record->front_end.comm);
	snprintf(kept->comm[1], 32, "%s", record->back_end.comm);
	snprintf(kept->path[0], 64, "%s", record->front_end.path);
	snprintf(kept->path[1], 64, "%s", record->back_end.path);
}

static void on_timer(struct vhu_timer *timer)
{
	struct stand *stand = (struct stand *)((char *)timer - offsetof(struct stand, timer));

	stand->proxy.loop.stop = true;
}

/* Let the proxy run until it has made @records records. */
static void run(struct stand *stand, unsigned records)
{
	while (stand->records < records) {
		stand->proxy.loop.stop = false;
		vhu_loop_set(&stand->proxy.loop, &stand->timer, 1000000);
		assert_int_equal(vhu_loop_run(&stand->proxy.loop), 0);
	}
	assert_int_equal(stand->records, records);
}

static struct stand *begin(bool with_keys)
{
	struct stand *stand = calloc(1, sizeof(*stand));
	char error[VHU_ENDPOINT_ERROR];

	said[0] = '\0';
	for (int side = 0; side < 2; side++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		stand->peer[side] = pair[0];
		snprintf(stand->text[side], 16, "fd:%d", pair[1]);
		assert_int_equal(vhu_endpoint_parse(&stand->pair.end[side], stand->text[side],
						    VHU_ENDPOINT_LISTEN, error),
				 0);
	}
	stand->timer.fire = on_timer;
	stand->proxy.with_keys = with_keys;
	stand->proxy.say = on_say;
	assert_int_equal(vhu_sinks_add(&stand->proxy.sinks, on_record, stand), 0);
	assert_int_equal(vhu_loop_start(&stand->proxy.loop), 0);
	assert_int_equal(vhu_pair_open(&stand->pair, &stand->proxy, error), 0);
	assert_int_equal(vhu_pair_start(&stand->pair, error), 0);
	run(stand, 1);
	return stand;
}

static void end(struct stand *stand)
{
	vhu_pair_close(&stand->pair, "stopped");
	vhu_loop_unset(&stand->timer);
	vhu_loop_end(&stand->proxy.loop);
	for (int side = 0; side < 2; side++)
		if (stand->peer[side] >= 0)
			close(stand->peer[side]);
	free(stand);
}

/* Close a side. */
static void leave(struct stand *stand, enum vhu_side side)
{
	close(stand->peer[side]);
	stand->peer[side] = -1;
}

/* Send a message, with a descriptor if that is not -1. */
static void transmit(int to, uint32_t request, const void *payload, uint32_t size, int fd)
{
	struct vhu_header header = {request, 1, size};
	uint8_t bytes[VHU_HEADER_SIZE];
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec piece[2] = {{bytes, sizeof(bytes)}, {(void *)payload, size}};
	struct msghdr message = {.msg_iov = piece, .msg_iovlen = 2};
	struct cmsghdr *c = (struct cmsghdr *)control;

	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(to, &message, MSG_NOSIGNAL), VHU_HEADER_SIZE + size);
}

/* Receive a header's bytes. Returns the descriptor that came with them, -1 without. */
static int receive(int from)
{
	uint8_t bytes[VHU_HEADER_SIZE];
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec piece = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int fd = -1;

	assert_int_equal(recvmsg(from, &message, MSG_DONTWAIT), VHU_HEADER_SIZE);
	if (message.msg_controllen)
		memcpy(&fd, CMSG_DATA((struct cmsghdr *)control), sizeof(fd));
	return fd;
}

/* Hold a record against what it should be. */
static void is(const struct stand *stand, unsigned number, enum vhu_record_type type,
	       enum vhu_channel channel, bool from_back_end)
{
	const struct vhu_record *record = &stand->kept[number].record;

	assert_int_equal(record->type, type);
	assert_int_equal(record->channel, channel);
	assert_int_equal(record->from_back_end, from_back_end);
	assert_int_equal(record->session, 1);
	assert_true(record->time_ns > 0);
	assert_int_equal(!!(record->marks & VHU_MARK_BIG_ENDIAN), vhu_host_is_big_endian());
	if (number)
		assert_true(record->time_ns >= stand->kept[number - 1].record.time_ns);
}

static void a_session_is_recorded_from_beginning_to_end(void **state)
{
	struct stand *stand = begin(false);

	(void)state;
	transmit(stand->peer[VHU_FRONT], 1, NULL, 0, -1);
	run(stand, 2);
	receive(stand->peer[VHU_BACK]);
	transmit(stand->peer[VHU_BACK], 1, "12345678", 8, -1);
	run(stand, 3);
	leave(stand, VHU_BACK);
	run(stand, 4);
	is(stand, 0, VHU_RECORD_OPENED, VHU_FRONT_END, false);
	assert_string_equal(stand->kept[0].comm[0], "test_proxy_sess");
	assert_string_equal(stand->kept[0].path[0], stand->text[0]);
	assert_string_equal(stand->kept[0].path[1], stand->text[1]);
	assert_int_equal(stand->kept[0].record.back_end.pid, getpid());
	is(stand, 1, VHU_RECORD_MESSAGE, VHU_FRONT_END, false);
	is(stand, 2, VHU_RECORD_MESSAGE, VHU_FRONT_END, true);
	assert_int_equal(stand->kept[2].record.message_sent, VHU_HEADER_SIZE + 8);
	is(stand, 3, VHU_RECORD_CLOSED, VHU_FRONT_END, false);
	assert_string_equal(stand->kept[3].text, "back-end closed");
	assert_string_equal(said, "");
	assert_int_equal(stand->proxy.messages, 2);
	assert_int_equal(stand->proxy.sessions, 1);
	end(stand);
}

/* Send the crypto device's message that carries keys, of @size bytes, and see what is recorded. */
static void send_keys(bool with_keys, uint32_t size, uint32_t sent)
{
	struct stand *stand = begin(with_keys);
	uint8_t bytes[BYTES_MAX], got[BYTES_MAX];
	struct vhu_header header = {26, 1, size};
	struct vhu_secret secret[VHU_SECRETS_MAX];
	unsigned secrets = vhu_message_secrets(VHU_FRONT_END, 26, size, secret), masked = 0;
	const struct kept *kept = &stand->kept[1];

	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	memset(bytes + VHU_HEADER_SIZE, KEY, sizeof(bytes) - VHU_HEADER_SIZE);
	sent += VHU_HEADER_SIZE;
	assert_int_equal(write(stand->peer[VHU_FRONT], bytes, sent), sent);
	leave(stand, VHU_FRONT);
	run(stand, 3);
	/* What passes is as it was. */
	assert_int_equal(recv(stand->peer[VHU_BACK], got, sizeof(got), MSG_DONTWAIT), sent);
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
	end(stand);
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
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct stand *stand = begin(false);
		int ours[2], theirs;

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ours), 0);
		transmit(stand->peer[VHU_FRONT], row[i].request, NULL, 0, ours[1]);
		close(ours[1]);
		run(stand, 3);
		theirs = receive(stand->peer[VHU_BACK]);
		/* As its sender had prepared it. */
		assert_true(fcntl(theirs, F_GETFL) & O_NONBLOCK);
		transmit(theirs, 2, NULL, 0, -1);
		run(stand, 4);
		assert_int_equal(receive(ours[0]), -1);
		transmit(ours[0], 2, "12345678", 8, -1);
		run(stand, 5);
		assert_int_equal(receive(theirs), -1);
		is(stand, 1, VHU_RECORD_MESSAGE, VHU_FRONT_END, false);
		assert_int_equal(stand->kept[1].record.fds, 1);
		is(stand, 2, VHU_RECORD_OPENED, row[i].channel, false);
		is(stand, 3, VHU_RECORD_MESSAGE, row[i].channel, true);
		is(stand, 4, VHU_RECORD_MESSAGE, row[i].channel, false);
		/* What is there when the session ends still passes. */
		leave(stand, VHU_FRONT);
		transmit(theirs, 3, NULL, 0, -1);
		run(stand, 8);
		is(stand, 5, VHU_RECORD_MESSAGE, row[i].channel, true);
		is(stand, 6, VHU_RECORD_CLOSED, row[i].channel, false);
		is(stand, 7, VHU_RECORD_CLOSED, VHU_FRONT_END, false);
		assert_string_equal(stand->kept[7].text, "front-end closed");
		assert_int_equal(receive(ours[0]), -1);
		close(ours[0]);
		close(theirs);
		end(stand);
	}
}

static void a_channel_that_closes_leaves_the_session(void **state)
{
	struct stand *stand = begin(false);
	int ours[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ours), 0);
	transmit(stand->peer[VHU_FRONT], 21, NULL, 0, ours[1]);
	close(ours[1]);
	run(stand, 3);
	close(receive(stand->peer[VHU_BACK]));
	run(stand, 4);
	is(stand, 3, VHU_RECORD_CLOSED, VHU_BACK_END, false);
	assert_string_equal(stand->kept[3].text, "back-end closed");
	transmit(stand->peer[VHU_FRONT], 1, NULL, 0, -1);
	run(stand, 5);
	close(ours[0]);
	end(stand);
}

static void only_the_front_end_opens_channels(void **state)
{
	struct stand *stand = begin(false);
	int ours[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ours), 0);
	transmit(stand->peer[VHU_BACK], 21, NULL, 0, ours[1]);
	transmit(stand->peer[VHU_FRONT], 1, NULL, 0, ours[1]);
	run(stand, 3);
	/* The sockets themselves have passed. */
	close(receive(stand->peer[VHU_FRONT]));
	close(receive(stand->peer[VHU_BACK]));
	leave(stand, VHU_FRONT);
	run(stand, 4);
	is(stand, 3, VHU_RECORD_CLOSED, VHU_FRONT_END, false);
	close(ours[0]);
	close(ours[1]);
	end(stand);
}

static void what_was_not_delivered_is_told(void **state)
{
	struct stand *stand = begin(false);
	uint8_t payload[4000] = {0};
	uint64_t passed;

	(void)state;
	/* The back-end does not read, until nothing more fits, and then goes. */
	for (int i = 0; i < 20; i++)
		transmit(stand->peer[VHU_BACK], 9, NULL, 0, -1);
	run(stand, 21);
	stand->records = 1;
	while (send(stand->peer[VHU_FRONT], payload, sizeof(payload), MSG_DONTWAIT) > 0)
		;
	/* All zeros: messages without payload. They pass, as many as fit, and are not of interest.
	 */
	stand->proxy.sinks.sinks = 0;
	do {
		passed = stand->proxy.messages;
		stand->proxy.loop.stop = false;
		vhu_loop_set(&stand->proxy.loop, &stand->timer, 1000000);
		assert_int_equal(vhu_loop_run(&stand->proxy.loop), 0);
	} while (stand->proxy.messages != passed);
	assert_int_equal(vhu_sinks_add(&stand->proxy.sinks, on_record, stand), 0);
	leave(stand, VHU_BACK);
	run(stand, 3);
	is(stand, 1, VHU_RECORD_ERROR, VHU_FRONT_END, false);
	assert_string_equal(stand->kept[1].text, "12 bytes from the front-end were not delivered");
	assert_string_equal(stand->kept[2].text, "back-end closed");
	end(stand);
}

static void a_message_cut_short_is_said(void **state)
{
	struct stand *stand = begin(false);

	(void)state;
	assert_int_equal(write(stand->peer[VHU_FRONT], "12345", 5), 5);
	leave(stand, VHU_FRONT);
	run(stand, 3);
	assert_int_equal(stand->kept[1].record.marks & VHU_MARK_PARTIAL, VHU_MARK_PARTIAL);
	assert_non_null(strstr(said, "session 1: the front-end (test_proxy_sess, pid "));
	assert_non_null(strstr(said, "5 of 12 bytes of a header came"));
	end(stand);
}

static void stopping_passes_what_is_there(void **state)
{
	struct stand *stand = begin(false);

	(void)state;
	transmit(stand->peer[VHU_FRONT], 1, NULL, 0, -1);
	transmit(stand->peer[VHU_FRONT], 15, NULL, 0, -1);
	vhu_pair_close(&stand->pair, "the end");
	assert_int_equal(stand->records, 4);
	assert_string_equal(stand->kept[3].text, "the end");
	receive(stand->peer[VHU_BACK]);
	receive(stand->peer[VHU_BACK]);
	end(stand);
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
