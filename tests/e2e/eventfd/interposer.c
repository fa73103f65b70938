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

#include "tests/lib/fixture/eventfd.h"

#include "lib/util/util.h"

/* What is added on one side is taken on the other, one by one and however it comes together. */
static void counts(void)
{
	struct fixture_eventfd fixture;
	int kick = fixture_new_eventfd(0), call = fixture_new_eventfd(0),
	    error = fixture_new_eventfd(0);
	int kicked, called, failed;
	uint64_t sum = 0;

	fixture_begin(&fixture, "", NULL);
	kicked = fixture_wire(&fixture, SET_KICK, 3, kick);
	called = fixture_wire(&fixture, SET_CALL, 3, call);
	failed = fixture_wire(&fixture, SET_ERR, 3, error);
	for (uint64_t i = 1; i <= 300; i++) {
		fixture_signal(kick, i);
		peer_check(fixture_take(kicked) == i, "kick %d came in parts", (int)i);
		fixture_signal(called, 2 * i);
		peer_check(fixture_take(call) == 2 * i, "call %d came in parts", (int)i);
		sum += i;
	}
	for (uint64_t i = 1; i <= 2000; i++) {
		fixture_signal(kick, i % 7 + 1);
		fixture_signal(called, i % 7 + 1);
		sum += i % 7 + 1;
	}
	fixture_take_all(kicked, sum - 300 * 301 / 2);
	fixture_take_all(call, sum - 300 * 301 / 2);
	fixture_signal(failed, 1ull << 40);
	peer_check(fixture_take(error) == 1ull << 40, "another count came");
	peer_check(!fixture_now(kick) && !fixture_now(called), "signals came back");
	fixture_close(&fixture.front);
	peer_check(strstr(proxy_log_wait(&fixture.proxy, "vring 3: "), "1099511627776 errors"),
		   "the summary is wrong: %s", proxy_log(&fixture.proxy));
	fixture_end(&fixture);
}

/* What the back-end gets is of the kind that was sent, and counts what that counts. */
static void kinds(void)
{
	static const int flags[] = {0, EFD_NONBLOCK, EFD_SEMAPHORE, EFD_SEMAPHORE | EFD_NONBLOCK};
	struct fixture_eventfd fixture;

	fixture_begin(&fixture, "", NULL);
	for (unsigned int i = 0; i < 4; i++) {
		int fd = eventfd(5, flags[i]), got;
		bool told = fixture_info(fd, "eventfd-semaphore:", 10) >= 0;

		for (uint32_t request = SET_KICK; request <= SET_ERR; request++) {
			got = fixture_wire(&fixture, request, i, fd);
			peer_check((fcntl(got, F_GETFL) & O_NONBLOCK) ==
				       (fcntl(fd, F_GETFL) & O_NONBLOCK),
				   "it does not block as the original does");
			peer_check(fixture_info(got, "eventfd-semaphore:", 10) ==
				       fixture_info(fd, "eventfd-semaphore:", 10),
				   "it is a semaphore, and the original is not");
			peer_check(fixture_info(got, "eventfd-id:", 10) !=
				       fixture_info(fd, "eventfd-id:", 10),
				   "it is the original");
			if (request == SET_KICK) {
				peer_check(fixture_info(got, "eventfd-count:", 16) == 5,
					   "it does not count what the original counted");
				if (told || !(flags[i] & EFD_SEMAPHORE))
					peer_check(fixture_take(got) ==
						       (flags[i] & EFD_SEMAPHORE ? 1 : 5),
						   "its count is taken in another way");
			}
			close(got);
		}
		close(fd);
	}
	fixture_end(&fixture);
}

/* Kicks that were there when the eventfd is handed over are counted, and rules see them. */
static void pending(void)
{
	static const char *const option[] = {"--fault", "kick vring=1 nth=1: lose", NULL};
	struct fixture_eventfd fixture;
	int kick = fixture_new_eventfd(3), other = fixture_new_eventfd(2), got;

	fixture_begin(&fixture, "", option);
	got = fixture_wire(&fixture, SET_KICK, 0, kick);
	fixture_take_all(got, 3);
	fixture_signal(kick, 1);
	fixture_take_all(got, 1);
	close(got);
	got = fixture_wire(&fixture, SET_KICK, 1, other);
	fixture_take_all(got, 1);
	close(got);
	fixture_close(&fixture.front);
	proxy_log_wait(&fixture.proxy, "vring 0: 4 kicks; 0 calls");
	proxy_log_wait(&fixture.proxy, "vring 1: 2 kicks, 1 of them lost; 0 calls");
	fixture_end(&fixture);
}

