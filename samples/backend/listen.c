/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket where front-ends come. */
#include "samples/backend/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One front-end is served at a time; a few may wait. */
#define BACKLOG 8

/* Return whether no process listens on the socket at an address. */
static bool is_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

int vhu_listen(struct vhu_listener *listener, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat there;
	int error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	if (!lstat(path, &there) && S_ISSOCK(there.st_mode) && is_stale(&address))
		unlink(path);
	listener->path = path;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	if (bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) ||
	    lstat(path, &listener->file) || listen(listener->fd, BACKLOG)) {
		error = -errno;
		close(listener->fd);
		return error;
	}
	return 0;
}

void vhu_listen_end(struct vhu_listener *listener)
{
	struct stat there;

	close(listener->fd);
	if (!lstat(listener->path, &there) && there.st_dev == listener->file.st_dev &&
	    there.st_ino == listener->file.st_ino)
		unlink(listener->path);
}

int vhu_listen_inherited(int fd)
{
	int domain, listens;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_UNIX)
		return -ENOTSOCK;
	size = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size))
		return -ENOTSOCK;
	return listens != 0;
}
