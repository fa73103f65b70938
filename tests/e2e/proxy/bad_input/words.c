/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that have the proxy say what they like, or more than anybody reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/proxy/bad_input/bad_input.h"

/* Lines: more than the proxy will print. */
#define MANY 1000

/* Have the proxy say a line: close in the middle of a message. */
static void say_something(struct bad *bad)
{
	int front, back;

	bad_session(bad, &front, &back);
	peer_check(!peer_send(front, "half a h", 8, NULL, 0), "not sent");
	close(front);
	peer_expect(back, "half a h", 8, "half a header");
	peer_expect_end(back, "back-end");
	close(back);
}

/* The name of a peer holds what makes terminals do things: it is shown, and does not arrive there.
 */
void bad_words_escaped(void)
{
	struct bad bad = {0};
	const char *line;

	proxy_prepare(&bad.proxy);
	prctl(PR_SET_NAME, "\033[2J\x9b\xc2\x9bx\xc3\xa4");
	bad_begin_prepared(&bad, bad.proxy.capture);
	say_something(&bad);
	line = bad_one_line(&bad, "in the middle of a message");
	peer_check(strstr(line, "(?[2J??x\xc3\xa4, pid"), "said as it is: %s", line);
	for (const char *at = line; *at; at++)
		peer_check((unsigned char)*at >= ' ' && *at != 0x7f, "%02x in: %s", *at, line);
	bad_end(&bad);
}

/* A peer that has something go wrong again and again does not fill the log; how much was left out
 * is said. */
void bad_words_flood(void)
{
	unsigned lines = 0;
	struct bad bad;

	bad_begin(&bad, true);
	for (unsigned i = 0; i < MANY; i++)
		say_something(&bad);
	bad_bystander(&bad);
	for (const char *log = proxy_log(&bad.proxy); (log = strchr(log, '\n')); log++)
		lines++;
	peer_check(lines >= 100 && lines < MANY, "%u lines were said of %u", lines, MANY);
	bad_end(&bad);
	peer_check(strstr(proxy_log(&bad.proxy), " left out)"),
		   "nothing is said of those left out");
}

/* Whoever reads standard error does not: sessions go on. */
void bad_words_stuck(void)
{
	static char unread[1 << 16];
	struct bad bad = {0};
	const char *args[] = {"proxy", "-v", NULL, NULL, NULL};
	int pipe_end;
	ssize_t n;

	proxy_prepare(&bad.proxy);
	peer_check(!mkfifo(bad.proxy.log, 0600), "mkfifo: %s", strerror(errno));
	pipe_end = open(bad.proxy.log, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	peer_check(pipe_end >= 0, "fifo: %s", strerror(errno));
	args[2] = bad.proxy.front;
	args[3] = bad.proxy.back;
	bad.listener = peer_listen(bad.proxy.back);
	proxy_spawn(&bad.proxy, args);
	bad_session(&bad, &bad.front, &bad.back);
	/* More than a pipe holds. */
	for (unsigned i = 0; i < 200; i++) {
		bad_bystander(&bad);
		say_something(&bad);
	}
	/* A reader that goes on learns how many there were. */
	n = read(pipe_end, unread, sizeof(unread) - 1);
	peer_check(n > 1000, "nothing was said");
	say_something(&bad);
	peer_check(peer_readable(pipe_end, PEER_PATIENCE_MS), "nothing is said any more");
	close(bad.front);
	peer_expect_end(bad.back, "the bystander's back-end");
	close(bad.back);
	close(bad.listener);
	proxy_stop(&bad.proxy);
	n = read(pipe_end, unread, sizeof(unread) - 1);
	unread[n > 0 ? n : 0] = '\0';
	peer_check(strstr(unread, " left out)"), "nothing is said of those left out: %s", unread);
	close(pipe_end);
}