/* A call is one without a kick only if there were fewer kicks than calls, however they are taken:
 * two kicks at once and then two calls are two and two, and so is a call that is taken before its
 * kick. */
static void pairs(void)
{
	struct fixture_eventfd fixture;
	int kick[2], call[2], kicked[2], called[2];

	fixture_begin(&fixture, "", NULL);
	for (unsigned i = 0; i < 2; i++) {
		kick[i] = fixture_new_eventfd(0);
		call[i] = fixture_new_eventfd(0);
		kicked[i] = fixture_wire(&fixture, SET_KICK, i, kick[i]);
		called[i] = fixture_wire(&fixture, SET_CALL, i, call[i]);
	}
	for (unsigned i = 0; i < 100; i++) {
		fixture_signal(kick[0], 2);
		fixture_take_all(kicked[0], 2);
		for (unsigned j = 0; j < 2; j++) {
			fixture_signal(called[0], 1);
			fixture_take_all(call[0], 1);
		}
	}
	fixture_signal(called[0], 1);
	fixture_take_all(call[0], 1);
	/* The proxy finds both at once. */
	fixture_freeze(&fixture);
	fixture_signal(called[1], 1);
	fixture_signal(kick[1], 1);
	fixture_thaw(&fixture);
	fixture_take_all(kicked[1], 1);
	fixture_take_all(call[1], 1);
	for (unsigned i = 0; i < 2; i++) {
		close(kicked[i]);
		close(called[i]);
	}
	fixture_close(&fixture.front);
	proxy_log_wait(&fixture.proxy, "vring 0: 200 kicks; 201 calls, 1 without a kick");
	proxy_log_wait(&fixture.proxy, "vring 1: 1 kick; 1 call; kick to call");
	fixture_end(&fixture);
}

/* Each of a semaphore's counts is taken on its own. */
static void semaphores(void)
{
	struct fixture_eventfd fixture;
	int kick = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK), kicked;

	if (fixture_info(kick, "eventfd-semaphore:", 10) != 1) {
		printf("semaphores: skipped: this kernel does not tell them\n");
		return;
	}
	fixture_begin(&fixture, "", NULL);
	kicked = fixture_wire(&fixture, SET_KICK, 0, kick);
	fixture_signal(kick, 3000);
	for (int i = 0; i < 3000; i++)
		peer_check(fixture_take(kicked) == 1, "more than one at a time");
	peer_check(!peer_readable(kicked, 0), "more came than were made");
	fixture_end(&fixture);
}

/* Vrings that share an eventfd for their kicks compete for one count; their calls add up. */
static void shared(void)
{
	struct fixture_eventfd fixture;
	int kick = fixture_new_eventfd(0), call = fixture_new_eventfd(0), kicked[2], called[2];

	fixture_begin(&fixture, "", NULL);
	for (unsigned int i = 0; i < 2; i++) {
		kicked[i] = fixture_wire(&fixture, SET_KICK, i, kick);
		called[i] = fixture_wire(&fixture, SET_CALL, i, call);
	}
	fixture_signal(kick, 3);
	peer_check(peer_readable(kicked[0], PEER_PATIENCE_MS) && peer_readable(kicked[1], 0),
		   "not both see the kick");
	peer_check(fixture_take(kicked[1]) == 3 && !peer_readable(kicked[0], 0),
		   "the kick is there twice");
	fixture_signal(called[0], 2);
	fixture_signal(called[1], 3);
	fixture_take_all(call, 5);
	/* One of them stops, the other goes on. */
	fixture_stop(&fixture, 0);
	fixture_signal(kick, 1);
	peer_check(fixture_take(kicked[1]) == 1, "it has stopped with the other");
	fixture_stop(&fixture, 1);
	fixture_signal(kick, 1);
	fixture_exchange(&fixture);
	peer_check(fixture_now(kick) == 1, "it has not stopped");
	fixture_close(&fixture.front);
	proxy_log_wait(&fixture.proxy, "vring 0: 3 kicks; 2 calls");
	proxy_log_wait(&fixture.proxy, "vring 1: 1 kick; 3 calls");
	fixture_end(&fixture);
}

