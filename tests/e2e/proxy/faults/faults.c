/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that each fault does what it says to the messages that it is for, and to no others: what
 * comes out of `vhu proxy` is compared with faults.h. What the captures say of it is printed,
 * for faults.sh to compare.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/e2e/proxy/faults/script.h"
#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

enum way { ALL_SENT, STOPPED, CLOSED, BACK_FIRST };

struct fault {
	const char *name;
	enum way way;
	size_t early;
	const char *option[12];
	const char *front_sends, *back_gets, *back_sends, *front_gets;
};

#define CASE(name, way, early, ...) {name, way, early, __VA_ARGS__},
static const struct fault faults[] = {
#include "tests/e2e/proxy/faults/faults.h"
};

struct channel_fault {
	const char *name, *text;
	unsigned int fds, messages;
	const char *front_gets;
};

#define CHANNEL(name, fault, fds, messages, gets) {name, fault, fds, messages, gets},
static const struct channel_fault channel_faults[] = {
#include "tests/e2e/proxy/faults/faults.h"
};

/* Start the proxy of a case. */
static void start(struct proxy *proxy, const struct fault *fault)
{
	const char *args[24] = {"proxy", "-w", proxy->capture};
	size_t n = 3;

	for (size_t i = 0; i < 12 && fault->option[i]; i++)
		args[n++] = fault->option[i];
	args[n++] = proxy->front;
	args[n++] = proxy->back;
	unlink(proxy->capture);
	unlink(proxy->log);
	proxy_spawn(proxy, args);
}

/* Print what the capture says, without what differs from run to run: each direction on its own,
 * since which of them is first is chance. */
static void print_capture(const struct proxy *proxy, const struct fault *fault)
{
	static const char strip[] = "/ opened/d; "
				    "s/^ *[0-9]* [0-9.]* 1 front-end //; "
				    "s/^ *[0-9]* [0-9.]* 1 back-end  */on the channel: /; "
				    "s/ (after [^)]*)//; "
				    "s/ let go after .*/ let go/";
	static const char sort[] = "/^->/ { front = front $0 \"\\n\"; next } "
				   "/^<-/ { back = back $0 \"\\n\"; next } "
				   "{ other = other $0 \"\\n\" } "
				   "END { printf \"%s%s%s\", front, back, other }";

	printf("== %s\n", fault->name);
	for (size_t i = 0; fault->option[i]; i += 2)
		printf("-- %s\n", fault->option[i + 1]);
	fflush(stdout);
	peer_check(!proxy_shell("'%s' dump '%s' | sed -e '%s' | awk '%s'", proxy_vhu(),
				proxy->capture, strip, sort),
		   "%s: vhu dump failed", fault->name);
	proxy_shell("sed -n -e '/ lost; capture: /d' -e 's/^vhu proxy: /!! /p' '%s'", proxy->log);
}

/* Run one case. */
static void run(struct proxy *proxy, int listener, const struct fault *fault)
{
	unsigned int fds = 0;
	char what[300];
	int front, back;

	snprintf(what, sizeof(what), "%s: what the back-end gets", fault->name);
	start(proxy, fault);
	front = peer_connect(proxy->front);
	back = peer_accept(listener);
	if (fault->way == BACK_FIRST) {
		script_send(back, fault->back_sends, &fds);
		script_await(front, fault->early);
	}
	script_send(front, fault->front_sends, &fds);
	if (fault->way == ALL_SENT || fault->way == BACK_FIRST) {
		shutdown(front, SHUT_WR);
	} else if (fault->way == CLOSED) {
		close(front);
	} else {
		script_await(back, fault->early);
		kill(proxy->pid, SIGTERM);
	}
	script_expect(what, script_receive(back, VHU_FRONT_END, 0), fault->back_gets);
	if (fault->way != BACK_FIRST)
		script_send(back, fault->back_sends, &fds);
	shutdown(back, SHUT_WR);
	if (fault->way != CLOSED) {
		snprintf(what, sizeof(what), "%s: what the front-end gets", fault->name);
		script_expect(what, script_receive(front, VHU_FRONT_END, 0), fault->front_gets);
		close(front);
	}
	close(back);
	proxy_stop(proxy);
	print_capture(proxy, fault);
}

/* Receive what the front-end sent before it shut down sending: @messages of them with a channel's
 * socket, one without. Returns the socket that came last but for what is no socket, -1 none. */
static int receive_channel(const struct channel_fault *fault, int back)
{
	unsigned int fds = 0, messages = 0;
	int last = -1;

	for (;;) {
		int passed[PEER_FDS_MAX];
		struct peer_header header;
		unsigned int nfds = 0;

		peer_check(peer_readable(back, PEER_PATIENCE_MS), "%s: nothing comes", fault->name);
		if (peer_receive(back, &header, sizeof(header), passed, &nfds) <= 0)
			break;
		messages += header.request != 3;
		for (unsigned int i = 0; i < nfds; i++) {
			if (last >= 0)
				close(last);
			last = passed[i];
		}
		fds += nfds;
	}
	peer_check(messages == fault->messages && fds == fault->fds,
		   "%s: %u messages and %u descriptors came, not %u and %u", fault->name, messages,
		   fds, fault->messages, fault->fds);
	return last;
}

/* Run one case on a channel. */
static void run_channel(struct proxy *proxy, int listener, const struct channel_fault *fault)
{
	const struct fault as = {.name = fault->name, .option = {"--fault", fault->text}};
	const struct peer_header opens = {21, 1, 0}, after = {3, 1, 0};
	unsigned int fds = 0;
	int front, back, end[2], last;

	start(proxy, &as);
	front = peer_connect(proxy->front);
	back = peer_accept(listener);
	peer_check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), "no socket pair");
	peer_check(!peer_send(front, &opens, sizeof(opens), &end[1], 1) &&
		       !peer_send(front, &after, sizeof(after), NULL, 0),
		   "cannot send");
	close(end[1]);
	shutdown(front, SHUT_WR);
	last = receive_channel(fault, back);
	if (last >= 0 && *fault->front_gets)
		script_send(last, CALLS, &fds);
	if (last >= 0)
		close(last);
	script_expect(fault->name, script_receive(end[0], VHU_BACK_END, 0), fault->front_gets);
	close(end[0]);
	close(back);
	close(front);
	proxy_stop(proxy);
	print_capture(proxy, &as);
}

int main(int argc, char **argv)
{
	struct proxy proxy;
	int listener;

	signal(SIGPIPE, SIG_IGN);
	proxy_prepare(&proxy);
	listener = peer_listen(proxy.back);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(faults); i++)
		if (argc < 2 || !strcmp(argv[1], faults[i].name))
			run(&proxy, listener, &faults[i]);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(channel_faults); i++)
		if (argc < 2 || !strcmp(argv[1], channel_faults[i].name))
			run_channel(&proxy, listener, &channel_faults[i]);
	return 0;
}
