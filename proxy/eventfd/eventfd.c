/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Eventfds that are shared with peers; eventfd.h has the theory of operation. */
#include "proxy/eventfd/eventfd.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/* The longest that a write waits. */
#define EVENTFD_PATIENCE_US 200000
/* Reads of a semaphore in a row. */
#define EVENTFD_TURNS       1024

static volatile sig_atomic_t writing, armed;

/* Let the timer run, or stop it. */
static void eventfd_arm(bool on)
{
	const suseconds_t us = on ? EVENTFD_PATIENCE_US : 0;
	const struct itimerval timer = {{0, us}, {0, us}};

	armed = on;
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* The timer fired. During a write that is all that is wanted; else it is not needed any more. */
static void eventfd_alarm(int number)
{
	int saved = errno;

	(void)number;
	if (!writing)
		eventfd_arm(false);
	errno = saved;
}

int vhu_eventfd_init(void)
{
	/* Not SA_RESTART: a write that waits is to return. */
	struct sigaction action = {.sa_handler = eventfd_alarm};
	int fd = vhu_eventfd_new(false, false), error;
	uint64_t count;

	if (fd < 0)
		return fd;
	error = vhu_eventfd_take(fd, false, &count);
	close(fd);
	if (error != -EAGAIN)
		return error ? error : -EOPNOTSUPP;
	return sigaction(SIGALRM, &action, NULL) ? -errno : 0;
}

int vhu_eventfd_new(bool nonblock, bool semaphore)
{
	int fd = eventfd(0, EFD_CLOEXEC | (nonblock ? EFD_NONBLOCK : 0) |
				(semaphore ? EFD_SEMAPHORE : 0));

	return fd < 0 ? -errno : fd;
}

int vhu_eventfd_take(int fd, bool semaphore, uint64_t *count)
{
	*count = 0;
	for (unsigned turn = 0; turn < EVENTFD_TURNS; turn++) {
		uint64_t value;
		struct iovec to = {&value, sizeof(value)};
		ssize_t n = preadv2(fd, &to, 1, -1, RWF_NOWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return *count ? 0 : -errno;
		if (n != sizeof(value))
			return -EBADF;
		if (value > VHU_EVENTFD_MAX - *count)
			value = VHU_EVENTFD_MAX - *count;
		*count += value;
		if (!semaphore || value != 1)
			break;
	}
	return *count ? 0 : -EAGAIN;
}

int vhu_eventfd_add(int fd, uint64_t count)
{
	ssize_t n;

	/* In this order: a handler that runs in between must leave the timer alone. */
	writing = 1;
	if (!armed)
		eventfd_arm(true);
	n = write(fd, &count, sizeof(count));
	writing = 0;
	if (n == sizeof(count))
		return 0;
	if (n >= 0)
		return -EBADF;
	return errno == EINTR ? -EBUSY : -errno;
}
