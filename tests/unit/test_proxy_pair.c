/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pair of endpoints: every topology, with real peers on both sides. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/pair.h"

static char folder[] = "/tmp/vhu-pair-XXXXXX";
static const char *const path[2] = {"front", "back"};

/* How a side is met. */
enum way {
	LISTEN,    /* the proxy listens */
	CONNECT,   /* the peer does */
	CONNECTED, /* an inherited connection */
	LISTENING, /* an inherited listener */
	WAYS
};

/* A proxy in a process of its own, and what its peers need. */
struct stand {
	pid_t pid;
	enum way way[2];
	int fd[2]; /* the peer's listener, or its end of the inherited connection */
};

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder) ? -1 : 0;
}

static struct sockaddr_un address_of(const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, text);
	return address;
}

static int listen_at(const char *text)
{
	struct sockaddr_un address = address_of(text);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* Go to @text, as soon as somebody listens there. */
static int connect_to(const char *text)
{
	struct sockaddr_un address = address_of(text);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	while (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		assert_true(errno == ENOENT || errno == ECONNREFUSED);
		usleep(1000);
	}
	return fd;
}

/* Be the proxy. */
static _Noreturn void be_proxy(char text[2][64])
{
	static struct vhu_proxy proxy;
	static struct vhu_pair pair;
	char error[VHU_ENDPOINT_ERROR];

	for (int side = 0; side < 2; side++)
		if (vhu_endpoint_parse(&pair.end[side], text[side], VHU_ENDPOINT_LISTEN, error))
			_exit(2);
	if (vhu_loop_start(&proxy.loop) || vhu_pair_open(&pair, &proxy, error) ||
	    vhu_pair_start(&pair, error) || vhu_loop_run(&proxy.loop))
		_exit(1);
	vhu_pair_close(&pair, "");
	_exit(0);
}

/* Start a proxy whose sides are met in these ways. */
static struct stand start(enum way front, enum way back)
{
	struct stand stand = {.way = {front, back}, .fd = {-1, -1}};
	char text[2][64];
	int inherited[2] = {-1, -1};

	for (int side = 0; side < 2; side++) {
		int pair[2];

		switch (stand.way[side]) {
		case LISTEN:
			snprintf(text[side], 64, "listen:%s", path[side]);
			break;
		case CONNECT:
			stand.fd[side] = listen_at(path[side]);
			snprintf(text[side], 64, "connect:%s", path[side]);
			break;
		case CONNECTED:
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
			stand.fd[side] = pair[0];
			inherited[side] = pair[1];
			snprintf(text[side], 64, "fd:%d", pair[1]);
			break;
		default:
			inherited[side] = listen_at(path[side]);
			snprintf(text[side], 64, "fd:%d", inherited[side]);
		}
	}
	stand.pid = fork();
	assert_true(stand.pid >= 0);
	if (!stand.pid) {
		close(stand.fd[0]);
		close(stand.fd[1]);
		be_proxy(text);
	}
	close(inherited[0]);
	close(inherited[1]);
	return stand;
}

/* Meet the proxy on both sides. */
static void meet(struct stand *stand, int peer[2])
{
	for (int side = 0; side < 2; side++) {
		if (stand->way[side] == LISTEN || stand->way[side] == LISTENING)
			peer[side] = connect_to(path[side]);
	}
	for (int side = 0; side < 2; side++) {
		if (stand->way[side] == CONNECT)
			peer[side] = accept(stand->fd[side], NULL, NULL);
		if (stand->way[side] == CONNECTED)
			peer[side] = dup(stand->fd[side]);
		assert_true(peer[side] >= 0);
	}
	/* The dup would keep it open. */
	for (int side = 0; side < 2; side++) {
		if (stand->way[side] == CONNECTED) {
			close(stand->fd[side]);
			stand->fd[side] = -1;
		}
	}
}

/* Let a message pass each way. */
static void exchange(const int peer[2], uint32_t number)
{
	for (int side = 0; side < 2; side++) {
		uint32_t message[3] = {number, 1, 0}, got[3];

		assert_int_equal(write(peer[side], message, sizeof(message)), sizeof(message));
		assert_int_equal(recv(peer[!side], got, sizeof(got), MSG_WAITALL), sizeof(got));
		assert_memory_equal(got, message, sizeof(got));
	}
}

/* Close one side; the other one must end. */
static void part(int peer[2], int closer)
{
	char byte;

	close(peer[closer]);
	assert_int_equal(read(peer[!closer], &byte, 1), 0);
	close(peer[!closer]);
}

/* End the stand: the proxy must have ended by itself if it serves one session. */
static void stop(struct stand *stand, bool once)
{
	int status;

	if (!once)
		kill(stand->pid, SIGKILL);
	assert_int_equal(waitpid(stand->pid, &status, 0), stand->pid);
	if (once) {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	for (int side = 0; side < 2; side++) {
		bool gone = unlink(path[side]) != 0;

		/* A proxy that ends removes what it made, and nothing else. */
		assert_int_equal(gone, stand->way[side] == CONNECTED ||
					   (stand->way[side] == LISTEN && once));
		close(stand->fd[side]);
	}
}

static void every_topology_serves(void **state)
{
	(void)state;
	for (int front = 0; front < WAYS; front++) {
		for (int back = 0; back < WAYS; back++) {
			bool once = front == CONNECTED || back == CONNECTED ||
				    (front == CONNECT && back == CONNECT);
			struct stand stand = start(front, back);
			int peer[2];

			for (int turn = 0; turn < (once ? 1 : 3); turn++) {
				meet(&stand, peer);
				exchange(peer, (uint32_t)turn);
				part(peer, turn % 2);
			}
			stop(&stand, once);
		}
	}
}

static void whoever_stops_sending_still_receives(void **state)
{
	struct stand stand = start(LISTEN, CONNECT);
	int peer[2];
	char byte;

	(void)state;
	for (int side = 0; side < 2; side++) {
		meet(&stand, peer);
		assert_int_equal(write(peer[side], "half", 4), 4);
		assert_int_equal(shutdown(peer[side], SHUT_WR), 0);
		for (int i = 0; i < 4; i++)
			assert_int_equal(read(peer[!side], &byte, 1), 1);
		assert_int_equal(read(peer[!side], &byte, 1), 0);
		assert_int_equal(write(peer[!side], (uint32_t[3]){1}, 12), 12);
		for (int i = 0; i < 12; i++)
			assert_int_equal(read(peer[side], &byte, 1), 1);
		part(peer, !side);
	}
	stop(&stand, false);
}

static void a_side_that_closes_ends_the_other_that_does_not_read(void **state)
{
	struct stand stand = start(LISTEN, CONNECT);
	int peer[2];

	(void)state;
	for (int half = 0; half < 2; half++) {
		for (int side = 0; side < 2; side++) {
			struct pollfd other;
			char byte;

			meet(&stand, peer);
			exchange(peer, 1);
			if (half) {
				shutdown(peer[side], SHUT_WR);
				assert_int_equal(read(peer[!side], &byte, 1), 0);
			}
			close(peer[side]);
			other = (struct pollfd){.fd = peer[!side]};
			assert_int_equal(poll(&other, 1, -1), 1);
			assert_true(other.revents & POLLHUP);
			close(peer[!side]);
		}
	}
	stop(&stand, false);
}

static void whoever_stops_receiving_is_sent_nothing_more(void **state)
{
	struct stand stand = start(LISTEN, CONNECT);
	int peer[2];

	(void)state;
	meet(&stand, peer);
	exchange(peer, 1);
	assert_int_equal(shutdown(peer[1], SHUT_RD), 0);
	/* The proxy learns it by sending, the sender from the proxy. */
	while (send(peer[0], (uint32_t[3]){1}, 12, MSG_NOSIGNAL) == 12)
		;
	assert_int_equal(errno, EPIPE);
	close(peer[0]);
	close(peer[1]);
	stop(&stand, false);
}

static void sessions_live_side_by_side(void **state)
{
	enum { SESSIONS = 20 };
	static const enum way ways[][2] = {{LISTEN, CONNECT}, {CONNECT, LISTEN}, {LISTEN, LISTEN}};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct stand stand = start(ways[i][0], ways[i][1]);
		int peer[SESSIONS][2];

		for (uint32_t n = 0; n < SESSIONS; n++) {
			meet(&stand, peer[n]);
			exchange(peer[n], n);
		}
		for (uint32_t n = 0; n < SESSIONS; n++)
			exchange(peer[n], n);
		for (uint32_t n = 0; n < SESSIONS; n += 2)
			part(peer[n], 0);
		for (uint32_t n = 1; n < SESSIONS; n += 2) {
			exchange(peer[n], n);
			part(peer[n], 1);
		}
		stop(&stand, false);
	}
}

static void guests_meet_in_the_order_in_which_they_came(void **state)
{
	struct stand stand = start(LISTEN, LISTEN);
	int peer[3][2];

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		peer[n][0] = connect_to(path[0]);
		assert_int_equal(write(peer[n][0], &(uint32_t[3]){n}, 12), 12);
	}
	for (uint32_t n = 0; n < 3; n++) {
		uint32_t got[3];

		peer[n][1] = connect_to(path[1]);
		assert_int_equal(recv(peer[n][1], got, sizeof(got), MSG_WAITALL), sizeof(got));
		assert_int_equal(got[0], n);
		exchange(peer[n], n);
	}
	for (uint32_t n = 0; n < 3; n++)
		part(peer[n], 0);
	stop(&stand, false);
}

