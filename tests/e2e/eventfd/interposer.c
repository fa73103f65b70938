/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that kicks and calls come through `vhu proxy --interpose-eventfds` as they would have come
 * without it: every count, in the same order with messages, by eventfds that are the same in all
 * that can be seen, with nothing left behind anywhere.
 *
 *	eventfd_interposer [CASE]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/fixture_eventfd.h"

#include "lib/util/util.h"

/* What is added on one side is taken on the other, one by one and however it comes together. */
static void counts(void)
{
	struct fixture_eventfd stand;
	int kick = stand_eventfd(0), call = stand_eventfd(0), error = stand_eventfd(0);
	int kicked, called, failed;
	uint64_t sum = 0;

	stand_begin(&stand, "", NULL);
	kicked = stand_wire(&stand, SET_KICK, 3, kick);
	called = stand_wire(&stand, SET_CALL, 3, call);
	failed = stand_wire(&stand, SET_ERR, 3, error);
	for (uint64_t i = 1; i <= 300; i++) {
		stand_signal(kick, i);
		peer_check(stand_take(kicked) == i, "kick %d came in parts", (int)i);
		stand_signal(called, 2 * i);
		peer_check(stand_take(call) == 2 * i, "call %d came in parts", (int)i);
		sum += i;
	}
	for (uint64_t i = 1; i <= 2000; i++) {
		stand_signal(kick, i % 7 + 1);
		stand_signal(called, i % 7 + 1);
		sum += i % 7 + 1;
	}
	stand_take_all(kicked, sum - 300 * 301 / 2);
	stand_take_all(call, sum - 300 * 301 / 2);
	stand_signal(failed, 1ull << 40);
	peer_check(stand_take(error) == 1ull << 40, "another count came");
	peer_check(!stand_now(kick) && !stand_now(called), "signals came back");
	stand_close(&stand.front);
	peer_check(strstr(proxy_log_wait(&stand.proxy, "vring 3: "), "1099511627776 errors"),
		   "the summary is wrong: %s", proxy_log(&stand.proxy));
	stand_end(&stand);
}

/* What the back-end gets is of the kind that was sent, and counts what that counts. */
static void kinds(void)
{
	static const int flags[] = {0, EFD_NONBLOCK, EFD_SEMAPHORE, EFD_SEMAPHORE | EFD_NONBLOCK};
	struct fixture_eventfd stand;

	stand_begin(&stand, "", NULL);
	for (unsigned int i = 0; i < 4; i++) {
		int fd = eventfd(5, flags[i]), got;
		bool told = stand_info(fd, "eventfd-semaphore:", 10) >= 0;

		for (uint32_t request = SET_KICK; request <= SET_ERR; request++) {
			got = stand_wire(&stand, request, i, fd);
			peer_check((fcntl(got, F_GETFL) & O_NONBLOCK) ==
				       (fcntl(fd, F_GETFL) & O_NONBLOCK),
				   "it does not block as the original does");
			peer_check(stand_info(got, "eventfd-semaphore:", 10) ==
				       stand_info(fd, "eventfd-semaphore:", 10),
				   "it is a semaphore where the original is none");
			peer_check(stand_info(got, "eventfd-id:", 10) !=
				       stand_info(fd, "eventfd-id:", 10),
				   "it is the original");
			if (request == SET_KICK) {
				peer_check(stand_info(got, "eventfd-count:", 16) == 5,
					   "it does not count what the original counted");
				if (told || !(flags[i] & EFD_SEMAPHORE))
					peer_check(stand_take(got) ==
						       (flags[i] & EFD_SEMAPHORE ? 1 : 5),
						   "its count is taken in another way");
			}
			close(got);
		}
		close(fd);
	}
	stand_end(&stand);
}

