/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare relay that `vhu proxy` is measured against: the least that a relay must do to keep
 * messages and descriptors together. It reads a header with its descriptors, then the payload, and
 * sends both on at once; it records nothing, describes nothing, and trusts everybody.
 *
 *	bench_relay FRONT BACK
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER_SIZE 12
#define MESSAGE_MAX (HEADER_SIZE + (8u << 20))
#define FDS_MAX     253

static union {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
} control;

/* Say what failed and exit. */
static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Return a socket that listens at @path, or that is connected to it. */
static int open_socket(const char *path, int listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die(path);
	memcpy(address.sun_path, path, strlen(path));
	if (!listens && connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die(path);
	if (listens && (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4096)))
		die(path);
	return fd;
}

/* Close the descriptors that came with a message, once it is sent. */
static void close_fds(struct msghdr *message)
{
	struct cmsghdr *cmsg = message->msg_controllen ? CMSG_FIRSTHDR(message) : NULL;
	size_t count = cmsg ? (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
		close(fd);
	}
}

/* Pass one message on. Returns 1; 0 at the end of the session. */
static int relay_one(int from, int to, uint8_t *buffer)
{
	struct iovec iov = {buffer, HEADER_SIZE};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	uint32_t size;

	if (n <= 0)
		return 0;
	if (n < HEADER_SIZE &&
	    recv(from, buffer + n, (size_t)(HEADER_SIZE - n), MSG_WAITALL) != HEADER_SIZE - n)
		return 0;
	memcpy(&size, buffer + 8, sizeof(size));
	if (size > MESSAGE_MAX - HEADER_SIZE)
		return 0;
	if (size && recv(from, buffer + HEADER_SIZE, size, MSG_WAITALL) != (ssize_t)size)
		return 0;
	iov.iov_len = HEADER_SIZE + size;
	if (!message.msg_controllen)
		message.msg_control = NULL;
	n = sendmsg(to, &message, MSG_NOSIGNAL);
	close_fds(&message);
	return n == (ssize_t)(HEADER_SIZE + size);
}

/* One side of a session. */
struct end {
	int fd;
	struct end *other; /* of the same session; NULL: the listener */
};

/* Watch @fd for input, on behalf of @end. */
static void watch(int epoll, int fd, struct end *end)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

/* Begin a session with who came. */
static void begin(int epoll, int listener, const char *back)
{
	struct end *end = calloc(2, sizeof(*end));

	if (!end)
		die("calloc");
	for (int i = 0; i < 2; i++) {
		end[i].other = &end[!i];
		end[i].fd = i ? open_socket(back, 0) : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (end[i].fd < 0)
			die("accept");
		watch(epoll, end[i].fd, &end[i]);
	}
}

int main(int argc, char **argv)
{
	uint8_t *buffer = malloc(MESSAGE_MAX);
	int listener, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;

	if (argc != 3 || !buffer || epoll < 0)
		return 2;
	listener = open_socket(argv[1], 1);
	watch(epoll, listener, NULL);
	/* One event at a time: what it stands for is still there. */
	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		struct end *end = event.data.ptr;

		if (!end) {
			begin(epoll, listener, argv[2]);
		} else if (!relay_one(end->fd, end->other->fd, buffer)) {
			close(end->fd);
			close(end->other->fd);
			free(end < end->other ? end : end->other);
		}
	}
	die("epoll_wait");
}
