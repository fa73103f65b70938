/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test needs to play the front-end and the back-end on either side of `vhu proxy`.
 *
 * Everything here waits at most PEER_PATIENCE_MS for the other side and ends the test with a line
 * on stderr where it does not come: a test that hangs says where.
 */
#ifndef VHU_TESTS_PROXY_PEER_H
#define VHU_TESTS_PROXY_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PEER_PATIENCE_MS 60000
/* SCM_MAX_FD of the kernel. */
#define PEER_FDS_MAX     253
#define PEER_HEADER_SIZE 12

/* The header of every vhost-user message. */
struct peer_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

/* Print on stderr what went wrong, with the line of the test, and exit 1. */
#define peer_die(...) peer_die_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void peer_die_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* End the test unless @condition holds. */
#define peer_check(condition, ...)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			peer_die(__VA_ARGS__);                                                     \
	} while (0)

/* Return a socket that listens at @path. */
int peer_listen(const char *path);

/* Connect to @path, waiting for somebody to listen there. Returns the socket. */
int peer_connect(const char *path);

/* Try once to connect to @path. Returns the socket; -errno. */
int peer_try_connect(const char *path);

/* Wait for a connection on @listener. Returns the socket. */
int peer_accept(int listener);

/* Return whether @fd becomes readable (or is closed by its peer) within @ms. */
bool peer_readable(int fd, int ms);

/*
 * Send @bytes whole on the blocking socket @fd, the @nfds descriptors @fds with the first of them.
 * Returns 0; -errno (-EPIPE when the other side is closed).
 */
int peer_send(int fd, const void *bytes, size_t size, const int *fds, unsigned int nfds);

/* Send a message of @request with @size bytes of @payload, as peer_send does. Returns as it does.
 */
int peer_send_message(int fd, uint32_t request, const void *payload, uint32_t size, const int *fds,
		      unsigned int nfds);

/*
 * Make one recvmsg of at most @size bytes. If @fds is not NULL it has room for PEER_FDS_MAX, and
 * *@nfds says how many came; they are the caller's to close, and one that is lost ends the test. If
 * it is NULL, descriptors that come are closed.
 * Returns the number of bytes; 0 at the end; -errno (-EAGAIN where @fd does not block).
 */
ssize_t peer_receive(int fd, void *bytes, size_t size, int *fds, unsigned int *nfds);

/* Wait until the other side has received all that was sent to it. */
void peer_received(int fd);

/* Receive exactly @size bytes that must be those of @bytes. @what names them in a complaint. */
void peer_expect(int fd, const void *bytes, size_t size, const char *what);

/* Expect that the other side is closed and that nothing more came. */
void peer_expect_end(int fd, const char *what);

/*
 * Exchange one GET_FEATURES and its reply between @front and @back, to see that a session lives.
 * @mark: the features, so that a stray reply of another session shows.
 */
void peer_exchange(int front, int back, uint64_t mark);

/* Return the time of the monotonic clock in milliseconds. */
int64_t peer_now_ms(void);

#endif
