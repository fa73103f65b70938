/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Eventfds of all processes, by the iterator; and ours of them, by pidfd. */
#include "bpf/vring/eventfds.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/load/iterator.h"
#include "bpf/vring/internal.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

int vhu_probes_list(struct vhu_probes *probes, struct vhu_bpf_eventfd **list)
{
	void *entries;
	int count = vhu_bpf_iterator_read(probes->iterator, &entries, sizeof(**list));

	*list = entries;
	return count;
}

/* Return whether our descriptor @fd is the eventfd with this id. */
static bool is_eventfd(int fd, uint32_t id)
{
	char path[64], line[128];
	unsigned found;
	bool same = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!same && fgets(line, sizeof(line), file))
		same = sscanf(line, "eventfd-id: %u", &found) == 1 && found == id;
	fclose(file);
	return same;
}

int vhu_held_open(struct vhu_held *held, const struct vhu_bpf_eventfd *eventfd)
{
	int process = (int)syscall(SYS_pidfd_open, eventfd->pid, 0);
	int ret;

	held->eventfd = *eventfd;
	held->fd = -1;
	if (process < 0)
		return errno == EPERM ? -EPERM : -ESRCH;
	held->fd = (int)syscall(SYS_pidfd_getfd, process, eventfd->fd, 0);
	ret = errno;
	close(process);
	if (held->fd < 0)
		return ret == EPERM ? -EPERM : -ESRCH;
	if (is_eventfd(held->fd, eventfd->eventfd_id))
		return 0;
	vhu_held_close(held);
	return -ESRCH;
}

bool vhu_held_count(const struct vhu_held *held, uint64_t *count)
{
	unsigned long long value = 0;
	bool known = false;
	char path[48], line[64];
	FILE *file;

	if (held->fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", held->fd);
	file = fopen(path, "re");
	while (file && !known && fgets(line, sizeof(line), file))
		known = sscanf(line, "eventfd-count: %llx", &value) == 1;
	if (file)
		fclose(file);
	*count = value;
	return known;
}

void vhu_held_close(struct vhu_held *held)
{
	if (held->fd >= 0)
		close(held->fd);
	held->fd = -1;
}
