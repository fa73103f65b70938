/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that `vhu proxy` can be left in place: many sessions at once and one after another, whose
 * sides send in pieces, read slowly, and die at any moment, while the proxy is stopped, continued
 * and asked for its state. Nothing crashes, nothing is lost or altered, the capture is whole, and
 * there are as many descriptors and as much memory at the end as there were after the first part.
 *
 *	soak [--sessions N] [--at-once N] [--seed N] [--fds N]
 *
 * --fds limits the open files of the proxy: then sessions may have to wait, and those that lose
 * descriptors are ended. VHU_SOAK_SESSIONS in the environment is --sessions for a longer run.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/proxy/soak/capture.h"
#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

/* Limit of the memory's growth after the first part, in KiB, for any number of sessions. */
#define GROWTH_MAX_KIB 6144
/* One in this many who connect has gone before anything was. */
#define STILLBORN      32

struct soak {
	struct proxy proxy;
	uint32_t sessions, at_once;
	bool lossy;
	int listener;
	struct soak_outcome *outcome;
	struct soak_session *live; /* room for at_once */
	uint32_t lives, begun, over;
	int *stranger; /* back-ends' connections whose session is not known yet */
	uint32_t strangers, room;
	bool stopped;
	uint64_t full;        /* sends that found no room */
	unsigned stops, asks; /* signals to the proxy */
};