/* Each of a semaphore's counts is taken on its own. */
static void semaphores(void)
{
	struct fixture_eventfd stand;
	int kick = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK), kicked;

	if (stand_info(kick, "eventfd-semaphore:", 10) != 1) {
		printf("semaphores: skipped: this kernel does not tell them\n");
		return;
	}
	stand_begin(&stand, "", NULL);
	kicked = stand_wire(&stand, SET_KICK, 0, kick);
	stand_signal(kick, 3000);
	for (int i = 0; i < 3000; i++)
		peer_check(stand_take(kicked) == 1, "more than one at a time");
	peer_check(!peer_readable(kicked, 0), "more came than were made");
	stand_end(&stand);
}

/* Vrings that share an eventfd for their kicks compete for one count; their calls add up. */
static void shared(void)
{
	struct fixture_eventfd stand;
	int kick = stand_eventfd(0), call = stand_eventfd(0), kicked[2], called[2];

	stand_begin(&stand, "", NULL);
	for (unsigned int i = 0; i < 2; i++) {
		kicked[i] = stand_wire(&stand, SET_KICK, i, kick);
		called[i] = stand_wire(&stand, SET_CALL, i, call);
	}
	stand_signal(kick, 3);
	peer_check(peer_readable(kicked[0], PEER_PATIENCE_MS) && peer_readable(kicked[1], 0),
		   "not both see the kick");
	peer_check(stand_take(kicked[1]) == 3 && !peer_readable(kicked[0], 0),
		   "the kick is there twice");
	stand_signal(called[0], 2);
	stand_signal(called[1], 3);
	stand_take_all(call, 5);
	/* One of them stops, the other goes on. */
	stand_stop(&stand, 0);
	stand_signal(kick, 1);
	peer_check(stand_take(kicked[1]) == 1, "it has stopped with the other");
	stand_stop(&stand, 1);
	stand_signal(kick, 1);
	stand_exchange(&stand);
	peer_check(stand_now(kick) == 1, "it has not stopped");
	stand_close(&stand.front);
	proxy_log_wait(&stand.proxy, "vring 0: 3 kicks; 2 calls");
	proxy_log_wait(&stand.proxy, "vring 1: 1 kick; 3 calls");
	stand_end(&stand);
}

/* Only what was asked for is interposed, and what is no eventfd never is. */
static void untouched(void)
{
	struct fixture_eventfd stand;
	int fd = stand_eventfd(0), pair[2], got;
	long long id = stand_info(fd, "eventfd-id:", 10);
	static const struct {
		uint32_t request;
		unsigned int vring;
		bool untouched;
	} row[] = {
	    {SET_KICK, 0, false}, {SET_KICK, 1, true},  {SET_KICK, 2, false}, {SET_KICK, 4, true},
	    {SET_CALL, 3, false}, {SET_CALL, 16, true}, {SET_ERR, 0, true},   {SET_ERR, 2, true},
	};

	stand_begin(&stand, "vring=0,2-3 kick,call", NULL);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		got = stand_wire(&stand, row[i].request, row[i].vring, fd);
		peer_check((stand_info(got, "eventfd-id:", 10) == id) == row[i].untouched,
			   "message %u of vring %u: %s", row[i].request, row[i].vring,
			   row[i].untouched ? "interposed" : "not interposed");
		close(got);
	}
	peer_check(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair: %s", strerror(errno));
	for (int i = 0; i < 3; i++) {
		got = stand_wire(&stand, SET_CALL, 0, pair[1]);
		peer_check(send(got, "x", 1, 0) == 1 && peer_readable(pair[0], 0),
			   "it is another socket");
		peer_check(recv(pair[0], &(char){0}, 1, 0) == 1, "not received");
		close(got);
	}
	proxy_log_wait(&stand.proxy, "vring 0: its call is not interposed: it is no eventfd");
	peer_check(!strstr(proxy_log(&stand.proxy) + stand.proxy.log_seen, "interposed"),
		   "that is said more than once");
	close(pair[0]);
	close(pair[1]);
	stand_stop(&stand, 0);
	stand_stop(&stand, 2);
	stand_end(&stand);
}

