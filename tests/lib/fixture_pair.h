/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of endpoints in a process of its own, and peers for it: what its tests share. Works in a
 * temporary folder, where the sockets are "front" and "back".
 */
#ifndef VHU_TESTS_PAIR_STAND_H
#define VHU_TESTS_PAIR_STAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

extern const char *const fixture_path[2]; /* by side */

/* How a side is met. */
enum fixture_way {
	LISTEN,    /* the proxy listens */
	CONNECT,   /* the peer does */
	CONNECTED, /* an inherited connection */
	LISTENING, /* an inherited listener */
	ABSENT,    /* the peer does, later */
};
#define WAYS 4 /* that serve at once */

/* A proxy in a process of its own, and what its peers need. */
struct fixture_pair {
	enum fixture_way way[2];
	uint64_t patience_ns; /* as a pair has it */
	bool one_at_a_time;
	pid_t pid;
	int fd[2]; /* the peer's listener, or its end of the inherited connection */
};

/* Make the folder and go there; leave and remove it. For cmocka_run_group_tests. */
int fixture_folder(void **state);
int fixture_folder_end(void **state);

/* Return a socket that listens at @text. */
int listen_at(const char *text);

/* Go to @text, as soon as somebody listens there. Returns the socket. */
int connect_to(const char *text);

/* Start a proxy as @fixture asks for it. */
void fixture_start(struct fixture_pair *fixture);

/* Start a proxy whose sides are met in these ways. */
struct fixture_pair start(enum fixture_way front, enum fixture_way back);

/* Meet the proxy on both sides. */
void meet(struct fixture_pair *fixture, int peer[2]);

/* Let a message pass each way. */
void exchange(const int peer[2], uint32_t number);

/* Close one side; the other one must end. */
void part(int peer[2], int closer);

/* Wait for the end of the proxy, which must come by itself. Returns its status. */
int fixture_wait(struct fixture_pair *fixture);

/* End the fixture: the proxy must have ended by itself, and well, if it serves one session. */
void fixture_stop(struct fixture_pair *fixture, bool once);

#endif
