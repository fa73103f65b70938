/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An endpoint: where one side of the proxy finds its peers. */
#include "proxy/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/holder.h"

/* Connections that wait to be accepted; the kernel cuts it to its own limit. */
#define ENDPOINT_BACKLOG 4096

/* Put a line into @error. Returns -@code. */
__attribute__((format(printf, 3, 4))) static int endpoint_fail(char error[VHU_ENDPOINT_ERROR],
							       int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, VHU_ENDPOINT_ERROR, format, arguments);
	va_end(arguments);
	return -code;
}

int vhu_endpoint_parse(struct vhu_endpoint *endpoint, const char *text, enum vhu_endpoint_kind bare,
		       char error[VHU_ENDPOINT_ERROR])
{
	char *end;
	long fd;

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->fd = -1;
	endpoint->kind = bare;
	endpoint->path = text;
	if (!strncmp(text, "fd:", 3)) {
		errno = 0;
		fd = strtol(text + 3, &end, 10);
		if (end == text + 3 || *end || errno || fd < 0 || fd > INT_MAX)
			return endpoint_fail(error, EINVAL,
					     "%s: not a descriptor: write fd:N, N a number", text);
		/* Now, before something of ours gets the number. */
		if (fcntl((int)fd, F_GETFD) < 0)
			return endpoint_fail(error, EBADF,
					     "%s: not open: whoever starts this must pass it on",
					     text);
		endpoint->kind = VHU_ENDPOINT_FD;
		endpoint->fd = (int)fd;
		return 0;
	}
	if (!strncmp(text, "listen:", 7)) {
		endpoint->kind = VHU_ENDPOINT_LISTEN;
		endpoint->path = text + 7;
	} else if (!strncmp(text, "connect:", 8)) {
		endpoint->kind = VHU_ENDPOINT_CONNECT;
		endpoint->path = text + 8;
	}
	if (!*endpoint->path)
		return endpoint_fail(
		    error, EINVAL, "'%s': no path: write listen:PATH, connect:PATH or fd:N", text);
	if (strlen(endpoint->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return endpoint_fail(
		    error, EINVAL,
		    "%s: path of %zu bytes, a socket's may have %zu: use a shorter one",
		    endpoint->path, strlen(endpoint->path),
		    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return 0;
}

/* Say that @path is taken, by @pid where that is not 0. Returns -EADDRINUSE with a line in @error.
 */
static int endpoint_in_use(const char *path, pid_t pid, char *error)
{
	if (pid)
		return endpoint_fail(error, EADDRINUSE, "%s: already in use by pid %d", path, pid);
	return endpoint_fail(error, EADDRINUSE, "%s: already in use", path);
}

/* Return the address of a path that fits one. */
static struct sockaddr_un endpoint_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path));
	return address;
}

/*
 * Find out whether anybody is bound to the socket file at @path, of which @st tells. A listener in
 * another network namespace is only found by connecting to it.
 * Returns 0 where nobody is: the file is stale; -errno with a line in @error.
 */
static int endpoint_stale(const char *path, const struct stat *st, char *error)
{
	struct sockaddr_un address = endpoint_address(path);
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	int fd, code;

	if (vhu_holder_find(st->st_dev, st->st_ino, &peer.pid) > 0)
		return endpoint_in_use(path, peer.pid, error);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return endpoint_fail(error, errno, "%s: no socket: %s", path, strerror(errno));
	code = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
	if (!code)
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	close(fd);
	switch (code) {
	case ECONNREFUSED:
	case ENOENT:
		return 0;
	case 0:
	case EAGAIN:
	case EPROTOTYPE:
		return endpoint_in_use(path, peer.pid, error);
	default:
		return endpoint_fail(error, code, "%s: a socket is there that cannot be tried: %s",
				     path, strerror(code));
	}
}

/*
 * Make way for a new socket at @path: remove a stale one.
 * Returns 0 or -errno with a line in @error.
 */
static int endpoint_make_way(const char *path, char *error)
{
	struct stat before, after;
	int code;

	if (lstat(path, &before))
		return 0;
	if (!S_ISSOCK(before.st_mode))
		return endpoint_fail(error, EEXIST, "%s: exists and is not a socket: not touched",
				     path);
	code = endpoint_stale(path, &before, error);
	if (code)
		return code;
	/* Somebody else may have replaced the stale one meanwhile. */
	if (lstat(path, &after))
		return 0;
	if (after.st_ino != before.st_ino || after.st_dev != before.st_dev)
		return endpoint_in_use(path, 0, error);
	if (unlink(path))
		return endpoint_fail(error, errno, "%s: stale socket cannot be removed: %s", path,
				     strerror(errno));
	return 0;
}

