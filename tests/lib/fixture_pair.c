/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pair of endpoints in a process of its own, and peers for it. */
#include "tests/lib/fixture_pair.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/session/pair.h"

static char folder[] = "/tmp/vhu-pair-XXXXXX";
const char *const fixture_path[2] = {"front", "back"};

int fixture_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

int fixture_folder_end(void **state)
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

int listen_at(const char *text)
{
	struct sockaddr_un address = address_of(text);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

int connect_to(const char *text)
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
static _Noreturn void be_proxy(const struct fixture_pair *fixture, char text[2][64])
{
	static struct vhu_proxy proxy;
	static struct vhu_pair pair;
	char error[VHU_ENDPOINT_ERROR];

	pair.patience_ns = fixture->patience_ns;
	pair.one_at_a_time = fixture->one_at_a_time;
	for (int side = 0; side < 2; side++)
		if (vhu_endpoint_parse(&pair.end[side], text[side], VHU_ENDPOINT_LISTEN, error))
			_exit(2);
	if (vhu_loop_start(&proxy.loop) || vhu_pair_open(&pair, &proxy, error) ||
	    vhu_pair_start(&pair, error) || vhu_loop_run(&proxy.loop))
		_exit(1);
	vhu_pair_close(&pair, "");
	_exit(pair.failed ? 3 : 0);
}

void fixture_start(struct fixture_pair *fixture)
{
	char text[2][64];
	int inherited[2] = {-1, -1};

	for (int side = 0; side < 2; side++) {
		int pair[2];

		fixture->fd[side] = -1;
		switch (fixture->way[side]) {
		case LISTEN:
			snprintf(text[side], 64, "listen:%s", fixture_path[side]);
			break;
		case CONNECT:
			fixture->fd[side] = listen_at(fixture_path[side]);
			snprintf(text[side], 64, "connect:%s", fixture_path[side]);
			break;
		case ABSENT:
			snprintf(text[side], 64, "connect:%s", fixture_path[side]);
			break;
		case CONNECTED:
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
			fixture->fd[side] = pair[0];
			inherited[side] = pair[1];
			snprintf(text[side], 64, "fd:%d", pair[1]);
			break;
		default:
			inherited[side] = listen_at(fixture_path[side]);
			snprintf(text[side], 64, "fd:%d", inherited[side]);
		}
	}
	fixture->pid = fork();
	assert_true(fixture->pid >= 0);
	if (!fixture->pid) {
		close(fixture->fd[0]);
		close(fixture->fd[1]);
		be_proxy(fixture, text);
	}
	close(inherited[0]);
	close(inherited[1]);
}

struct fixture_pair start(enum fixture_way front, enum fixture_way back)
{
	struct fixture_pair fixture = {.way = {front, back}};

	fixture_start(&fixture);
	return fixture;
}

void meet(struct fixture_pair *fixture, int peer[2])
{
	for (int side = 0; side < 2; side++) {
		if (fixture->way[side] == LISTEN || fixture->way[side] == LISTENING)
			peer[side] = connect_to(fixture_path[side]);
	}
	for (int side = 0; side < 2; side++) {
		if (fixture->way[side] == CONNECT)
			peer[side] = accept(fixture->fd[side], NULL, NULL);
		if (fixture->way[side] == CONNECTED)
			peer[side] = dup(fixture->fd[side]);
		assert_true(peer[side] >= 0);
	}
	/* The dup would keep it open. */
	for (int side = 0; side < 2; side++) {
		if (fixture->way[side] == CONNECTED) {
			close(fixture->fd[side]);
			fixture->fd[side] = -1;
		}
	}
}

void exchange(const int peer[2], uint32_t number)
{
	for (int side = 0; side < 2; side++) {
		uint32_t message[3] = {number, 1, 0}, got[3];

		assert_int_equal(write(peer[side], message, sizeof(message)), sizeof(message));
		assert_int_equal(recv(peer[!side], got, sizeof(got), MSG_WAITALL), sizeof(got));
		assert_memory_equal(got, message, sizeof(got));
	}
}

void part(int peer[2], int closer)
{
	char byte;

	close(peer[closer]);
	assert_int_equal(read(peer[!closer], &byte, 1), 0);
	close(peer[!closer]);
}

int fixture_wait(struct fixture_pair *fixture)
{
	int status;

	assert_int_equal(waitpid(fixture->pid, &status, 0), fixture->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void fixture_stop(struct fixture_pair *fixture, bool once)
{
	if (once) {
		assert_int_equal(fixture_wait(fixture), 0);
	} else {
		kill(fixture->pid, SIGKILL);
		waitpid(fixture->pid, NULL, 0);
	}
	for (int side = 0; side < 2; side++) {
		bool gone = unlink(fixture_path[side]) != 0;

		/* A proxy that ends removes what it made, and nothing else. */
		assert_int_equal(gone, fixture->way[side] == CONNECTED ||
					   (fixture->way[side] == LISTEN && once));
		close(fixture->fd[side]);
	}
}
