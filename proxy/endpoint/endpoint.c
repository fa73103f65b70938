/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An endpoint: where one side of the proxy finds its peers. */
#include "proxy/endpoint/endpoint.h"

#include <ctype.h>
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

#include "lib/util/util.h"
#include "proxy/core/systemd.h"
#include "proxy/endpoint/socket_owner.h"

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

/*
 * Find an inherited descriptor: "fd:N", "fd:NAME" or "activation", the whole of @text.
 * Returns it; -EINVAL, -EBADF or what vhu_systemd_find returns, with a line in @error.
 */
static int endpoint_inherited(const char *text, char error[VHU_ENDPOINT_ERROR])
{
	const char *which = text + strlen("fd:");
	char *end;
	long fd;

	if (*text == 'a')
		return vhu_systemd_find(NULL, text, error, VHU_ENDPOINT_ERROR);
	if (!isdigit((unsigned char)*which)) {
		if (*which && *which != '-')
			return vhu_systemd_find(which, text, error, VHU_ENDPOINT_ERROR);
		return endpoint_fail(
		    error, EINVAL, "%s: not a descriptor: write fd:N, N a number or a name", text);
	}
	errno = 0;
	fd = strtol(which, &end, 10);
	if (*end || errno || fd > INT_MAX)
		return endpoint_fail(error, EINVAL, "%s: not a descriptor's number", text);
	/* Now, before something of ours gets the number. */
	if (fcntl((int)fd, F_GETFD) < 0)
		return endpoint_fail(error, EBADF,
				     "%s: not open: whoever starts this must pass it on", text);
	return (int)fd;
}

bool vhu_endpoint_is_inherited(const char *text)
{
	return !strncmp(text, "fd:", 3) || !strcmp(text, "activation");
}