/* Take the options. */
static uint64_t take_options(struct soak *soak, int argc, char **argv)
{
	static const struct option options[] = {{"sessions", required_argument, NULL, 'n'},
						{"at-once", required_argument, NULL, 'a'},
						{"seed", required_argument, NULL, 's'},
						{"fds", required_argument, NULL, 'f'},
						{0}};
	const char *longer = getenv("VHU_SOAK_SESSIONS");
	uint64_t seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
	int key;

	while ((key = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		unsigned long long number = optarg ? strtoull(optarg, NULL, 0) : 0;

		if (key == 'n')
			soak->sessions = (uint32_t)number;
		else if (key == 'a')
			soak->at_once = (uint32_t)number;
		else if (key == 's')
			seed = number;
		else if (key == 'f')
			soak->proxy.max_fds = (unsigned)number;
		else
			exit(2);
	}
	if (longer && !soak->proxy.max_fds)
		soak->sessions = (uint32_t)strtoul(longer, NULL, 0);
	soak->lossy = soak->proxy.max_fds;
	return seed;
}

/* Begin one more session; now and then somebody comes who is gone at once. */
static void begin(struct soak *soak)
{
	if (soak_random() % STILLBORN == 0) {
		int fd = peer_connect(soak->proxy.front);

		if (soak_random() % 2)
			send(fd, "half a header", soak_random() % PEER_HEADER_SIZE, MSG_NOSIGNAL);
		close(fd);
	}
	soak_session_begin(&soak->live[soak->lives++], soak->begun, peer_connect(soak->proxy.front),
			   soak->lossy, &soak->outcome[soak->begun], &soak->full);
	soak->begun++;
}

/* Take the connections of back-ends that there are. Returns whether there were any. */
static bool take_strangers(struct soak *soak)
{
	bool moved = false;
	int fd;

	while ((fd = accept4(soak->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (soak->strangers == soak->room) {
			soak->room = 2 * soak->room + 64;
			soak->stranger =
			    reallocarray(soak->stranger, soak->room, sizeof(*soak->stranger));
			peer_check(soak->stranger, "out of memory");
		}
		soak->stranger[soak->strangers++] = fd;
		moved = true;
	}
	return moved;
}

/* Find out whose back-end @fd is, without taking anything from it. Returns 1 and it is given to its
 * session; 0 not known yet; -1 no session's. */
static int introduce(struct soak *soak, int fd)
{
	uint8_t first[PEER_HEADER_SIZE + SOAK_KEY];
	struct pollfd ask = {.fd = fd, .events = POLLRDHUP};
	bool ended = poll(&ask, 1, 0) ==
		     1; /* before the recv, which then sees all that came before the end */
	ssize_t n = recv(fd, first, sizeof(first), MSG_PEEK | MSG_DONTWAIT);

	if (n == sizeof(first)) {
		uint32_t number = soak_read_key(first).session;

		for (uint32_t i = 0; i < soak->lives; i++) {
			if (soak->live[i].number != number)
				continue;
			soak_session_meet(&soak->live[i], fd);
			return 1;
		}
		/* It is over for its front-end already, which only the proxy can have ended. */
		peer_check(soak->lossy, "a message of session %u came, which is not open", number);
		return -1;
	}
	return ended ? -1 : 0;
}

/* Look at all who are not known yet. Returns whether one is now. */
static bool introduce_all(struct soak *soak)
{
	bool moved = false;

	for (uint32_t i = 0; i < soak->strangers;) {
		int known = introduce(soak, soak->stranger[i]);

		if (!known) {
			i++;
			continue;
		}
		if (known < 0)
			close(soak->stranger[i]);
		soak->stranger[i] = soak->stranger[--soak->strangers];
		moved = true;
	}
	return moved;
}

/* Stop the proxy or let it go on. */
static void stop(struct soak *soak, bool stopped)
{
	if (soak->stopped != stopped)
		kill(soak->proxy.pid, stopped ? SIGSTOP : SIGCONT);
	soak->stops += soak->stopped != stopped && stopped;
	soak->stopped = stopped;
}

/* Nothing moved: let what was held up go on, or wait until something does. */
static void wait_for_something(struct soak *soak)
{
	nfds_t count = 0;
	struct pollfd *ends;
	int ready;

	if (soak->stopped) {
		stop(soak, false);
		return;
	}
	for (uint32_t i = 0; i < soak->lives; i++) {
		if (soak_session_wake(&soak->live[i]))
			return;
	}
	ends = calloc(1 + 2 * soak->lives + soak->strangers, sizeof(*ends));
	peer_check(ends, "out of memory");
	ends[count++] = (struct pollfd){soak->listener, POLLIN, 0};
	for (uint32_t i = 0; i < 2 * soak->lives; i++)
		ends[count++] = (struct pollfd){soak->live[i / 2].side[i % 2].fd,
						soak_session_waits(&soak->live[i / 2], i % 2), 0};
	/* What they have sent already is too little: wait for the rest by asking again. */
	ready = poll(ends, count, soak->strangers ? 5 : PEER_PATIENCE_MS);
	free(ends);
	peer_check(ready > 0 || soak->strangers, "nothing moves any more: %s",
		   proxy_log(&soak->proxy));
}

/* Do something to the proxy now and then. */
static void disturb(struct soak *soak)
{
	uint64_t what = soak_random() % 128;

	if (what < 2) {
		stop(soak, !soak->stopped);
	} else if (what == 2) {
		kill(soak->proxy.pid, SIGUSR1);
		soak->asks++;
	}
}

/* Run until @until sessions are over and none is left. */
static void run(struct soak *soak, uint32_t until)
{
	while (soak->over < until) {
		bool moved = false;

		while (soak->lives < soak->at_once && soak->begun < until)
			begin(soak);
		moved |= take_strangers(soak);
		moved |= introduce_all(soak);
		for (uint32_t i = 0; i < soak->lives;) {
			moved |= soak_session_turn(&soak->live[i]);
			if (!soak_session_over(&soak->live[i])) {
				i++;
				continue;
			}
			soak->live[i] = soak->live[--soak->lives];
			soak->over++;
		}
		disturb(soak);
		if (!moved)
			wait_for_something(soak);
	}
	stop(soak, false);
	while (soak->strangers)
		introduce_all(soak);
}

/* Run the whole soak. */
static void soak_proxy(struct soak *soak)
{
	unsigned fds = proxy_fds(&soak->proxy);
	unsigned long rss, most;
	long growth;

	/* The first part shows what memory that many at once take. */
	run(soak, soak->sessions / 2);
	proxy_fds_settle(&soak->proxy, fds);
	rss = proxy_memory_kib(&soak->proxy, "VmRSS");
	run(soak, soak->sessions);
	proxy_fds_settle(&soak->proxy, fds);
	growth = (long)proxy_memory_kib(&soak->proxy, "VmRSS") - (long)rss;
	most = proxy_memory_kib(&soak->proxy, "VmHWM");
	printf(
	    "%u sessions, %u at once: %u descriptors before and after; memory %lu KiB after half "
	    "of them, grew by %ld, at most %lu\n",
	    soak->sessions, soak->at_once, fds, rss, growth, most);
	printf("the proxy was stopped %u times and asked %u times; %llu sends found no room\n",
	       soak->stops, soak->asks, (unsigned long long)soak->full);
#ifndef __SANITIZE_ADDRESS__
	/* The sanitizer keeps what was freed; it finds leaks in its own way. */
	peer_check(growth <= GROWTH_MAX_KIB, "memory grew by %ld KiB", growth);
#endif
}

int main(int argc, char **argv)
{
	struct soak soak = {.sessions = 5000, .at_once = 200};
	uint64_t seed, messages;

	signal(SIGPIPE, SIG_IGN);
	proxy_prepare(&soak.proxy);
	seed = take_options(&soak, argc, argv);
	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	soak_seed(seed);
	soak.outcome = calloc(soak.sessions, sizeof(*soak.outcome));
	soak.live = calloc(soak.at_once, sizeof(*soak.live));
	peer_check(soak.outcome && soak.live, "out of memory");
	soak.listener = peer_listen(soak.proxy.back);
	proxy_start(&soak.proxy, soak.proxy.capture);
	proxy_wait_capture(&soak.proxy);
	peer_check(!fcntl(soak.listener, F_SETFL, O_NONBLOCK), "fcntl");
	soak_proxy(&soak);
	proxy_stop(&soak.proxy);
	messages = soak_capture_check(soak.proxy.capture, soak.outcome, soak.sessions);
	printf("%llu messages, all that arrived are in the capture\n",
	       (unsigned long long)messages);
	free(soak.outcome);
	free(soak.live);
	free(soak.stranger);
	return 0;
}