static void a_guest_that_left_meets_nobody(void **state)
{
	struct stand stand = start(LISTEN, LISTEN);
	int gone = connect_to(path[0]), peer[2];

	(void)state;
	close(gone);
	meet(&stand, peer);
	exchange(peer, 7);
	part(peer, 0);
	stop(&stand, false);
}

static void a_circle_is_refused(void **state)
{
	char error[VHU_ENDPOINT_ERROR];
	struct vhu_proxy proxy = {0};
	struct vhu_pair pair = {0};

	(void)state;
	assert_int_equal(symlink("front", "back"), 0);
	assert_int_equal(
	    vhu_endpoint_parse(&pair.end[0], "listen:front", VHU_ENDPOINT_LISTEN, error), 0);
	assert_int_equal(
	    vhu_endpoint_parse(&pair.end[1], "connect:back", VHU_ENDPOINT_LISTEN, error), 0);
	assert_int_equal(vhu_pair_open(&pair, &proxy, error), -ELOOP);
	assert_non_null(strstr(error, "same socket"));
	assert_int_equal(access("front", F_OK), -1);
	unlink("back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_topology_serves),
	    cmocka_unit_test(whoever_stops_sending_still_receives),
	    cmocka_unit_test(a_side_that_closes_ends_the_other_that_does_not_read),
	    cmocka_unit_test(whoever_stops_receiving_is_sent_nothing_more),
	    cmocka_unit_test(sessions_live_side_by_side),
	    cmocka_unit_test(guests_meet_in_the_order_in_which_they_came),
	    cmocka_unit_test(a_guest_that_left_meets_nobody),
	    cmocka_unit_test(a_circle_is_refused),
	};

	/* Peers that wait for what does not come must not wait for ever. */
	alarm(60);
	return cmocka_run_group_tests(tests, begin, end);
}
