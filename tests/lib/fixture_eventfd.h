/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A front-end and a back-end with `vhu proxy --interpose-eventfds` between them, and the eventfds
 * of vrings on their way from one to the other.
 */
#ifndef VHU_TESTS_NOTIFIER_STAND_H
#define VHU_TESTS_NOTIFIER_STAND_H

#include <sys/eventfd.h>

#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

/* The messages. */
enum { GET_FEATURES = 1, GET_VRING_BASE = 11, SET_KICK = 12, SET_CALL = 13, SET_ERR = 14 };

struct fixture_eventfd {
	struct proxy proxy;
	int listener;                      /* the back-end's */
	int front, back;                   /* of the session */
	unsigned int fds;                  /* that the proxy has open with nothing wired */
	char control[PROXY_PATH_MAX + 16]; /* its control socket */
	uint64_t mark;
};

/* Start the proxy, with @option (a word each, NULL at the end) besides --interpose-eventfds=@spec,
 * and a session. */
void fixture_begin(struct fixture_eventfd *fixture, const char *spec, const char *const *option);

/* Begin another session in the place of that there is, which must have ended or is left alone. */
void fixture_open_session(struct fixture_eventfd *fixture);

/* Close both sides where they are open, and end the proxy; it has closed all it had opened before.
 */
void fixture_end(struct fixture_eventfd *fixture);

/* Close a side of the session. */
void fixture_close(int *side);

/* Let a request pass and its answer come back: all that was sent before has passed then. */
void fixture_exchange(struct fixture_eventfd *fixture);

/* The two halves of that: ask, and answer. */
void fixture_ask(struct fixture_eventfd *fixture);
void fixture_answer(struct fixture_eventfd *fixture);

/*
 * Send a message about @vring with the descriptor @fd, or with none where it is -1, and receive it.
 * Returns the descriptor that came, -1 where none did.
 */
int fixture_wire(struct fixture_eventfd *fixture, uint32_t request, unsigned int vring, int fd);

/* The same, and close what came. */
void fixture_unwire(struct fixture_eventfd *fixture, uint32_t request, unsigned int vring);

/* Stop @vring: ask where it stands, and answer. */
void fixture_stop(struct fixture_eventfd *fixture, unsigned int vring);

/* Let the proxy do nothing until it is thawed. */
void fixture_freeze(const struct fixture_eventfd *fixture);
void fixture_thaw(const struct fixture_eventfd *fixture);

/* Return a new eventfd that does not block. */
int fixture_new_eventfd(unsigned int count);

/* Add @count to @fd. */
void fixture_signal(int fd, uint64_t count);

/* Wait until @fd counts something and take it. Returns how much. */
uint64_t fixture_take(int fd);

/* Take @count from @fd, in as many parts as it comes in, and see that no more is there. */
void fixture_take_all(int fd, uint64_t count);

/* Return what @fd counts now, 0 for nothing, having taken it; @fd does not block. */
uint64_t fixture_now(int fd);

/* Return what fdinfo says of @fd as @key, in base @base; -1 where it says nothing. */
long long fixture_info(int fd, const char *key, int base);

/* Cases of e2e/eventfd/order.c; each ends the process where something is wrong. */
void notifier_kicks_follow(void);
void notifier_calls_precede(void);
void notifier_calls_precede_the_end(void);
void notifier_stops(void);
void notifier_late_calls(void);
void notifier_successors(void);

#endif
