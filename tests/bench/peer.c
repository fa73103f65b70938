/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ends that the relays are measured between.
 *
 *	bench_peer echo PATH		a back-end: answers GET_FEATURES, takes everything else; one
 *					session after another
 *	bench_peer serve PATH		the same, for many sessions at once
 *	bench_peer rtt PATH COUNT [SESSIONS]
 *					prints the nanoseconds of a GET_FEATURES and its answer
 *	bench_peer stream PATH COUNT [SESSIONS]
 *					prints messages a second, of 20 bytes, not answered
 *	bench_peer fds PATH COUNT	the same, each with an eventfd
 *	bench_peer hold PATH SESSIONS	begins them, says so, and waits until its input ends
 *	bench_peer follow PATH CLIENTS	follows the proxy with that control socket, says so, reads
 *					nothing, and waits until its input ends
 *
 * With SESSIONS, all of them ask, and then all take their answers.
 *
 * Both read as real peers do, 12 bytes with room for descriptors and then the payload, and send a
 * message at once.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "lib/util/util.h"

#define HEADER_SIZE      12
#define PAYLOAD_MAX      4096
#define GET_FEATURES     1
#define SET_VRING_CALL   13
#define SET_VRING_ENABLE 18
/* Round trips that are not timed, before those that are. */
#define WARM_UP          200
#define SESSIONS_MAX     400

struct message {
	uint32_t request, flags, size;
	uint8_t payload[PAYLOAD_MAX];
};

/* Say what failed and exit. */
static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Receive one message on @fd. Returns 1; 0 at the end. */
static int receive(int fd, struct message *message)
{
	/* Descriptors that come are closed. */
	struct vhu_piece piece = {message, HEADER_SIZE};
	ssize_t n = vhu_piece_receive(fd, &piece, MSG_WAITALL);

	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n != HEADER_SIZE || message->size > PAYLOAD_MAX)
		die("header");
	if (message->size &&
	    recv(fd, message->payload, message->size, MSG_WAITALL) != (ssize_t)message->size)
		die("payload");
	return 1;
}

/* Send @message on @fd at once, with the descriptor @attached unless it is -1. */
static void transmit(int fd, const struct message *message, int attached)
{
	ssize_t size = HEADER_SIZE + (ssize_t)message->size;
	const struct vhu_piece piece = {(void *)message, (size_t)size, &attached, attached >= 0};

	if (vhu_piece_send(fd, &piece, 0) != size)
		die("sendmsg");
}

/* Ask for the features. */
static void ask_only(int fd)
{
	struct message message = {.request = GET_FEATURES, .flags = 1};

	transmit(fd, &message, -1);
}

/* Wait for the answer. */
static void take_answer(int fd)
{
	struct message message;

	if (!receive(fd, &message) || message.request != GET_FEATURES || message.size != 8)
		die("no answer to GET_FEATURES");
}

/* Ask for the features and wait for the answer. */
static void ask(int fd)
{
	ask_only(fd);
	take_answer(fd);
}

/* Take one message, and answer it if it is to be. Returns 1; 0 at the end. */
static int serve_one(int fd)
{
	static struct message message;

	if (!receive(fd, &message))
		return 0;
	if (message.request != GET_FEATURES)
		return 1;
	message.flags |= 4;
	message.size = 8;
	memset(message.payload, 0x5a, 8);
	transmit(fd, &message, -1);
	return 1;
}

/* Serve one session after another. */
static _Noreturn void echo(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		while (serve_one(fd))
			;
		close(fd);
	}
}

/* Serve all sessions at once. */
static _Noreturn void serve(int listener)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
		die("epoll");
	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		int fd = event.data.fd;

		if (fd == listener) {
			event.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (event.data.fd < 0 ||
			    epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event))
				die("accept");
		} else if (!serve_one(fd)) {
			close(fd);
		}
	}
	die("epoll_wait");
}

/* The sessions that are measured. */
static int session[SESSIONS_MAX];
static unsigned long sessions = 1;

/* Print what @count round trips cost each. */
static void measure_rtt(unsigned long count)
{
	unsigned long turns = (count + sessions - 1) / sessions;
	uint64_t begin = vhu_now_ns();

	for (unsigned long i = 0; i < turns; i++) {
		for (unsigned long s = 0; s < sessions; s++)
			ask_only(session[s]);
		for (unsigned long s = 0; s < sessions; s++)
			take_answer(session[s]);
	}
	printf("%.0f\n", (double)(vhu_now_ns() - begin) / (double)(turns * sessions));
}

/* Print how many messages a second pass, with @attached unless it is -1; the answers at the end say
 * that all have arrived. */
static void measure_stream(unsigned long count, int attached)
{
	struct message message = {
	    .request = attached < 0 ? SET_VRING_ENABLE : SET_VRING_CALL, .flags = 1, .size = 8};
	uint64_t begin = vhu_now_ns();

	for (unsigned long i = 0; i < count; i++)
		transmit(session[i % sessions], &message, attached);
	for (unsigned long s = 0; s < sessions; s++)
		ask(session[s]);
	printf("%.0f\n", (double)count * 1e9 / (double)(vhu_now_ns() - begin));
}

/* Say that the sessions exist, and wait until standard input ends. */
static void hold(void)
{
	char byte;

	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

/* Begin the sessions at @address, each with some round trips. */
static void begin(const struct sockaddr_un *address)
{
	for (unsigned long s = 0; s < sessions; s++) {
		session[s] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (session[s] < 0 ||
		    connect(session[s], (const struct sockaddr *)address, sizeof(*address)))
			die(address->sun_path);
		for (unsigned long i = 0; i < WARM_UP / sessions + 1; i++)
			ask(session[s]);
	}
}

/* Follow all records at the control socket @address, once for each session. */
static void follow(const struct sockaddr_un *address)
{
	static const char question[] = "{\"verb\":\"follow\"}\n";
	char byte;

	for (unsigned long s = 0; s < sessions; s++) {
		session[s] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (session[s] < 0 ||
		    connect(session[s], (const struct sockaddr *)address, sizeof(*address)) ||
		    send(session[s], question, strlen(question), 0) != (ssize_t)strlen(question))
			die(address->sun_path);
		/* The answer. */
		do {
			if (recv(session[s], &byte, 1, 0) != 1)
				die("follow");
		} while (byte != '\n');
	}
}

/* Serve at @address. */
static _Noreturn void listen_at(const struct sockaddr_un *address, int many)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	    listen(fd, 4096))
		die(address->sun_path);
	if (many)
		serve(fd);
	echo(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int follows = argc > 1 && !strcmp(argv[1], "follow");
	int holds = follows || (argc > 1 && !strcmp(argv[1], "hold"));
	unsigned long count;

	if (argc < 3 || strlen(argv[2]) >= sizeof(address.sun_path))
		return 2;
	memcpy(address.sun_path, argv[2], strlen(argv[2]));
	if (!strcmp(argv[1], "echo") || !strcmp(argv[1], "serve"))
		listen_at(&address, *argv[1] == 's');
	count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	if (holds || argc > 4)
		sessions = holds ? count : strtoul(argv[4], NULL, 10);
	if (!count || !sessions || sessions > SESSIONS_MAX)
		return 2;
	if (follows)
		follow(&address);
	else
		begin(&address);
	if (holds)
		hold();
	else if (!strcmp(argv[1], "rtt"))
		measure_rtt(count);
	else if (!strcmp(argv[1], "stream"))
		measure_stream(count, -1);
	else if (!strcmp(argv[1], "fds"))
		measure_stream(count, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	else
		return 2;
	return 0;
}
