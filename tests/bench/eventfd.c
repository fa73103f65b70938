/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints the nanoseconds of a kick that is answered by a call.
 *
 *	bench_eventfd BACK FRONT TRIPS
 *
 * A back-end listens at BACK, a front-end connects to FRONT: the same path for a direct connection,
 * or that of a relay which connects to BACK. The front-end sends an eventfd for kicks and one for
 * calls, kicks, and waits for the call; the back-end waits for the kick, and calls. Neither blocks
 * in the eventfd: both wait in poll, as real ones do.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "lib/util/util.h"

#define SET_VRING_KICK 12
#define SET_VRING_CALL 13
/* Trips that are not timed, before those that are. */
#define WARM_UP        200

struct eventfd_message {
	uint32_t request, flags, size;
	uint32_t vring[2];
};

/* Say what failed and exit. */
static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_eventfd: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Fill in @address. Returns a socket for it. */
static int open_socket(struct sockaddr_un *address, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (fd < 0 || strlen(path) >= sizeof(address->sun_path))
		die(path);
	strcpy(address->sun_path, path);
	return fd;
}

/* Send an eventfd for vring 0. */
static void pass(int to, uint32_t request, int eventfd)
{
	struct eventfd_message bytes = {request, 1, 8, {0}};
	const struct vhu_piece piece = {&bytes, sizeof(bytes), &eventfd, 1};

	if (vhu_piece_send(to, &piece, 0) != sizeof(bytes))
		die("sendmsg");
}

/* Receive what pass sent. Returns the eventfd. */
static int take(int from)
{
	struct eventfd_message bytes;
	int fd;
	struct vhu_piece piece = {&bytes, sizeof(bytes), &fd, .fds_max = 1};

	if (vhu_piece_receive(from, &piece, MSG_WAITALL) != sizeof(bytes) || piece.fds != 1)
		die("recvmsg");
	return fd;
}

/* Wait for @fd, take what it counts. */
static void wait_for(int fd)
{
	struct pollfd ask = {.fd = fd, .events = POLLIN};
	uint64_t count;

	do {
		if (poll(&ask, 1, -1) < 0 && errno != EINTR)
			die("poll");
	} while (read(fd, &count, sizeof(count)) != sizeof(count));
}

static void signal_on(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		die("write");
}

/* Be the back-end that comes to @listener, for ever. */
static _Noreturn void answer(int listener)
{
	int fd, kick, call;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		die("accept");
	kick = take(fd);
	call = take(fd);
	for (;;) {
		wait_for(kick);
		signal_on(call);
	}
}

int main(int argc, char **argv)
{
	int kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	unsigned long trips = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	struct sockaddr_un address;
	int listener, front;
	uint64_t start = 0;
	pid_t back;

	if (!trips || kick < 0 || call < 0)
		return 2;
	listener = open_socket(&address, argv[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1))
		die(argv[1]);
	back = fork();
	if (!back)
		answer(listener);
	front = open_socket(&address, argv[2]);
	if (connect(front, (struct sockaddr *)&address, sizeof(address)))
		die(argv[2]);
	pass(front, SET_VRING_KICK, kick);
	pass(front, SET_VRING_CALL, call);
	for (unsigned long i = 0; i < WARM_UP + trips; i++) {
		if (i == WARM_UP)
			start = vhu_now_ns();
		signal_on(kick);
		wait_for(call);
	}
	printf("%.1f\n", (double)(vhu_now_ns() - start) / (double)trips);
	unlink(argv[1]);
	kill(back, SIGKILL);
	return 0;
}
