/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line from a socket whose other end may be anything. */
#include "tools/ctl/line.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/util/util.h"

/* A whole line may take so many times as long as the socket blocks. */
#define LINE_TIMES 6
/* A longer line is no answer. */
#define ANSWER_MAX (64u << 20)
/* Bytes in which the end of a line is looked for at once. */
#define CHUNK      4096

/* Return when a line has taken too long; UINT64_MAX: never. */
static uint64_t line_until(int fd)
{
	struct timeval patience = {0};
	socklen_t size = sizeof(patience);

	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, &size);
	if (!patience.tv_sec && !patience.tv_usec)
		return UINT64_MAX;
	return vhu_now_ns() + LINE_TIMES * ((uint64_t)patience.tv_sec * VHU_NS_PER_S +
					    (uint64_t)patience.tv_usec * 1000);
}

/* Have room for a chunk and a NUL after @got bytes. Returns whether there is; else errno says why.
 */
static bool make_room(char **line, size_t *room, size_t got)
{
	char *more;

	if (*line && *room > got + CHUNK)
		return true;
	if (got >= ANSWER_MAX) {
		errno = EMSGSIZE;
		return false;
	}
	more = realloc(*line, 2 * got + 2 * CHUNK);
	if (!more)
		return false;
	*line = more;
	*room = 2 * got + 2 * CHUNK;
	return true;
}

/* Receive bytes of a line, up to its end at most. Returns how many; 0 if none come any more, -1
 * with errno. */
static ssize_t receive(int fd, char *to)
{
	ssize_t size = recv(fd, to, CHUNK, MSG_PEEK);
	const char *end = size > 0 ? memchr(to, '\n', (size_t)size) : NULL;

	if (end)
		size = end - to + 1;
	return size > 0 ? recv(fd, to, (size_t)size, 0) : size;
}

ssize_t vhu_answer_line(int fd, char **line, size_t *room)
{
	const uint64_t until_ns = line_until(fd);
	size_t got = 0;

	while (make_room(line, room, got)) {
		const ssize_t size = receive(fd, *line + got);

		if (size < 0 && errno != EINTR)
			return -1;
		if (!size) {
			errno = 0;
			return -1;
		}
		got += size > 0 ? (size_t)size : 0;
		(*line)[got] = '\0';
		if (got && (*line)[got - 1] == '\n')
			return (ssize_t)got;
		if (vhu_now_ns() > until_ns) {
			errno = EAGAIN;
			return -1;
		}
	}
	return -1;
}
