/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A proxy with a control socket, a session through it, and clients that talk to it, for tests.
 *
 * As everywhere in these tests, what does not come in time ends the test with a line that says so.
 */
#ifndef VHU_TESTS_CONTROL_TALK_H
#define VHU_TESTS_CONTROL_TALK_H

#include <jansson.h>

#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

struct control_fixture {
	struct proxy proxy;
	char socket[PROXY_PATH_MAX]; /* the control socket */
	int listener;                /* the back-end's */
	int front, back;             /* the peers of the session; -1 without */
};

/* Start a proxy with a control socket and a capture, and open a session through it. */
void control_open(struct control_fixture *fixture);

/* The same with @option too. */
void control_open_with(struct control_fixture *fixture, const char *option);

/* Open another session. Its sockets are fixture->front and fixture->back from then on; those of the
 * one before stay open. */
void control_session(struct control_fixture *fixture);

/* End the proxy, which must end well and take its sockets along. */
void control_close(struct control_fixture *fixture);

/* A client. */
struct control_client {
	int fd;
	size_t got;
	char line[1 << 22];
};

/* Connect a new client, to be let go of by control_leave. */
struct control_client *control_connect(const struct control_fixture *fixture);
void control_leave(struct control_client *client);

/* Send a line. */
void control_send(struct control_client *client, const char *line);

/* Wait for a line and return it as JSON, to be freed by json_decref; NULL where the proxy has
 * closed the connection. */
json_t *control_receive(struct control_client *client);

/* Send a question made as printf makes it, and return its answer, which must be that it was done.
 */
json_t *control_ask(struct control_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Send a question, which must be refused with an error that has @why in it. */
void control_refused(struct control_client *client, const char *question, const char *why);

/* Return what is found in @json on a path of keys and indices with dots between, "sessions.0.age";
 * ends the test where there is no such thing. */
const json_t *control_at(const json_t *json, const char *path);

/* The same as a number and as a text. */
long long control_number(const json_t *json, const char *path);
const char *control_text(const json_t *json, const char *path);

/* A case of a test. */
struct control_case {
	const char *name;
	void (*run)(void);
};
#define CONTROL_CASE(name)                                                                         \
	{                                                                                          \
#name, name                                                                        \
	}

/* Run those of @cases (a zeroed one ends them) that are named, or all, each in a process of its
 * own. Returns the exit status of the test. */
int control_run(const struct control_case *cases, int argc, char **argv);

#endif
