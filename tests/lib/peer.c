/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test's own front-end and back-end: blocking sends and receives with descriptors. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "lib/util/util.h"
#include "tests/lib/peer.h"

void peer_die_at(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

int64_t peer_now_ms(void)
{
	return (int64_t)vhu_now_ms();
}

/* Fill *@address with @path; a path that is too long ends the test. */
static void address_of(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	peer_check(strlen(path) < sizeof(address->sun_path), "%s: too long for a socket", path);
	memcpy(address->sun_path, path, strlen(path));
}

int peer_listen(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address_of(&address, path);
	peer_check(fd >= 0, "socket: %s", strerror(errno));
	peer_check(!bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 64),
		   "%s: cannot listen: %s", path, strerror(errno));
	return fd;
}

int peer_try_connect(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address_of(&address, path);
	peer_check(fd >= 0, "socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int peer_connect(const char *path)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;
	int fd;

	while ((fd = peer_try_connect(path)) < 0) {
		peer_check(peer_now_ms() < limit, "%s: no process listens: %s", path,
			   strerror(-fd));
		usleep(5000);
	}
	return fd;
}

bool peer_readable(int fd, int ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int n;

	do {
		n = poll(&poll_fd, 1, ms);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

void peer_received(int fd)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;
	int unread;

	for (;;) {
		peer_check(!ioctl(fd, SIOCOUTQ, &unread), "SIOCOUTQ: %s", strerror(errno));
		if (!unread)
			return;
		peer_check(peer_now_ms() < limit, "the peer does not receive what was sent");
		usleep(1000);
	}
}

int peer_accept(int listener)
{
	int fd;

	peer_check(peer_readable(listener, PEER_PATIENCE_MS),
		   "no front-end connected to the back-end");
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	peer_check(fd >= 0, "accept: %s", strerror(errno));
	return fd;
}

int peer_send(int fd, const void *bytes, size_t size, const int *fds, unsigned int nfds)
{
	size_t done = 0;

	while (done < size) {
		const struct vhu_piece piece = {
		    .bytes = (char *)bytes + done,
		    .size = size - done,
		    .fd = (int *)fds,
		    .fds = done ? 0 : nfds,
		};
		ssize_t n = vhu_piece_send(fd, &piece, 0);

		if (n < 0)
			return (int)n;
		done += (size_t)n;
	}
	return 0;
}

int peer_send_message(int fd, uint32_t request, const void *payload, uint32_t size, const int *fds,
		      unsigned int nfds)
{
	struct peer_header header = {request, 1, size};
	uint8_t *bytes = malloc(sizeof(header) + size);
	int rc;

	peer_check(bytes, "out of memory");
	memcpy(bytes, &header, sizeof(header));
	if (size)
		memcpy(bytes + sizeof(header), payload, size);
	rc = peer_send(fd, bytes, sizeof(header) + size, fds, nfds);
	free(bytes);
	return rc;
}

ssize_t peer_receive(int fd, void *bytes, size_t size, int *fds, unsigned int *nfds)
{
	struct vhu_piece piece = {
	    .bytes = bytes,
	    .size = size,
	    .fd = fds,
	    .fds_max = fds ? PEER_FDS_MAX : 0,
	};
	ssize_t n = vhu_piece_receive(fd, &piece, 0);

	if (fds)
		*nfds = piece.fds;
	peer_check(!fds || !piece.fds_lost, "the test itself ran out of descriptors");
	return n;
}

void peer_expect(int fd, const void *bytes, size_t size, const char *what)
{
	const uint8_t *expected = bytes;
	uint8_t part[4096];
	size_t done = 0;

	while (done < size) {
		size_t want = size - done < sizeof(part) ? size - done : sizeof(part);
		ssize_t n;

		peer_check(peer_readable(fd, PEER_PATIENCE_MS), "%s: only %zu of %zu bytes came",
			   what, done, size);
		n = peer_receive(fd, part, want, NULL, NULL);
		peer_check(n > 0, "%s: closed after %zu of %zu bytes", what, done, size);
		for (ssize_t i = 0; i < n; i++)
			peer_check(part[i] == expected[done + (size_t)i],
				   "%s: byte %zu is %02x, %02x was sent", what, done + (size_t)i,
				   part[i], expected[done + (size_t)i]);
		done += (size_t)n;
	}
}

void peer_expect_end(int fd, const char *what)
{
	uint8_t byte;
	ssize_t n;

	peer_check(peer_readable(fd, PEER_PATIENCE_MS), "%s: was not closed", what);
	n = peer_receive(fd, &byte, 1, NULL, NULL);
	peer_check(n == 0 || n == -ECONNRESET, "%s: %s instead of its end", what,
		   n > 0 ? "a byte" : strerror((int)-n));
}

void peer_exchange(int front, int back, uint64_t mark)
{
	struct peer_header request = {1, 1, 0};
	struct {
		struct peer_header header;
		uint64_t features;
	} __attribute__((packed)) reply = {{1, 5, 8}, mark};

	peer_check(!peer_send(front, &request, sizeof(request), NULL, 0), "request: not sent");
	peer_expect(back, &request, sizeof(request), "request");
	peer_check(!peer_send(back, &reply, sizeof(reply), NULL, 0), "reply: not sent");
	peer_expect(front, &reply, sizeof(reply), "reply");
}
