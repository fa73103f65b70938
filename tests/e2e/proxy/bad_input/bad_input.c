/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that `vhu proxy` withstands what it must.
 *
 *	proxy_bad_input CASE		run one case
 *	proxy_bad_input			list them
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/proxy/bad_input/bad_input.h"

#include "lib/util/util.h"

#define CASE(name) {#name, bad_##name},
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {BAD_CASES(CASE)};
#undef CASE

void bad_begin_prepared(struct bad *bad, const char *capture)
{
	bad->listener = peer_listen(bad->proxy.back);
	proxy_start(&bad->proxy, capture);
	bad_session(bad, &bad->front, &bad->back);
	bad_bystander(bad);
	bad->fds = proxy_fds(&bad->proxy);
}

void bad_begin(struct bad *bad, bool records)
{
	*bad = (struct bad){0};
	proxy_prepare(&bad->proxy);
	bad_begin_prepared(bad, records ? bad->proxy.capture : "");
}

void bad_session(struct bad *bad, int *front, int *back)
{
	*front = peer_connect(bad->proxy.front);
	*back = peer_accept(bad->listener);
}

void bad_bystander(struct bad *bad)
{
	peer_exchange(bad->front, bad->back, 0xb757a8de00000000 + bad->exchanges++);
}

void bad_end(struct bad *bad)
{
	bad_bystander(bad);
	proxy_fds_settle(&bad->proxy, bad->fds);
	close(bad->front);
	peer_expect_end(bad->back, "the bystander's back-end");
	close(bad->back);
	close(bad->listener);
	proxy_stop(&bad->proxy);
}

const char *bad_one_line(struct bad *bad, const char *text)
{
	const char *line = proxy_log_wait(&bad->proxy, text);
	static char copy[512];

	snprintf(copy, sizeof(copy), "%s", line);
	peer_check(!strncmp(copy, "vhu proxy: ", 11), "\"%s\" does not begin with who says it",
		   copy);
	bad_bystander(bad);
	peer_check(!strcasestr(proxy_log(&bad->proxy) + bad->proxy.log_seen, text),
		   "said more than once: %s", copy);
	return copy;
}

void bad_refused(struct proxy *proxy, const char *const *args, int status, const char *text)
{
	const char *log;
	int got;

	proxy_spawn(proxy, args);
	got = proxy_wait(proxy);
	log = proxy_log(proxy);
	peer_check(got == status, "ended with %d instead of %d: %s", got, status, log);
	peer_check(strcasestr(log, text), "nothing about \"%s\": %s", text, log);
	peer_check(!strncmp(log, "vhu proxy: ", 11), "does not begin with who says it: %s", log);
	peer_check(strchr(log, '\n') == log + strlen(log) - 1, "is not one line: %s", log);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(cases); i++) {
		if (argc < 2) {
			puts(cases[i].name);
		} else if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}