/* Only what was asked for is interposed, and what is no eventfd never is. */
static void untouched(void)
{
	struct fixture_eventfd fixture;
	int fd = fixture_new_eventfd(0), pair[2], got;
	long long id = fixture_info(fd, "eventfd-id:", 10);
	static const struct {
		uint32_t request;
		unsigned int vring;
		bool untouched;
	} row[] = {
	    {SET_KICK, 0, false}, {SET_KICK, 1, true},  {SET_KICK, 2, false}, {SET_KICK, 4, true},
	    {SET_CALL, 3, false}, {SET_CALL, 16, true}, {SET_ERR, 0, true},   {SET_ERR, 2, true},
	};

	fixture_begin(&fixture, "vring=0,2-3 kick,call", NULL);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		got = fixture_wire(&fixture, row[i].request, row[i].vring, fd);
		peer_check((fixture_info(got, "eventfd-id:", 10) == id) == row[i].untouched,
			   "message %u of vring %u: %s", row[i].request, row[i].vring,
			   row[i].untouched ? "interposed" : "not interposed");
		close(got);
	}
	peer_check(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair: %s", strerror(errno));
	for (int i = 0; i < 3; i++) {
		got = fixture_wire(&fixture, SET_CALL, 0, pair[1]);
		peer_check(send(got, "x", 1, 0) == 1 && peer_readable(pair[0], 0),
			   "it is another socket");
		peer_check(recv(pair[0], &(char){0}, 1, 0) == 1, "not received");
		close(got);
	}
	proxy_log_wait(&fixture.proxy, "vring 0: its call is not interposed: it is no eventfd");
	peer_check(!strstr(proxy_log(&fixture.proxy) + fixture.proxy.log_seen, "interposed"),
		   "that is said more than once");
	close(pair[0]);
	close(pair[1]);
	fixture_stop(&fixture, 0);
	fixture_stop(&fixture, 2);
	fixture_end(&fixture);
}

/* An eventfd that a peer has filled stops no other session: if it blocks, its session ends; if not,
 * the proxy waits for room in it. */
static void filled(void)
{
	struct fixture_eventfd fixture;
	int call = eventfd(0, EFD_CLOEXEC), kick = fixture_new_eventfd(0), called, kicked, front,
	    back;
	const uint64_t full = UINT64_MAX - 1;
	uint64_t first;

	fixture_begin(&fixture, "", NULL);
	front = peer_connect(fixture.proxy.front);
	back = peer_accept(fixture.listener);
	called = fixture_wire(&fixture, SET_CALL, 0, call);
	fixture_signal(call, full);
	fixture_signal(called, 1);
	proxy_log_wait(&fixture.proxy, "vring 0: its call passes no more: a peer has filled it");
	peer_expect_end(fixture.front, "the front-end");
	peer_expect_end(fixture.back, "the back-end");
	peer_exchange(front, back, 17);
	fixture_close(&fixture.front);
	fixture_close(&fixture.back);

	/* The back-end turns what it was given into one that blocks, and fills that. */
	fixture_open_session(&fixture);
	kicked = fixture_wire(&fixture, SET_KICK, 0, kick);
	fcntl(kicked, F_SETFL, 0);
	fixture_signal(kicked, full);
	fixture_signal(kick, 1);
	proxy_log_wait(&fixture.proxy, "vring 0: its kick passes no more: a peer has filled it");
	peer_exchange(front, back, 18);
	fixture_close(&fixture.front);
	fixture_close(&fixture.back);

	fixture_open_session(&fixture);
	kick = fixture_new_eventfd(0);
	kicked = fixture_wire(&fixture, SET_KICK, 1, kick);
	fixture_signal(kicked, full - 2);
	fixture_signal(kick, 5);
	peer_exchange(front, back, 19);
	/* As much as it holds, and then the rest: in all more than it could count to. */
	first = fixture_take(kicked);
	peer_check(first >= full - 2, "it was not full");
	fixture_take_all(kicked, full - first + 3);
	close(front);
	close(back);
	fixture_end(&fixture);
}

