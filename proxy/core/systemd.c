/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a service manager and a service tell each other. */
#include "proxy/core/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The first descriptor that is passed on. */
#define SYSTEMD_FIRST 3

/* Return the number in the environment variable @name, 0 if it is not a number. */
static int systemd_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long number;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno || *end || number > INT_MAX - SYSTEMD_FIRST ? 0 : (int)number;
}

/* Return how many descriptors were passed on to this very process. */
static int systemd_count(void)
{
	return systemd_number("LISTEN_PID") == getpid() ? systemd_number("LISTEN_FDS") : 0;
}

/* Return the descriptor with @name; -ENOENT, -ENOTUNIQ. */
static int systemd_named(const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES"), *at = names ? names : "";
	int count = systemd_count(), found = -ENOENT;

	for (int i = 0; i < count && *at; i++) {
		size_t length = strcspn(at, ":");

		if (strlen(name) == length && !memcmp(at, name, length)) {
			if (found >= 0)
				return -ENOTUNIQ;
			found = SYSTEMD_FIRST + i;
		}
		at += length + (at[length] == ':');
	}
	return found;
}

int vhu_systemd_find(const char *name, const char *text, char *error, size_t size)
{
	int count = systemd_count(), fd;

	if (!count) {
		snprintf(error, size, "%s: no socket was passed on: start this by a socket unit",
			 text);
		return -ENOENT;
	}
	if (name)
		fd = systemd_named(name);
	else
		fd = count == 1 ? SYSTEMD_FIRST : -ENOTUNIQ;
	if (fd == -ENOENT)
		snprintf(error, size,
			 "%s: no socket of this name was passed on: see "
			 "FileDescriptorName= of its unit",
			 text);
	else if (fd == -ENOTUNIQ)
		snprintf(error, size,
			 "%s: several such sockets were passed on: write fd:N, from 3 on", text);
	if (fd >= 0 && fcntl(fd, F_GETFD) < 0) {
		snprintf(error, size, "%s: descriptor %d is not open", text, fd);
		fd = -EBADF;
	}
	return fd;
}

void vhu_systemd_keep(void)
{
	int count = systemd_count();

	for (int fd = SYSTEMD_FIRST; fd < SYSTEMD_FIRST + count; fd++) {
		if (fcntl(fd, F_SETFD, FD_CLOEXEC))
			return;
	}
}

void vhu_systemd_forget(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_PIDFDID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("NOTIFY_SOCKET");
}

int vhu_systemd_notify(const char *lines)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;
	int fd, error = 0;

	if (!length)
		return 0;
	if ((*path != '/' && *path != '@') || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	/* One without a file. */
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		error = -errno;
	close(fd);
	return error;
}
