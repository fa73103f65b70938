/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that come by a descriptor, as they come. */
#include "tools/top/sources/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

/* Have room for more bytes and a NUL. Returns 0 or -errno. */
static int make_room(struct vhu_top_lines *lines)
{
	char *bytes;

	if (lines->room - lines->got > CHUNK)
		return 0;
	if (lines->room > VHU_TOP_LINE_MAX)
		return -EMSGSIZE;
	bytes = realloc(lines->bytes, 2 * lines->room + 2 * CHUNK);
	if (!bytes)
		return -ENOMEM;
	lines->bytes = bytes;
	lines->room = 2 * lines->room + 2 * CHUNK;
	return 0;
}

/* Pass on the whole lines that there are. @fresh: bytes that came last. */
static void pass(struct vhu_top_lines *lines, size_t fresh, void (*take)(void *with, char *line),
		 void *with)
{
	char *at = lines->bytes, *end = lines->bytes + lines->got, *stop;

	/* Only what came last can hold the first line's end. */
	stop = memchr(end - fresh, '\n', fresh);
	while (stop) {
		*stop = '\0';
		take(with, at);
		at = stop + 1;
		stop = memchr(at, '\n', (size_t)(end - at));
	}
	lines->got = (size_t)(end - at);
	memmove(lines->bytes, at, lines->got);
}

int vhu_top_lines_read(struct vhu_top_lines *lines, void (*take)(void *with, char *line),
		       void *with)
{
	const int flags = fcntl(lines->fd, F_GETFL);

	if (flags < 0 || fcntl(lines->fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	for (;;) {
		int ret = make_room(lines);
		ssize_t size;

		if (ret)
			return ret;
		size = read(lines->fd, lines->bytes + lines->got, CHUNK);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (!size)
			return -EPIPE;
		lines->got += (size_t)size;
		pass(lines, (size_t)size, take, with);
	}
}

void vhu_top_lines_free(struct vhu_top_lines *lines)
{
	free(lines->bytes);
	*lines = (struct vhu_top_lines){.fd = -1};
}
