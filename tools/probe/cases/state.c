/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The case of a device's state: saved, and loaded again, as in migration. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tools/probe/cases/cases.h"

/* More than any back-end here has to save. */
#define STATE_MAX (1 << 20)

/* What VHOST_USER_SET_DEVICE_STATE_FD calls the directions. */
enum { SAVE = 0, LOAD = 1 };

static uint8_t state[STATE_MAX];

/*
 * Hand over one end of @pipe for a transfer, or take the back-end's in its place.
 * @ours: which of its ends stays here, and is replaced where the back-end sends another.
 */
static bool begin_transfer(struct vhu_fixture *fixture, unsigned direction, int pipe[2], int ours)
{
	struct vhu_message_buf message, reply;
	uint64_t code;
	bool nofd;

	vhu_message_begin(&message, VHU_MSG_SET_DEVICE_STATE_FD, VHU_LAYOUT_device_state);
	vhu_message_put(&message, VHU_FIELD_device_state_direction, direction);
	message.fd[message.fds++] = pipe[!ours];
	if (vhu_probe_ask(fixture->connection, &message, &reply))
		return vhu_fixture_fail_connection(fixture);
	/* Only the back-end is to hold it: its closing is the end of what is saved. */
	close(pipe[!ours]);
	pipe[!ours] = -1;
	code = vhu_message_get(&reply, VHU_FIELD_device_state_reply_error);
	nofd = vhu_message_get(&reply, VHU_FIELD_device_state_reply_nofd);
	if (!code && reply.fds) {
		close(pipe[ours]);
		pipe[ours] = reply.fd[--reply.fds];
	}
	vhu_message_drop(&reply);
	if (code)
		return vhu_fixture_fail(fixture, "a transfer was refused with %u", (unsigned)code);
	return nofd || reply.fds == 0 || vhu_fixture_fail(fixture, "more than one descriptor came");
}

/* Move bytes through @fd until its end. @size: room; gets how many were read. */
static bool read_state(struct vhu_fixture *fixture, int fd, size_t *size)
{
	struct pollfd ask = {.fd = fd, .events = POLLIN};
	ssize_t got = 1;

	*size = 0;
	while (got > 0 && *size < STATE_MAX) {
		if (poll(&ask, 1, (int)fixture->connection->timeout_ms) < 1)
			return vhu_fixture_fail(fixture,
						"the state does not end: %zu bytes came in %u ms",
						*size, fixture->connection->timeout_ms);
		got = read(fd, state + *size, STATE_MAX - *size);
		*size += got > 0 ? (size_t)got : 0;
	}
	return got == 0 || vhu_fixture_fail(fixture, "the state cannot be read to its end");
}

/* Write the state that was saved. */
static bool write_state(struct vhu_fixture *fixture, int fd, size_t size)
{
	struct pollfd ask = {.fd = fd, .events = POLLOUT};

	for (size_t done = 0; done < size;) {
		ssize_t put;

		if (poll(&ask, 1, (int)fixture->connection->timeout_ms) < 1)
			return vhu_fixture_fail(fixture, "takes only %zu of %zu bytes of its state",
						done, size);
		put = write(fd, state + done, size - done);
		if (put < 0 && errno != EAGAIN)
			return vhu_fixture_fail(fixture, "does not take its state: %s",
						strerror(errno));
		done += put > 0 ? (size_t)put : 0;
	}
	return true;
}

/* Ask whether the transfer went well. */
static bool end_transfer(struct vhu_fixture *fixture, const char *what)
{
	uint64_t result;

	if (!vhu_fixture_ask(fixture, VHU_MSG_CHECK_DEVICE_STATE, VHU_FIELD_ack_ack, &result))
		return false;
	return !result ||
	       vhu_fixture_fail(fixture, "%s its state failed with %u", what, (unsigned)result);
}

/* Save or load, through a pipe. */
static bool transfer(struct vhu_fixture *fixture, unsigned direction, size_t *size)
{
	int ends[2], ours = direction == SAVE ? 0 : 1;
	bool good;

	if (pipe2(ends, O_CLOEXEC))
		return vhu_fixture_skip(fixture, "no pipe here: %s", strerror(errno));
	good = begin_transfer(fixture, direction, ends, ours);
	if (good && direction == LOAD)
		fcntl(ends[1], F_SETFL, O_NONBLOCK);
	if (good)
		good = direction == SAVE ? read_state(fixture, ends[0], size)
					 : write_state(fixture, ends[1], *size);
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return good && end_transfer(fixture, direction == SAVE ? "saving" : "loading");
}

void vhu_case_device_state(struct vhu_fixture *fixture)
{
	bool good = vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture);
	size_t size = 0;
	uint32_t base;

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_stop(fixture, i, &base);
	if (good && transfer(fixture, SAVE, &size) && transfer(fixture, LOAD, &size))
		vhu_fixture_note(fixture, "%zu bytes", size);
}