/* Say why no socket could be made at @path. Returns -@code with a line in @error. */
static int endpoint_bind_failed(const char *path, int code, char *error)
{
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) : 0;

	switch (code) {
	case ENOENT:
		return endpoint_fail(error, code, "%s: no such folder %.*s: make it first", path,
				     length, path);
	case EACCES:
		return endpoint_fail(error, code, "%s: no right to make a socket in %.*s", path,
				     slash ? (length ? length : 1) : 1, slash ? path : ".");
	case EADDRINUSE:
		return endpoint_in_use(path, 0, error);
	default:
		return endpoint_fail(error, code, "%s: no socket can be made: %s", path,
				     strerror(code));
	}
}

/* Listen at the endpoint's path. Returns 0 or -errno with a line in @error. */
static int endpoint_listen(struct vhu_endpoint *endpoint, char *error)
{
	struct sockaddr_un address = endpoint_address(endpoint->path);
	struct stat st;
	int code = endpoint_make_way(endpoint->path, error);

	if (code)
		return code;
	endpoint->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (endpoint->fd < 0)
		return endpoint_fail(error, errno, "%s: no socket: %s", endpoint->path,
				     strerror(errno));
	if (bind(endpoint->fd, (struct sockaddr *)&address, sizeof(address))) {
		code = endpoint_bind_failed(endpoint->path, errno, error);
		vhu_endpoint_close(endpoint);
		return code;
	}
	endpoint->made = !lstat(endpoint->path, &st);
	if (endpoint->made) {
		endpoint->device = st.st_dev;
		endpoint->inode = st.st_ino;
	}
	if (listen(endpoint->fd, ENDPOINT_BACKLOG)) {
		code = endpoint_fail(error, errno, "%s: cannot listen: %s", endpoint->path,
				     strerror(errno));
		vhu_endpoint_close(endpoint);
	}
	return code;
}

/*
 * Check an inherited socket, and find out whether it listens. Its O_NONBLOCK is left as it is:
 * others may hold the same socket. What it may add to each message is turned off: this end is
 * ours, and only descriptors are passed on.
 * Returns 0 or -errno with a line in @error.
 */
static int endpoint_inherit(struct vhu_endpoint *endpoint, char *error)
{
	static const int additions[] = {
	    SO_PASSCRED,  SO_PASSSEC, SO_TIMESTAMP, SO_TIMESTAMPNS,
#ifdef SO_PASSPIDFD
	    SO_PASSPIDFD,
#endif
	};
	int domain = 0, type = 0, listens = 0, off = 0, fd = endpoint->fd;
	struct sockaddr_storage peer;
	socklen_t size = sizeof(int), length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size)) {
		endpoint->fd = -1;
		return endpoint_fail(
		    error, errno, "%s: %s: pass a socket under this number, connected or listening",
		    endpoint->path, strerror(errno));
	}
	if (domain != AF_UNIX || type != SOCK_STREAM) {
		endpoint->fd = -1;
		return endpoint_fail(error, EPROTOTYPE,
				     "%s: not a Unix stream socket: vhost-user needs one",
				     endpoint->path);
	}
	if (!listens && getpeername(fd, (struct sockaddr *)&peer, &length)) {
		endpoint->fd = -1;
		return endpoint_fail(error, errno, "%s: neither connected nor listening: %s",
				     endpoint->path, strerror(errno));
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++)
		setsockopt(fd, SOL_SOCKET, additions[i], &off, sizeof(off));
	if (listens)
		endpoint->kind = VHU_ENDPOINT_LISTEN;
	return 0;
}

int vhu_endpoint_open(struct vhu_endpoint *endpoint, char error[VHU_ENDPOINT_ERROR])
{
	switch (endpoint->kind) {
	case VHU_ENDPOINT_LISTEN:
		return endpoint_listen(endpoint, error);
	case VHU_ENDPOINT_FD:
		return endpoint_inherit(endpoint, error);
	default:
		return 0;
	}
}

int vhu_endpoint_connect(const struct vhu_endpoint *endpoint, char error[VHU_ENDPOINT_ERROR])
{
	struct sockaddr_un address = endpoint_address(endpoint->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int code;

	if (fd < 0)
		return endpoint_fail(error, errno, "%s: no socket: %s", endpoint->path,
				     strerror(errno));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	code = errno;
	close(fd);
	switch (code) {
	case EAGAIN:
		return -EAGAIN;
	case ENOENT:
	case ECONNREFUSED:
		return endpoint_fail(error, code, "%s: %s: start what listens there first",
				     endpoint->path, strerror(code));
	default:
		return endpoint_fail(error, code, "%s: cannot connect: %s", endpoint->path,
				     strerror(code));
	}
}

void vhu_endpoint_close(struct vhu_endpoint *endpoint)
{
	struct stat st;

	if (endpoint->made && !lstat(endpoint->path, &st) && st.st_dev == endpoint->device &&
	    st.st_ino == endpoint->inode)
		unlink(endpoint->path);
	endpoint->made = false;
	if (endpoint->fd >= 0)
		close(endpoint->fd);
	endpoint->fd = -1;
}