/* An eventfd that a peer has filled holds nobody up: where it blocks the session ends, where not it
 * is waited for. */
static void filled(void)
{
	struct fixture_eventfd stand;
	int call = eventfd(0, EFD_CLOEXEC), kick = stand_eventfd(0), called, kicked, front, back;
	const uint64_t full = UINT64_MAX - 1;
	uint64_t first;

	stand_begin(&stand, "", NULL);
	front = peer_connect(stand.proxy.front);
	back = peer_accept(stand.listener);
	called = stand_wire(&stand, SET_CALL, 0, call);
	stand_signal(call, full);
	stand_signal(called, 1);
	proxy_log_wait(&stand.proxy, "vring 0: its call passes no more: a peer has filled it");
	peer_expect_end(stand.front, "the front-end");
	peer_expect_end(stand.back, "the back-end");
	peer_exchange(front, back, 17);
	stand_close(&stand.front);
	stand_close(&stand.back);

	/* The back-end turns what it was given into one that blocks, and fills that. */
	stand_session(&stand);
	kicked = stand_wire(&stand, SET_KICK, 0, kick);
	fcntl(kicked, F_SETFL, 0);
	stand_signal(kicked, full);
	stand_signal(kick, 1);
	proxy_log_wait(&stand.proxy, "vring 0: its kick passes no more: a peer has filled it");
	peer_exchange(front, back, 18);
	stand_close(&stand.front);
	stand_close(&stand.back);

	stand_session(&stand);
	kick = stand_eventfd(0);
	kicked = stand_wire(&stand, SET_KICK, 1, kick);
	stand_signal(kicked, full - 2);
	stand_signal(kick, 5);
	peer_exchange(front, back, 19);
	/* As much as it holds, and then the rest: in all more than it could count to. */
	first = stand_take(kicked);
	peer_check(first >= full - 2, "it was not full");
	stand_take_all(kicked, full - first + 3);
	close(front);
	close(back);
	stand_end(&stand);
}

/* However many are brought, the proxy has no more descriptors than for all vrings. */
static void many(void)
{
	struct fixture_eventfd stand;
	int fd[6];

	stand_begin(&stand, "", NULL);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int vring = 0; vring < 256; vring++) {
			for (uint32_t request = SET_KICK; request <= SET_ERR; request++) {
				int sent = stand_eventfd(0), got;

				got = stand_wire(&stand, request, vring, sent);
				if (vring == 77)
					fd[request - SET_KICK] = got,
						     fd[request - SET_KICK + 3] = sent;
				else
					close(got), close(sent);
			}
		}
		stand_signal(fd[3], 1);
		stand_signal(fd[1], 1);
		peer_check(stand_take(fd[0]) == 1 && stand_take(fd[4]) == 1, "it does not pass");
		for (int i = 0; i < 6; i++)
			close(fd[i]);
	}
	peer_check(proxy_fds(&stand.proxy) <= stand.fds + 2 * 1024 + 1, "%u descriptors are open",
		   proxy_fds(&stand.proxy));
	stand_exchange(&stand);
	proxy_fds_settle(&stand.proxy, stand.fds + 2 * 768 + 1);
	stand_end(&stand);
}