int vhu_endpoint_parse(struct vhu_endpoint *endpoint, const char *text, enum vhu_endpoint_kind bare,
		       char error[VHU_ENDPOINT_ERROR])
{
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->fd = endpoint->folder = -1;
	endpoint->kind = bare;
	endpoint->path = text;
	if (vhu_endpoint_is_inherited(text)) {
		endpoint->kind = VHU_ENDPOINT_FD;
		endpoint->fd = endpoint_inherited(text, error);
		return endpoint->fd < 0 ? endpoint->fd : 0;
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
	if (strlen(endpoint->path) >= sizeof(endpoint->address))
		return endpoint_fail(
		    error, EINVAL,
		    "%s: path of %zu bytes, a socket's may have %zu: use a shorter one",
		    endpoint->path, strlen(endpoint->path), sizeof(endpoint->address) - 1);
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
 * Find out whether a process is bound to the socket file at @path with status @st. A listener in
 * another network namespace is only found by connecting to it.
 * Returns 0 if no process is: the file is stale; -errno with a line in @error.
 */
static int endpoint_stale(const char *path, const struct stat *st, char *error)
{
	struct sockaddr_un address = endpoint_address(path);
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	int fd, code;

	if (vhu_socket_owner_find(st->st_dev, st->st_ino, &peer.pid) > 0)
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

/* Return the file's name in its folder. */
static const char *endpoint_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * Make way for a new socket: remove a stale one.
 * Returns 0 or -errno with a line in @error.
 */
static int endpoint_make_way(const struct vhu_endpoint *endpoint, char *error)
{
	const char *path = endpoint->path, *name = endpoint_name(path);
	struct stat before, after;
	int code;

	if (fstatat(endpoint->folder, name, &before, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (!S_ISSOCK(before.st_mode))
		return endpoint_fail(error, EEXIST, "%s: exists and is not a socket: not touched",
				     path);
	code = endpoint_stale(path, &before, error);
	if (code)
		return code;
	/* Somebody else may have replaced the stale one meanwhile. */
	if (fstatat(endpoint->folder, name, &after, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (after.st_ino != before.st_ino || after.st_dev != before.st_dev)
		return endpoint_in_use(path, 0, error);
	if (unlinkat(endpoint->folder, name, 0))
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

/* Keep hold of the folder for the endpoint's file. Returns 0 or -errno with a line in
 * @error. */
static int endpoint_open_folder(struct vhu_endpoint *endpoint, char *error)
{
	const char *path = endpoint->path;
	size_t length = (size_t)(endpoint_name(path) - path);
	char folder[PATH_MAX] = ".";

	if (length)
		snprintf(folder, sizeof(folder), "%.*s", (int)length, path);
	endpoint->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return endpoint->folder < 0 ? endpoint_bind_failed(path, errno, error) : 0;
}

/*
 * Bind the endpoint's socket. The file takes the socket's mode, so the file never has another
 * mode. Returns 0 or -errno.
 */
static int endpoint_bind(const struct vhu_endpoint *endpoint, const struct vhu_socket_perms *perms)
{
	struct sockaddr_un address = endpoint_address(endpoint->path);
	mode_t mask = 0;
	int code;

	if (perms && perms->has_mode) {
		if (fchmod(endpoint->fd, perms->mode))
			return -errno;
		mask = umask(0);
	}
	code = bind(endpoint->fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	if (perms && perms->has_mode)
		umask(mask);
	return code;
}

/*
 * Note which file was made, and give it @rights.
 * Returns 0 or -errno, both with a line in @error, which may be "" for 0.
 */
static int endpoint_own(struct vhu_endpoint *endpoint, const struct vhu_socket_perms *perms,
			char *error)
{
	const char *path = endpoint->path;
	int file = openat(endpoint->folder, endpoint_name(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	bool gives = perms && (perms->has_uid || perms->has_gid);
	struct stat st;
	int code = 0;

	*error = '\0';
	if (file < 0 || fstat(file, &st)) {
		code = endpoint_fail(error, errno, "%s: was taken away at once: %s", path,
				     strerror(errno));
	} else if (!S_ISSOCK(st.st_mode) || (gives && st.st_uid != geteuid())) {
		code = endpoint_fail(error, EADDRINUSE, "%s: was replaced at once", path);
	} else {
		endpoint->made = true;
		endpoint->device = st.st_dev;
		endpoint->inode = st.st_ino;
		if (gives)
			code = vhu_socket_perms_give(perms, file, path, error);
	}
	if (file >= 0)
		close(file);
	return code;
}

/* Listen at the endpoint's path. Returns as vhu_endpoint_open does. */
static int endpoint_listen(struct vhu_endpoint *endpoint, const struct vhu_socket_perms *perms,
			   char *error)
{
	int code = endpoint_open_folder(endpoint, error);

	if (code)
		return code;
	code = endpoint_make_way(endpoint, error);
	if (code)
		goto failed;
	endpoint->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (endpoint->fd < 0) {
		code = endpoint_fail(error, errno, "%s: no socket: %s", endpoint->path,
				     strerror(errno));
		goto failed;
	}
	code = endpoint_bind(endpoint, perms);
	if (code) {
		endpoint_bind_failed(endpoint->path, -code, error);
		goto failed;
	}
	/* Nobody can connect before it listens. */
	code = endpoint_own(endpoint, perms, error);
	if (code)
		goto failed;
	if (!listen(endpoint->fd, VHU_ENDPOINT_BACKLOG))
		return 0;
	code =
	    endpoint_fail(error, errno, "%s: cannot listen: %s", endpoint->path, strerror(errno));
failed:
	vhu_endpoint_close(endpoint);
	return code;
}

/* Call an inherited socket that listens by its path, if it has one. */
static void endpoint_name_listener(struct vhu_endpoint *endpoint)
{
	struct sockaddr_un address = {0};
	socklen_t length = sizeof(address);

	if (getsockname(endpoint->fd, (struct sockaddr *)&address, &length) || !address.sun_path[0])
		return;
	memcpy(endpoint->address, address.sun_path, sizeof(endpoint->address) - 1);
	endpoint->path = endpoint->address;
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
	for (size_t i = 0; i < VHU_ARRAY_SIZE(additions); i++)
		setsockopt(fd, SOL_SOCKET, additions[i], &off, sizeof(off));
	if (listens) {
		endpoint->kind = VHU_ENDPOINT_LISTEN;
		endpoint_name_listener(endpoint);
	}
	return 0;
}

int vhu_endpoint_open(struct vhu_endpoint *endpoint, const struct vhu_socket_perms *perms,
		      char error[VHU_ENDPOINT_ERROR])
{
	*error = '\0';
	switch (endpoint->kind) {
	case VHU_ENDPOINT_LISTEN:
		return endpoint_listen(endpoint, perms, error);
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
	const char *name = endpoint_name(endpoint->path);
	struct stat st;

	/* The socket holds on to its file's inode: no other file can have its number before that is
	 * closed. */
	if (endpoint->made && !fstatat(endpoint->folder, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    st.st_dev == endpoint->device && st.st_ino == endpoint->inode)
		unlinkat(endpoint->folder, name, 0);
	endpoint->made = false;
	if (endpoint->folder >= 0)
		close(endpoint->folder);
	if (endpoint->fd >= 0)
		close(endpoint->fd);
	endpoint->fd = endpoint->folder = -1;
}
