/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading what an iterator writes. */
#include "bpf/load/iterator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int vhu_bpf_iterator_read(const struct bpf_link *link, void **list, size_t size)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), error = 0;
	size_t used = 0, room = 0;
	char *bytes = NULL;
	ssize_t got = 1;

	*list = NULL;
	if (fd < 0)
		return -errno;
	while (got && !error) {
		if (room - used < 65536) {
			char *more = realloc(bytes, room + 262144);

			if (!more) {
				error = -ENOMEM;
				break;
			}
			bytes = more;
			room += 262144;
		}
		got = read(fd, bytes + used, room - used);
		if (got > 0)
			used += (size_t)got;
		else if (got < 0 && errno != EINTR && errno != EAGAIN)
			error = -errno;
	}
	close(fd);
	if (error) {
		free(bytes);
		return error;
	}
	*list = bytes;
	return (int)(used / size);
}