/* Return how many records of the capture have @text in their line. */
static int recorded(struct fixture_eventfd *stand, const char *text)
{
	char path[PROXY_PATH_MAX + 16], line[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s.count", stand->proxy.capture);
	proxy_shell("%s dump %s | grep -c '%s' >%s", proxy_vhu(), stand->proxy.capture, text, path);
	file = fopen(path, "re");
	peer_check(file && fgets(line, sizeof(line), file), "%s: not written", path);
	fclose(file);
	return atoi(line);
}

/* Rules lose, delay and repeat just what they say, and all of it is told. */
static void rules(void)
{
	static const char *const option[] = {"--record-kicks",
					     "--rule",
					     "call vring=0 nth=3: lose",
					     "--rule",
					     "kick vring=0 nth=5: repeat 2",
					     "--rule",
					     "kick vring=1: delay 1min",
					     "--rule",
					     "call vring=1: delay 1ms",
					     NULL};
	struct fixture_eventfd stand;
	int kick[2], call[2], kicked[2], called[2];

	stand_begin(&stand, "", option);
	for (unsigned int i = 0; i < 2; i++) {
		kick[i] = stand_eventfd(0);
		call[i] = stand_eventfd(0);
		kicked[i] = stand_wire(&stand, SET_KICK, i, kick[i]);
		called[i] = stand_wire(&stand, SET_CALL, i, call[i]);
	}
	/* The third of four that come at once is lost too, and the next session's is its own. */
	stand_signal(kick[0], 1);
	stand_take_all(kicked[0], 1);
	stand_signal(called[0], 4);
	stand_take_all(call[0], 3);
	stand_signal(kick[0], 4);
	stand_take_all(kicked[0], 6);
	stand_signal(called[0], 1);
	stand_take_all(call[0], 1);
	/* What is delayed is put back where the vring stops, or comes late. */
	stand_signal(kick[1], 2);
	stand_exchange(&stand);
	peer_check(!stand_now(kicked[1]), "it is not delayed");
	stand_stop(&stand, 1);
	peer_check(stand_now(kick[1]) == 2, "it was not put back");
	stand_signal(called[1], 2);
	stand_take_all(call[1], 2);
	peer_check(
	    !proxy_shell("%s ctl -s %s --json session 1 | grep -q '%s'", proxy_vhu(), stand.control,
			 "\"interposed\":\\[{\"vring\":0,\"kicks\":{\"signals\":5,\"lost\":0,"
			 "\"delayed\":0,\"repeated\":1},\"calls\":{\"signals\":5,\"lost\":1,"),
	    "the control socket tells otherwise");
	stand_close(&stand.front);
	proxy_log_wait(&stand.proxy,
		       "vring 0: 5 kicks, 1 of them repeated; 5 calls, 1 of them lost");
	proxy_log_wait(&stand.proxy,
		       "vring 1: 2 kicks, 2 of them delayed; 2 calls, 2 of them delayed");
	stand_end(&stand);
	peer_check(recorded(&stand, "vring 0 call.* lost by the proxy") == 1 &&
		       recorded(&stand, "vring 0 kick.* repeated by the proxy") == 1 &&
		       recorded(&stand, "vring 1 .* delayed by the proxy") == 4 &&
		       recorded(&stand, "vring 0 call.*kick to call") >= 2 &&
		       recorded(&stand, "altered by the proxy") == 4,
		   "the capture tells otherwise");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
    {"counts", counts},
    {"kinds", kinds},
    {"semaphores", semaphores},
    {"kicks_follow", notifier_kicks_follow},
    {"calls_precede", notifier_calls_precede},
    {"calls_precede_the_end", notifier_calls_precede_the_end},
    {"stops", notifier_stops},
    {"late_calls", notifier_late_calls},
    {"shared", shared},
    {"untouched", untouched},
    {"successors", notifier_successors},
    {"filled", filled},
    {"many", many},
    {"rules", rules},
};

/* Run a case in a process of its own. Returns whether it went well. */
static bool run(const char *name, void (*function)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		function();
		exit(0);
	}
	peer_check(pid > 0 && waitpid(pid, &status, 0) == pid, "fork: %s", strerror(errno));
	if (!status)
		return true;
	fprintf(stderr, "eventfd_interposer: %s failed\n", name);
	return false;
}

int main(int argc, char **argv)
{
	unsigned int done = 0, failed = 0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(cases); i++) {
		if (argc > 1 && strcmp(argv[1], cases[i].name))
			continue;
		done++;
		failed += !run(cases[i].name, cases[i].run);
	}
	printf("%u of %u cases failed\n", failed, done);
	return failed || !done;
}
