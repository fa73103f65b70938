/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that `vhu proxy` passes on exactly what it gets: random messages both ways, cut anywhere,
 * with up to 253 descriptors each, over several sessions at once, are compared with what was sent,
 * and so is what the capture holds.
 *
 *	transparency [--seed N] [--messages N] [--sessions N] [--at-once N] [--channels EVERY]
 *		     [--fault FAULT]
 *
 * A seed repeats a run, except for where the kernel cuts and when the proxy reads.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/e2e/proxy/transparency/capture.h"
#include "tests/e2e/proxy/transparency/fds.h"
#include "tests/e2e/proxy/transparency/session.h"
#include "tests/lib/proxy_run.h"

struct options {
	uint64_t seed;
	unsigned int messages; /* over the main sockets, both ways together */
	unsigned int sessions, at_once;
	unsigned int channels; /* the front-end opens one every so many messages */
	const char *rule;      /* for the proxy, one that does nothing */
};

/* Return what the command line asks for. */
static struct options parse(int argc, char **argv)
{
	static const struct option known[] = {
	    {"seed", required_argument, NULL, 's'},
	    {"messages", required_argument, NULL, 'm'},
	    {"sessions", required_argument, NULL, 'n'},
	    {"at-once", required_argument, NULL, 'a'},
	    {"channels", required_argument, NULL, 'c'},
	    {"fault", required_argument, NULL, 'r'},
	    {0},
	};
	struct options options = {
	    .messages = 120000, .sessions = 12, .at_once = 4, .channels = 100};
	int option;

	if (getrandom(&options.seed, sizeof(options.seed), 0) < 0)
		options.seed = (uint64_t)getpid();
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		uint64_t value = option == '?' || option == 'r' ? 0 : strtoull(optarg, NULL, 0);

		if (option == 's')
			options.seed = value;
		else if (option == 'm')
			options.messages = (unsigned int)value;
		else if (option == 'n')
			options.sessions = (unsigned int)value;
		else if (option == 'a')
			options.at_once = (unsigned int)value;
		else if (option == 'c')
			options.channels = (unsigned int)value;
		else if (option == 'r')
			options.rule = optarg;
		else
			exit(2);
	}
	if (!options.sessions || !options.at_once)
		exit(2);
	return options;
}

/* Begin the next session in @session. */
static void begin(struct passed_session *session, const struct message_stream *stream,
		  const struct proxy *proxy, int listener)
{
	int front = peer_connect(proxy->front);

	session_begin(session, stream, front, peer_accept(listener));
}

/* Wait until a socket of @sessions can do something; end the test where none ever can. */
static void wait_for_any(struct passed_session *sessions, unsigned int at_once)
{
	struct pollfd *fds = calloc((size_t)at_once * SESSION_SOCKETS, sizeof(*fds));
	unsigned int n = 0;
	bool nap = false;

	peer_check(fds, "out of memory");
	for (unsigned int i = 0; i < at_once; i++)
		if (sessions[i].open)
			n += session_poll(&sessions[i], fds + n, &nap);
	if (poll(fds, n, nap ? 5 : PEER_PATIENCE_MS) == 0 && !nap) {
		for (unsigned int i = 0; i < at_once; i++)
			session_report(&sessions[i]);
		peer_die("nothing moved for %d seconds", PEER_PATIENCE_MS / 1000);
	}
	free(fds);
}

/* Run all sessions, so many at once. */
static void run(const struct options *options, struct message_stream stream,
		const struct proxy *proxy, int listener)
{
	struct passed_session *sessions = calloc(options->at_once, sizeof(*sessions));
	bool running = true;

	peer_check(sessions, "out of memory");
	stream.session = 0;
	while (running) {
		bool moved = false;

		running = false;
		for (unsigned int i = 0; i < options->at_once; i++) {
			if (!sessions[i].open && stream.session < options->sessions) {
				stream.session++;
				begin(&sessions[i], &stream, proxy, listener);
			}
			if (sessions[i].open)
				moved |= session_step(&sessions[i]);
			running |= sessions[i].open;
		}
		if (running && !moved)
			wait_for_any(sessions, options->at_once);
	}
	free(sessions);
}

/* Let this process hold as many descriptors as it may; the proxy must see to itself. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	struct message_stream stream = {.seed = options.seed, .channel_every = options.channels};
	struct proxy proxy;
	unsigned long compared;
	int listener;

	stream.count = (options.messages + 2 * options.sessions - 1) / (2 * options.sessions);
	printf("transparency --seed %#lx --messages %u --sessions %u --at-once %u --channels %u\n",
	       (unsigned long)options.seed, options.messages, options.sessions, options.at_once,
	       options.channels);
	fflush(stdout);
	proxy_prepare(&proxy);
	proxy.rule = options.rule;
	listener = peer_listen(proxy.back);
	proxy_start(&proxy, proxy.capture);
	raise_fd_limit();
	fds_make(proxy.folder);
	run(&options, stream, &proxy, listener);
	proxy_stop(&proxy);
	compared = capture_check(proxy.capture, &stream, options.sessions);
	printf("%lu messages arrived as they were sent, and are so in the capture\n", compared);
	return 0;
}