/* However many are brought, the proxy has no more descriptors than for all vrings. */
static void many(void)
{
	struct fixture_eventfd fixture;
	int fd[6];

	fixture_begin(&fixture, "", NULL);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int vring = 0; vring < 256; vring++) {
			for (uint32_t request = SET_KICK; request <= SET_ERR; request++) {
				int sent = fixture_new_eventfd(0), got;

				got = fixture_wire(&fixture, request, vring, sent);
				if (vring == 77)
					fd[request - SET_KICK] = got,
						     fd[request - SET_KICK + 3] = sent;
				else
					close(got), close(sent);
			}
		}
		fixture_signal(fd[3], 1);
		fixture_signal(fd[1], 1);
		peer_check(fixture_take(fd[0]) == 1 && fixture_take(fd[4]) == 1,
			   "it does not pass");
		for (int i = 0; i < 6; i++)
			close(fd[i]);
	}
	peer_check(proxy_fds(&fixture.proxy) <= fixture.fds + 2 * 1024 + 1,
		   "%u descriptors are open", proxy_fds(&fixture.proxy));
	fixture_exchange(&fixture);
	proxy_fds_settle(&fixture.proxy, fixture.fds + 2 * 768 + 1);
	fixture_end(&fixture);
}

/* Return how many records of the capture have @text in their line. */
static int recorded(struct fixture_eventfd *fixture, const char *text)
{
	char path[PROXY_PATH_MAX + 16], line[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s.count", fixture->proxy.capture);
	proxy_shell("%s dump %s | grep -c '%s' >%s", proxy_vhu(), fixture->proxy.capture, text,
		    path);
	file = fopen(path, "re");
	peer_check(file && fgets(line, sizeof(line), file), "%s: not written", path);
	fclose(file);
	return atoi(line);
}

/* Faults lose, delay and repeat exactly what they say, and all of it is reported. */
static void rules(void)
{
	static const char *const option[] = {"--record-kicks",
					     "--fault",
					     "call vring=0 nth=3: lose",
					     "--fault",
					     "kick vring=0 nth=5: repeat 2",
					     "--fault",
					     "kick vring=1: delay 1min",
					     "--fault",
					     "call vring=1: delay 1ms",
					     NULL};
	struct fixture_eventfd fixture;
	int kick[2], call[2], kicked[2], called[2];

	fixture_begin(&fixture, "", option);
	for (unsigned int i = 0; i < 2; i++) {
		kick[i] = fixture_new_eventfd(0);
		call[i] = fixture_new_eventfd(0);
		kicked[i] = fixture_wire(&fixture, SET_KICK, i, kick[i]);
		called[i] = fixture_wire(&fixture, SET_CALL, i, call[i]);
	}
	/* The third of four that come at once is lost too, and the next session's is its own. */
	fixture_signal(kick[0], 1);
	fixture_take_all(kicked[0], 1);
	fixture_signal(called[0], 4);
	fixture_take_all(call[0], 3);
	fixture_signal(kick[0], 4);
	fixture_take_all(kicked[0], 6);
	fixture_signal(called[0], 1);
	fixture_take_all(call[0], 1);
	/* What is delayed is put back where the vring stops, or comes late. */
	fixture_signal(kick[1], 2);
	fixture_exchange(&fixture);
	peer_check(!fixture_now(kicked[1]), "it is not delayed");
	fixture_stop(&fixture, 1);
	peer_check(fixture_now(kick[1]) == 2, "it was not put back");
	fixture_signal(called[1], 2);
	fixture_take_all(call[1], 2);
	peer_check(!proxy_shell(
		       "%s ctl -s %s --json session 1 | grep -q '%s'", proxy_vhu(), fixture.control,
		       "\"interposed\":\\[{\"vring\":0,\"kick\":{\"signals\":5,\"lost\":0,"
		       "\"delayed\":0,\"repeated\":1,\"sent\":0,\"last_lost\":false,\"front_end_"
		       "eventfd_id\":[0-9]*,"
		       "\"back_end_eventfd_id\":[0-9]*},\"call\":{"
		       "\"signals\":5,\"lost\":1,"),
		   "the control socket tells otherwise");
	fixture_close(&fixture.front);
	proxy_log_wait(&fixture.proxy,
		       "vring 0: 5 kicks, 1 of them repeated; 5 calls, 1 of them lost");
	proxy_log_wait(&fixture.proxy,
		       "vring 1: 2 kicks, 2 of them delayed; 2 calls, 2 of them delayed");
	fixture_end(&fixture);
	peer_check(recorded(&fixture, "vring 0 call.* lost by the proxy") == 1 &&
		       recorded(&fixture, "vring 0 kick.* repeated by the proxy") == 1 &&
		       recorded(&fixture, "vring 1 .* delayed by the proxy") == 4 &&
		       recorded(&fixture, "vring 0 call.*kick to call") >= 2 &&
		       recorded(&fixture, "altered by the proxy") == 4,
		   "the capture tells otherwise");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
    {"counts", counts},
    {"kinds", kinds},
    {"pending", pending},
    {"pairs", pairs},
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
