/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front-end and a back-end with an interposing proxy between them. */
#include "tests/lib/fixture_eventfd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 24

void stand_session(struct fixture_eventfd *stand)
{
	stand->front = peer_connect(stand->proxy.front);
	stand->back = peer_accept(stand->listener);
	stand_exchange(stand);
}

void stand_begin(struct fixture_eventfd *stand, const char *spec, const char *const *option)
{
	const char *args[ARGUMENTS_MAX] = {"proxy"};
	char interpose[128];
	unsigned int count = 1;

	memset(stand, 0, sizeof(*stand));
	snprintf(interpose, sizeof(interpose), "--interpose-eventfds=%s", spec);
	args[count++] = interpose;
	for (; option && *option; option++)
		args[count++] = *option;
	proxy_prepare(&stand->proxy);
	snprintf(stand->control, sizeof(stand->control), "%s.control", stand->proxy.front);
	args[count++] = "--control";
	args[count++] = stand->control;
	args[count++] = "-w";
	args[count++] = stand->proxy.capture;
	args[count++] = stand->proxy.front;
	args[count] = stand->proxy.back;
	stand->listener = peer_listen(stand->proxy.back);
	proxy_spawn(&stand->proxy, args);
	stand_session(stand);
	stand->fds = proxy_fds(&stand->proxy);
}

void stand_close(int *side)
{
	if (*side >= 0)
		close(*side);
	*side = -1;
}

void stand_end(struct fixture_eventfd *stand)
{
	stand_close(&stand->front);
	stand_close(&stand->back);
	/* The sockets of the session are gone too. */
	proxy_fds_settle(&stand->proxy, stand->fds - 2);
	close(stand->listener);
	proxy_stop(&stand->proxy);
}

void stand_exchange(struct fixture_eventfd *stand)
{
	peer_exchange(stand->front, stand->back, ++stand->mark);
}

void stand_ask(struct fixture_eventfd *stand)
{
	const struct peer_header ask = {GET_FEATURES, 1, 0};

	peer_check(!peer_send(stand->front, &ask, sizeof(ask), NULL, 0), "not sent");
	peer_expect(stand->back, &ask, sizeof(ask), "the request");
}

void stand_answer(struct fixture_eventfd *stand)
{
	const struct {
		struct peer_header header;
		uint32_t features[2];
	} answer = {{GET_FEATURES, 5, 8}, {0}};

	peer_check(!peer_send(stand->back, &answer, sizeof(answer), NULL, 0), "not sent");
	peer_expect(stand->front, &answer, sizeof(answer), "the answer");
}

int stand_wire(struct fixture_eventfd *stand, uint32_t request, unsigned int vring, int fd)
{
	uint64_t payload = vring | (fd < 0 ? 0x100 : 0);
	uint8_t bytes[PEER_HEADER_SIZE + sizeof(payload)];
	int got[PEER_FDS_MAX];
	unsigned int nfds = 0;

	peer_check(
	    !peer_send_message(stand->front, request, &payload, sizeof(payload), &fd, fd >= 0),
	    "not sent");
	peer_check(peer_readable(stand->back, PEER_PATIENCE_MS), "nothing came");
	peer_check(peer_receive(stand->back, bytes, sizeof(bytes), got, &nfds) == sizeof(bytes) &&
		       nfds == (fd >= 0) &&
		       !memcmp(bytes + PEER_HEADER_SIZE, &payload, sizeof(payload)),
		   "another message came, with %u descriptors", nfds);
	return nfds ? got[0] : -1;
}

void stand_unwire(struct fixture_eventfd *stand, uint32_t request, unsigned int vring)
{
	peer_check(stand_wire(stand, request, vring, -1) == -1, "a descriptor came from nowhere");
	/* It has been passed on; what follows from that has happened with the next. */
	stand_exchange(stand);
}

void stand_stop(struct fixture_eventfd *stand, unsigned int vring)
{
	struct {
		struct peer_header header;
		uint32_t index, num;
	} message = {{GET_VRING_BASE, 1, 8}, vring, 0};

	peer_check(!peer_send(stand->front, &message, sizeof(message), NULL, 0), "not sent");
	peer_expect(stand->back, &message, sizeof(message), "the request");
	message.header.flags = 5;
	message.num = 7;
	peer_check(!peer_send(stand->back, &message, sizeof(message), NULL, 0), "not sent");
	peer_expect(stand->front, &message, sizeof(message), "the reply");
}

void stand_freeze(const struct fixture_eventfd *stand)
{
	int status;

	peer_check(!kill(stand->proxy.pid, SIGSTOP) &&
		       waitpid(stand->proxy.pid, &status, WUNTRACED) == stand->proxy.pid &&
		       WIFSTOPPED(status),
		   "it does not stop");
}

void stand_thaw(const struct fixture_eventfd *stand)
{
	peer_check(!kill(stand->proxy.pid, SIGCONT), "kill: %s", strerror(errno));
}

int stand_eventfd(unsigned int count)
{
	int fd = eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK);

	peer_check(fd >= 0, "eventfd: %s", strerror(errno));
	return fd;
}

void stand_signal(int fd, uint64_t count)
{
	peer_check(write(fd, &count, sizeof(count)) == sizeof(count), "no signal: %s",
		   strerror(errno));
}

uint64_t stand_take(int fd)
{
	uint64_t count = 0;

	peer_check(peer_readable(fd, PEER_PATIENCE_MS), "no signal came");
	peer_check(read(fd, &count, sizeof(count)) == sizeof(count), "no signal: %s",
		   strerror(errno));
	return count;
}

void stand_take_all(int fd, uint64_t count)
{
	while (count) {
		uint64_t part = stand_take(fd);

		peer_check(part <= count, "%llu more signals came than were made",
			   (unsigned long long)(part - count));
		count -= part;
	}
	peer_check(!peer_readable(fd, 0), "more signals came than were made");
}

uint64_t stand_now(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

long long stand_info(int fd, const char *key, int base)
{
	char path[64], line[256];
	long long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	peer_check(file, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			value = strtoll(line + strlen(key), NULL, base);
	fclose(file);
	return value;
}
