/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file as a stream of bytes. */
#include "lib/capture/packets/input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/util.h"

#define BUFFER_SIZE             ((size_t)128 * 1024)
/* How often to look for more: with inotify only for file systems that it does not see into. */
#define LOOK_MS                 1000
#define LOOK_WITHOUT_INOTIFY_MS 100
/* So many signals end the wait for a pipe that a single one does not end. */
#define SIGNALS_MAX             3
/* The least time between two calls of `idle`. */
#define IDLE_NS                 (250 * VHU_NS_PER_MS)

/* Wait until a file that is followed may have more. Returns 0; -EINTR; -EBADMSG: it shrank. */
static int wait_for_more(struct vhu_input *input)
{
	struct pollfd watched = {.fd = input->watch, .events = POLLIN};
	_Alignas(struct inotify_event) char events[sizeof(struct inotify_event) + NAME_MAX + 1];
	struct stat st;
	int ready;

	if (!fstat(input->fd, &st) && st.st_size < input->taken) {
		input->shrank = true;
		return -EBADMSG;
	}
	ready = poll(&watched, 1, input->watch < 0 ? LOOK_WITHOUT_INOTIFY_MS : LOOK_MS);
	if (ready < 0)
		return -errno;
	/* What the events are does not matter: reading tells whether there is more. */
	while (ready && read(input->watch, events, sizeof(events)) > 0)
		continue;
	return 0;
}

/* Report that the file had no more at @now_ns, unless that was reported just before. */
static void tell_idle(struct vhu_input *input, uint64_t now_ns)
{
	if (now_ns >= input->idle_ns && now_ns - input->idle_ns < IDLE_NS)
		return;
	input->idle_ns = now_ns;
	input->idle(input->idle_with, now_ns);
}

/* Wait until a pipe has more, or has ended. Returns 0; -EINTR after a signal, or after several if
 * it goes on after the first. */
static int wait_for_pipe(struct vhu_input *input)
{
	struct pollfd pipe = {.fd = input->fd, .events = POLLIN};
	unsigned signals = 0;

	for (;;) {
		const uint64_t now_ns = vhu_realtime_ns();

		/* What else may be wrong, reading it tells. */
		if (poll(&pipe, 1, 0))
			return 0;
		tell_idle(input, now_ns);
		if (poll(&pipe, 1, LOOK_MS) < 0 && errno == EINTR &&
		    (input->ends || ++signals == SIGNALS_MAX))
			return -EINTR;
	}
}

/* Read more bytes into the buffer, which has room. Returns 1; 0 at the end; -errno. */
static int fill(struct vhu_input *input)
{
	for (;;) {
		int error = input->idle && input->pipe ? wait_for_pipe(input) : 0;
		/* Before the read: what is written after it came later. */
		const uint64_t now_ns = input->idle ? vhu_realtime_ns() : 0;
		ssize_t got;

		if (error)
			return error;
		got = read(input->fd, input->buffer + input->to, input->room - input->to);
		if (got > 0) {
			input->taken += got;
			input->to += (size_t)got;
			return 1;
		}
		if (got < 0)
			return -errno;
		if (!input->follow)
			return 0;
		if (input->idle)
			tell_idle(input, now_ns);
		error = wait_for_more(input);
		if (error)
			return error;
	}
}

/* Make room for @size bytes that follow one another. Returns 0 or -ENOMEM. */
static int make_room(struct vhu_input *input, size_t size)
{
	uint8_t *buffer;

	if (input->from && input->from + size > input->room) {
		memmove(input->buffer, input->buffer + input->from, input->to - input->from);
		input->to -= input->from;
		input->from = 0;
	}
	if (size <= input->room - input->from)
		return 0;
	buffer = realloc(input->buffer, size);
	if (!buffer)
		return -ENOMEM;
	input->buffer = buffer;
	input->room = size;
	return 0;
}

int vhu_input_peek(struct vhu_input *input, size_t size, const uint8_t **bytes)
{
	if (input->to - input->from < size) {
		int got = make_room(input, size);

		if (got)
			return got;
		while (input->to - input->from < size) {
			got = fill(input);
			if (got < 0)
				return got;
			if (!got)
				return input->to == input->from ? 0 : -ENODATA;
		}
	}
	*bytes = input->buffer + input->from;
	return 1;
}

int vhu_input_skip(struct vhu_input *input, size_t size)
{
	for (;;) {
		size_t has = input->to - input->from;
		int got;

		if (size <= has) {
			input->from += size;
			return 1;
		}
		size -= has;
		input->from = input->to = 0;
		got = fill(input);
		if (got <= 0)
			return got ? got : -ENODATA;
	}
}

/* Begin to watch the file. Without a watch it is looked at every now and then. */
static void watch_file(struct vhu_input *input)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", input->fd);
	input->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (input->watch >= 0 && inotify_add_watch(input->watch, path, IN_MODIFY) < 0) {
		close(input->watch);
		input->watch = -1;
	}
}

int vhu_input_open(struct vhu_input *input, const char *path, bool follow)
{
	struct stat st;
	int error;

	*input = (struct vhu_input){.watch = -1, .room = BUFFER_SIZE};
	input->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				      : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (input->fd < 0)
		return -errno;
	input->buffer = malloc(input->room);
	if (!input->buffer || fstat(input->fd, &st)) {
		error = input->buffer ? -errno : -ENOMEM;
		vhu_input_close(input);
		return error;
	}
	input->pipe = !S_ISREG(st.st_mode);
	input->ends = follow;
	if (S_ISREG(st.st_mode) && follow) {
		/* Standard input may have been read from already. */
		off_t at = lseek(input->fd, 0, SEEK_CUR);

		input->taken = at > 0 ? at : 0;
		input->follow = true;
		watch_file(input);
	}
	return 0;
}

void vhu_input_close(struct vhu_input *input)
{
	if (input->watch >= 0)
		close(input->watch);
	close(input->fd);
	free(input->buffer);
	input->buffer = NULL;
}
