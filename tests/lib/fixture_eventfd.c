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

void fixture_open_session(struct fixture_eventfd *fixture)
{
	fixture->front = peer_connect(fixture->proxy.front);
	fixture->back = peer_accept(fixture->listener);
	fixture_exchange(fixture);
}

void fixture_begin(struct fixture_eventfd *fixture, const char *spec, const char *const *option)
{
	const char *args[ARGUMENTS_MAX] = {"proxy"};
	char interpose[128];
	unsigned int count = 1;

	memset(fixture, 0, sizeof(*fixture));
	snprintf(interpose, sizeof(interpose), "--interpose-eventfds=%s", spec);
	args[count++] = interpose;
	for (; option && *option; option++)
		args[count++] = *option;
	proxy_prepare(&fixture->proxy);
	snprintf(fixture->control, sizeof(fixture->control), "%s.control", fixture->proxy.front);
	args[count++] = "--control";
	args[count++] = fixture->control;
	args[count++] = "-w";
	args[count++] = fixture->proxy.capture;
	args[count++] = fixture->proxy.front;
	args[count] = fixture->proxy.back;
	fixture->listener = peer_listen(fixture->proxy.back);
	proxy_spawn(&fixture->proxy, args);
	fixture_open_session(fixture);
	fixture->fds = proxy_fds(&fixture->proxy);
}

void fixture_close(int *side)
{
	if (*side >= 0)
		close(*side);
	*side = -1;
}

void fixture_end(struct fixture_eventfd *fixture)
{
	fixture_close(&fixture->front);
	fixture_close(&fixture->back);
	/* The sockets of the session are gone too. */
	proxy_fds_settle(&fixture->proxy, fixture->fds - 2);
	close(fixture->listener);
	proxy_stop(&fixture->proxy);
}

void fixture_exchange(struct fixture_eventfd *fixture)
{
	peer_exchange(fixture->front, fixture->back, ++fixture->mark);
}

void fixture_ask(struct fixture_eventfd *fixture)
{
	const struct peer_header ask = {GET_FEATURES, 1, 0};

	peer_check(!peer_send(fixture->front, &ask, sizeof(ask), NULL, 0), "not sent");
	peer_expect(fixture->back, &ask, sizeof(ask), "the request");
}

void fixture_answer(struct fixture_eventfd *fixture)
{
	const struct {
		struct peer_header header;
		uint32_t features[2];
	} answer = {{GET_FEATURES, 5, 8}, {0}};

	peer_check(!peer_send(fixture->back, &answer, sizeof(answer), NULL, 0), "not sent");
	peer_expect(fixture->front, &answer, sizeof(answer), "the answer");
}

int fixture_wire(struct fixture_eventfd *fixture, uint32_t request, unsigned int vring, int fd)
{
	uint64_t payload = vring | (fd < 0 ? 0x100 : 0);
	uint8_t bytes[PEER_HEADER_SIZE + sizeof(payload)];
	int got[PEER_FDS_MAX];
	unsigned int nfds = 0;

	peer_check(
	    !peer_send_message(fixture->front, request, &payload, sizeof(payload), &fd, fd >= 0),
	    "not sent");
	peer_check(peer_readable(fixture->back, PEER_PATIENCE_MS), "nothing came");
	peer_check(peer_receive(fixture->back, bytes, sizeof(bytes), got, &nfds) == sizeof(bytes) &&
		       nfds == (fd >= 0) &&
		       !memcmp(bytes + PEER_HEADER_SIZE, &payload, sizeof(payload)),
		   "another message came, with %u descriptors", nfds);
	return nfds ? got[0] : -1;
}

void fixture_unwire(struct fixture_eventfd *fixture, uint32_t request, unsigned int vring)
{
	peer_check(fixture_wire(fixture, request, vring, -1) == -1,
		   "a descriptor came from nowhere");
	/* It has been passed on; what follows from that has happened with the next. */
	fixture_exchange(fixture);
}

void fixture_stop(struct fixture_eventfd *fixture, unsigned int vring)
{
	struct {
		struct peer_header header;
		uint32_t index, num;
	} message = {{GET_VRING_BASE, 1, 8}, vring, 0};

	peer_check(!peer_send(fixture->front, &message, sizeof(message), NULL, 0), "not sent");
	peer_expect(fixture->back, &message, sizeof(message), "the request");
	message.header.flags = 5;
	message.num = 7;
	peer_check(!peer_send(fixture->back, &message, sizeof(message), NULL, 0), "not sent");
	peer_expect(fixture->front, &message, sizeof(message), "the reply");
}

void fixture_freeze(const struct fixture_eventfd *fixture)
{
	int status;

	peer_check(!kill(fixture->proxy.pid, SIGSTOP) &&
		       waitpid(fixture->proxy.pid, &status, WUNTRACED) == fixture->proxy.pid &&
		       WIFSTOPPED(status),
		   "it does not stop");
}

void fixture_thaw(const struct fixture_eventfd *fixture)
{
	peer_check(!kill(fixture->proxy.pid, SIGCONT), "kill: %s", strerror(errno));
}

int fixture_new_eventfd(unsigned int count)
{
	int fd = eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK);

	peer_check(fd >= 0, "eventfd: %s", strerror(errno));
	return fd;
}

void fixture_signal(int fd, uint64_t count)
{
	peer_check(write(fd, &count, sizeof(count)) == sizeof(count), "no signal: %s",
		   strerror(errno));
}

uint64_t fixture_take(int fd)
{
	uint64_t count = 0;

	peer_check(peer_readable(fd, PEER_PATIENCE_MS), "no signal came");
	peer_check(read(fd, &count, sizeof(count)) == sizeof(count), "no signal: %s",
		   strerror(errno));
	return count;
}

void fixture_take_all(int fd, uint64_t count)
{
	while (count) {
		uint64_t part = fixture_take(fd);

		peer_check(part <= count, "%llu more signals came than were made",
			   (unsigned long long)(part - count));
		count -= part;
	}
	peer_check(!peer_readable(fd, 0), "more signals came than were made");
}

uint64_t fixture_now(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

long long fixture_info(int fd, const char *key, int base)
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
