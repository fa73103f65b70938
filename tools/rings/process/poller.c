/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who waits for a descriptor: epoll says it in its fdinfo; a thread in poll, select or read says it
 * in /proc/PID/task/TID/syscall, whose list of descriptors is read from the process's memory.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/util/array.h"
#include "tools/rings/process/process.h"

/* As many descriptors of one call are looked at. */
#define POLLED_MAX 65536

/* Note that a descriptor is waited for. */
static void note(struct vhu_rings_process *process, int fd, enum vhu_ring_poller how)
{
	struct vhu_rings_polled *more =
	    vhu_array_more(process->polled, &process->polls, sizeof(*more));

	if (!more)
		return;
	process->polled = more;
	process->polled[process->polls - 1] = (struct vhu_rings_polled){fd, how};
}

/* Look at what an epoll waits for. */
static void look_at_epoll(struct vhu_rings_process *process, int epoll)
{
	char path[64], line[256];
	unsigned events;
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fdinfo/%d", process->pid, epoll);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "tfd: %d events: %x", &fd, &events) == 2 && events & EPOLLIN)
			note(process, fd,
			     events & EPOLLET ? VHU_RING_POLLER_EDGE : VHU_RING_POLLER_LEVEL);
	fclose(file);
}

/* Copy memory of a process. Returns whether all of it could be. */
static bool copy(const struct vhu_rings_process *process, void *to, uint64_t from, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)from, size};

	return process_vm_readv((pid_t)process->pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* Look at the descriptors of a poll. */
static void look_at_poll(struct vhu_rings_process *process, uint64_t list, uint64_t count)
{
	struct pollfd *polled;

	if (count == 0 || count > POLLED_MAX)
		return;
	polled = calloc(count, sizeof(*polled));
	if (polled && copy(process, polled, list, count * sizeof(*polled)))
		for (uint64_t i = 0; i < count; i++)
			if (polled[i].fd >= 0 && polled[i].events & POLLIN)
				note(process, polled[i].fd, VHU_RING_POLLER_LEVEL);
	free(polled);
}

/* Look at the descriptors that a select waits for. */
static void look_at_select(struct vhu_rings_process *process, uint64_t count, uint64_t set)
{
	unsigned long bits[FD_SETSIZE / (8 * sizeof(long))] = {0};
	size_t each = 8 * sizeof(long);

	if (count == 0 || count > FD_SETSIZE || !set ||
	    !copy(process, bits, set, (count + each - 1) / each * sizeof(long)))
		return;
	for (unsigned fd = 0; fd < count; fd++)
		if (bits[fd / each] >> fd % each & 1)
			note(process, (int)fd, VHU_RING_POLLER_LEVEL);
}

/* Look at what a thread does. Returns whether it ran. */
static bool look_at_thread(struct vhu_rings_process *process, const char *thread)
{
	char path[320], line[256] = "";
	uint64_t a, b;
	FILE *file;
	long call;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%s/syscall", process->pid, thread);
	file = fopen(path, "re");
	if (!file)
		return true; /* what it does is not known */
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	if (sscanf(line, "%ld %" SCNx64 " %" SCNx64, &call, &a, &b) != 3)
		return !strncmp(line, "running", 7);
	switch (call) {
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
		look_at_poll(process, a, b);
		break;
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
		look_at_select(process, a, b);
		break;
	case SYS_read:
		note(process, (int)a, VHU_RING_POLLER_LEVEL);
		break;
	}
	return false;
}

/* Read the state of a process, and how much time it has spent in the kernel. */
static void look_at_state(struct vhu_rings_process *process)
{
	unsigned long long system = 0;
	char path[64], line[1024], *end;
	FILE *file;

	process->state = 'X';
	if (process->ended)
		return;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", process->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	/* Fields 3 and 15; field 2 may hold anything. */
	if (fgets(line, sizeof(line), file) && (end = strrchr(line, ')')) &&
	    sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %llu", &process->state,
		   &system) != 2)
		process->state = 'X';
	fclose(file);
	if (process->looks == 0)
		process->system_before = system;
	process->in_kernel |= system > process->system_before;
}

void vhu_rings_process_look(struct vhu_rings_process *process)
{
	struct dirent *entry;
	bool awake = false;
	char path[64];
	DIR *tasks;

	look_at_state(process);
	if (process->ended)
		return;
	process->looks++;
	process->sorted = false;
	for (unsigned i = process->eventfds; i < process->opens; i++)
		if (process->open[i].kind == VHU_RINGS_EPOLL)
			look_at_epoll(process, process->open[i].fd);
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task", process->pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			awake |= look_at_thread(process, entry->d_name);
	if (tasks)
		closedir(tasks);
	process->awake += awake;
}

/* Order what is waited for by descriptor. */
static int by_fd(const void *left, const void *right)
{
	const struct vhu_rings_polled *a = left, *b = right;

	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

enum vhu_ring_poller vhu_rings_process_poller(struct vhu_rings_process *process, uint32_t id)
{
	const struct vhu_rings_open *open = vhu_rings_process_eventfd(process, id);
	const struct vhu_rings_polled *found;

	if (process->error || !open || process->looks == 0)
		return VHU_RING_POLLER_UNKNOWN;
	if (!process->sorted && process->polls)
		qsort(process->polled, process->polls, sizeof(*process->polled), by_fd);
	process->sorted = true;
	/* The process may have several descriptors of it. */
	for (; open < process->open + process->eventfds && open->id == id; open++) {
		const struct vhu_rings_polled key = {.fd = open->fd};

		found = process->polls
			    ? bsearch(&key, process->polled, process->polls, sizeof(key), by_fd)
			    : NULL;
		if (found)
			return found->how;
	}
	/* One that was stopped may have been stopped between two polls. */
	if (strchr("TtDZX", process->state))
		return VHU_RING_POLLER_UNKNOWN;
	/* One that runs all the time without the kernel polls by itself; what another one that runs
	 * does is not known. */
	if (process->uring || (process->awake && (process->awake < process->looks ||
						  process->in_kernel || process->looks < 3)))
		return VHU_RING_POLLER_UNKNOWN;
	return VHU_RING_POLLER_NONE;
}
