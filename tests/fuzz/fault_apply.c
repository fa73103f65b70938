/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz what faults do to messages, in a whole session between real sockets: the input's lines up to
 * an empty one are faults, and what follows is what the peers do. Whatever that is, the session
 * ends when its peers have gone, nothing is left open, and what was altered is marked so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "lib/util/util.h"
#include "proxy/session/pair_life.h"
#include "tests/fuzz/lib/fuzz.h"

#define RULES_MAX 6
#define STEPS_MAX 64

/* A proxy of one session between two connections, whose other ends are the target's. */
struct fuzz_session {
	struct vhu_proxy proxy;
	struct vhu_pair pair;
	struct vhu_timer timer;
	char text[2][16];
	int peer[2];
};

static const uint8_t *input, *input_end;

/* Return the input's next byte, 0 behind it. */
static unsigned next(void)
{
	return input < input_end ? *input++ : 0;
}

/* A record: what was altered says how, and nothing else has a text. */
static void on_record(void *context, const struct vhu_record *record)
{
	bool altered = record->marks & VHU_MARK_ALTERED;

	(void)context;
	if (record->type != VHU_RECORD_MESSAGE)
		return;
	must(altered == (record->text && *record->text));
	must(!(record->marks & VHU_MARK_DROPPED) || altered);
	must(record->message_size <= record->message_sent);
	must(record->fds <= VHU_RECORD_FDS_MAX);
}

static void on_say(const char *line)
{
	must(*line && !strchr(line, '\n'));
}

static void on_timer(struct vhu_timer *timer)
{
	struct fuzz_session *fixture = vhu_container_of(timer, struct fuzz_session, timer);

	fixture->proxy.loop.stop = true;
}

/* Let the proxy do what there is to do now. */
static void run(struct fuzz_session *fixture)
{
	for (unsigned i = 0; i < 4; i++) {
		fixture->proxy.loop.stop = false;
		vhu_loop_set(&fixture->proxy.loop, &fixture->timer, 0);
		must(!vhu_loop_run(&fixture->proxy.loop));
	}
}

/* Take the faults that the input begins with; skip invalid ones. */
static void take_faults(struct fuzz_session *fixture)
{
	for (unsigned i = 0; i < RULES_MAX; i++) {
		const uint8_t *end = memchr(input, '\n', (size_t)(input_end - input));
		char text[300], error[VHU_FAULT_ERROR];
		size_t size = (size_t)((end ? end : input_end) - input);

		snprintf(text, sizeof(text), "%.*s", (int)(size < 299 ? size : 299),
			 (const char *)input);
		input = end ? end + 1 : input_end;
		if (!size)
			return;
		if (vhu_faults_add(&fixture->proxy.faults, text, error) < 0)
			vhu_mask_add(&fixture->proxy.mask, text, error);
	}
}

static void begin(struct fuzz_session *fixture)
{
	char error[VHU_ENDPOINT_ERROR];

	*fixture = (struct fuzz_session){.timer = {.fire = on_timer}, .proxy = {.say = on_say}};
	take_faults(fixture);
	for (int side = 0; side < 2; side++) {
		int pair[2];

		must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
		fixture->peer[side] = pair[0];
		snprintf(fixture->text[side], 16, "fd:%d", pair[1]);
		must(!vhu_endpoint_parse(&fixture->pair.end[side], fixture->text[side],
					 VHU_ENDPOINT_LISTEN, error));
	}
	must(!vhu_sinks_add(&fixture->proxy.sinks, on_record, fixture));
	must(!vhu_loop_start(&fixture->proxy.loop));
	must(!vhu_pair_open(&fixture->pair, &fixture->proxy, error));
	must(!vhu_pair_start(&fixture->pair, error));
}

static void end(struct fuzz_session *fixture)
{
	vhu_pair_close(&fixture->pair, "stopped");
	vhu_loop_unset(&fixture->timer);
	vhu_loop_end(&fixture->proxy.loop);
	must(!fixture->proxy.faults.held);
	vhu_faults_clear(&fixture->proxy.faults);
	for (int side = 0; side < 2; side++)
		if (fixture->peer[side] >= 0)
			close(fixture->peer[side]);
}

/* Send a message, or a part of one, with descriptors or without. */
static void step_send(struct fuzz_session *fixture, unsigned side, unsigned how)
{
	static uint8_t bytes[VHU_HEADER_SIZE + 300000];
	const unsigned shape = next(), fds = how >> 4 & 3;
	struct vhu_header header = {next() % 64, how & 4 ? 9 : how & 8 ? 5 : 1, shape % 80};
	int end[2];
	int fd[3];
	struct vhu_piece piece = {bytes, VHU_HEADER_SIZE, fd, fds};

	if (shape == 255)
		header.size = 300000;
	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	memset(bytes + VHU_HEADER_SIZE, 0, sizeof(bytes) - VHU_HEADER_SIZE);
	for (unsigned i = 0; i < header.size && i < 16; i++)
		bytes[VHU_HEADER_SIZE + i] = (uint8_t)next();
	/* Most are sent whole. */
	piece.size += shape > 250 ? header.size / 2 : header.size;
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, end));
	for (unsigned i = 0; i < fds; i++)
		fd[i] = end[1];
	vhu_piece_send(fixture->peer[side], &piece, MSG_DONTWAIT);
	close(end[0]);
	close(end[1]);
}

/* Receive what there is on a side. */
static void step_receive(struct fuzz_session *fixture, unsigned side)
{
	static uint8_t bytes[65536];
	/* Descriptors that come are closed. */
	struct vhu_piece piece = {bytes, sizeof(bytes)};

	while (vhu_piece_receive(fixture->peer[side], &piece, MSG_DONTWAIT) > 0)
		;
}

/* Do one step of the input. */
static void step(struct fuzz_session *fixture)
{
	const unsigned how = next(), side = how & 1;

	switch (how >> 1 & 1 ? 4 + next() % 8 : 0) {
	case 0:
		step_send(fixture, side, how);
		break;
	case 4:
		shutdown(fixture->peer[side], SHUT_WR);
		break;
	case 5:
		vhu_faults_release(&fixture->proxy.faults, 0, next() % 4);
		break;
	case 6:
		vhu_faults_remove(&fixture->proxy.faults, next() % 4);
		break;
	case 7:
		close(fixture->peer[side]);
		fixture->peer[side] = -1;
		break;
	case 8:
		return;
	default:
		step_receive(fixture, side);
		break;
	}
	run(fixture);
}

/* Return how many descriptors are open. */
static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 128; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_session fixture;
	unsigned before = open_fds();

	input = data;
	input_end = data + size;
	begin(&fixture);
	for (unsigned i = 0; i < STEPS_MAX && input < input_end; i++)
		step(&fixture);
	step_receive(&fixture, 0);
	step_receive(&fixture, 1);
	end(&fixture);
	must(open_fds() == before);
	return 0;
}
