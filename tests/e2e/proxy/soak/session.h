/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session of a soak: both sides send what message.h says, in pieces, and receive slowly or
 * not at all for a while; then they part in order, or one or both are gone in the middle of it.
 *
 * What arrives must be what was sent, descriptors with their messages; and all that whoever has
 * gone had sent must arrive, where the other side reads on.
 */
#ifndef VHU_TESTS_SOAK_SESSION_H
#define VHU_TESTS_SOAK_SESSION_H

#include <stdbool.h>

#include "tests/e2e/proxy/soak/message.h"

/* What became of a session, by who had sent: compared with the capture. */
struct soak_outcome {
	uint32_t sent[SOAK_SIDES];    /* messages that the kernel took, whole */
	uint32_t arrived[SOAK_SIDES]; /* messages that the other side has, whole */
};

/* How a session ends. */
enum soak_plan {
	SOAK_FRONT_CLOSES, /* when all is said */
	SOAK_BACK_CLOSES,
	SOAK_HALF_CLOSE, /* the front-end shuts down sending when it has sent all */
	SOAK_FRONT_DIES, /* in the middle of it */
	SOAK_BACK_DIES,
	SOAK_BOTH_DIE,
	SOAK_PLANS
};

/* One side. */
struct soak_side {
	int fd;           /* -1: not there yet, or gone */
	bool deaf;        /* the other side takes no more */
	bool shut_down;   /* it sends no more */
	bool end_seen;    /* nothing more comes */
	unsigned slow;    /* turns until it reads on */
	uint32_t number;  /* of the message that it sends, and ... */
	uint32_t offset;  /* ... bytes of that which are sent */
	uint32_t expects; /* the number of the message that comes, and ... */
	uint32_t have;    /* ... bytes of that which have come */
	uint64_t out, in; /* bytes, all in all */
};

struct soak_session {
	uint32_t number;
	enum soak_plan plan;
	unsigned turns; /* until somebody dies, where that is the plan */
	bool met;       /* the back-end is there, or was */
	bool lossy;     /* the proxy may end it: then not all has to arrive */
	struct soak_side side[SOAK_SIDES];
	struct soak_outcome *outcome;
	uint64_t *full; /* counts sends that found no room */
};

/* Begin session @number, @front being connected to the proxy. */
void soak_session_begin(struct soak_session *session, uint32_t number, int front, bool lossy,
			struct soak_outcome *outcome, uint64_t *full);

/* Its back-end is there. */
void soak_session_meet(struct soak_session *session, int back);

/* Do a little. Returns whether anything moved. */
bool soak_session_turn(struct soak_session *session);

/* Return whether all its parties are gone. */
bool soak_session_over(const struct soak_session *session);

/* Let whoever does not read at the moment read on. Returns whether there was one. */
bool soak_session_wake(struct soak_session *session);

/* Return what @from waits for, as in poll. */
short soak_session_waits(const struct soak_session *session, unsigned from);

#endif
