/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A proxy of one session in this process, for tests. */
#include "tests/lib/fixture_session.h"
#include "lib/protocol/message_io.h"
#include "lib/util/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

char fixture_said[1024];

static void on_say(const char *line)
{
	snprintf(fixture_said, sizeof(fixture_said), "%s", line);
}

void fixture_take(void *context, const struct vhu_record *record)
{
	struct fixture_session *fixture = context;
	struct kept *kept = &fixture->kept[fixture->records++];

	assert_true(fixture->records <= STAND_RECORDS_MAX);
	kept->record = *record;
	assert_true(record->message_size <= STAND_BYTES_MAX);
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
	struct fixture_session *fixture = vhu_container_of(timer, struct fixture_session, timer);

	fixture->proxy.loop.stop = true;
}

void fixture_turn(struct fixture_session *fixture)
{
	fixture->proxy.loop.stop = false;
	vhu_loop_set(&fixture->proxy.loop, &fixture->timer, 1000000);
	assert_int_equal(vhu_loop_run(&fixture->proxy.loop), 0);
}

void fixture_run(struct fixture_session *fixture, unsigned records)
{
	while (fixture->records < records)
		fixture_turn(fixture);
	assert_int_equal(fixture->records, records);
}

struct fixture_session *fixture_begin(bool with_keys)
{
	struct fixture_session *fixture = calloc(1, sizeof(*fixture));
	char error[VHU_ENDPOINT_ERROR];

	fixture_said[0] = '\0';
	for (int side = 0; side < 2; side++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		fixture->peer[side] = pair[0];
		snprintf(fixture->text[side], 16, "fd:%d", pair[1]);
		assert_int_equal(vhu_endpoint_parse(&fixture->pair.end[side], fixture->text[side],
						    VHU_ENDPOINT_LISTEN, error),
				 0);
	}
	fixture->timer.fire = on_timer;
	fixture->proxy.with_keys = with_keys;
	fixture->proxy.say = on_say;
	assert_int_equal(vhu_sinks_add(&fixture->proxy.sinks, fixture_take, fixture), 0);
	assert_int_equal(vhu_loop_start(&fixture->proxy.loop), 0);
	assert_int_equal(vhu_pair_open(&fixture->pair, &fixture->proxy, error), 0);
	assert_int_equal(vhu_pair_start(&fixture->pair, error), 0);
	fixture_run(fixture, 1);
	return fixture;
}

void fixture_end(struct fixture_session *fixture)
{
	vhu_pair_close(&fixture->pair, "stopped");
	vhu_loop_unset(&fixture->timer);
	vhu_loop_end(&fixture->proxy.loop);
	vhu_faults_clear(&fixture->proxy.faults);
	for (int side = 0; side < 2; side++)
		if (fixture->peer[side] >= 0)
			close(fixture->peer[side]);
	free(fixture);
}

unsigned fixture_fault(struct fixture_session *fixture, const char *text)
{
	char error[VHU_FAULT_ERROR] = "";
	int id = vhu_faults_add(&fixture->proxy.faults, text, error);

	assert_string_equal(error, "");
	return (unsigned)id;
}

void fixture_leave(struct fixture_session *fixture, enum vhu_side side)
{
	close(fixture->peer[side]);
	fixture->peer[side] = -1;
}

void fixture_transmit(int to, uint32_t request, const void *payload, uint32_t size, int fd)
{
	uint8_t bytes[VHU_HEADER_SIZE + 4096];
	const struct vhu_piece piece = {bytes, VHU_HEADER_SIZE + size, &fd, fd >= 0};

	assert_true(piece.size <= sizeof(bytes));
	vhu_header_write(bytes, (struct vhu_header){request, 1, size}, vhu_host_is_big_endian());
	if (size)
		memcpy(bytes + VHU_HEADER_SIZE, payload, size);
	assert_int_equal(vhu_piece_send(to, &piece, 0), piece.size);
}

int fixture_receive(int from)
{
	uint8_t bytes[VHU_HEADER_SIZE];
	int fd = -1;
	struct vhu_piece piece = {bytes, sizeof(bytes), &fd, .fds_max = 1};

	assert_int_equal(vhu_piece_receive(from, &piece, MSG_DONTWAIT), VHU_HEADER_SIZE);
	assert_false(piece.fds_lost);
	return fd;
}

void fixture_is(const struct fixture_session *fixture, unsigned number, enum vhu_record_type type,
		enum vhu_channel channel, bool from_back_end)
{
	const struct vhu_record *record = &fixture->kept[number].record;

	assert_int_equal(record->type, type);
	assert_int_equal(record->channel, channel);
	assert_int_equal(record->from_back_end, from_back_end);
	assert_int_equal(record->session, 1);
	assert_true(record->time_ns > 0);
	assert_int_equal(!!(record->marks & VHU_MARK_BIG_ENDIAN), vhu_host_is_big_endian());
	if (number)
		assert_true(record->time_ns >= fixture->kept[number - 1].record.time_ns);
}
