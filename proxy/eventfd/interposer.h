/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifiers: a session's eventfds that the proxy stands between, its kicks, calls and errors.
 *
 * Theory of operation
 *
 * A message that brings an eventfd for a vring (vhu_message_brings) is sent on with another one in
 * its place; both become a wire. What comes on a wire is counted, timed, held against the faults,
 * told to the sinks where that was asked for, and passed on. What is no eventfd passes untouched: a
 * pipe, a socket.
 *
 *	eventfd brought ----> wired ----> another brought, or none (polling); ring stopped ---> gone
 *	                       ^  |           |
 *	                       |  |           | a call's, an error's
 *	                       |  |           v
 *	                       |  |        retired -- a later request is answered --> gone
 *	                       +--+--- the same brought again
 *
 * A kick's relay is destroyed immediately, because the front-end may now serve the vring; what was
 * not taken is put back. A vring stops with the reply that tells where it stands. A call's goes on
 * after another was brought until the back-end must know of that: until then it calls by the old
 * one, which the front-end still listens to. Several vrings may share an eventfd for their kicks:
 * they share the wire then, as they would compete for one count. Calls are counted up from
 * anywhere: each vring has its own wire.
 *
 * Ownership: the interposer own rings and wires, and are the session's.
 */
#ifndef VHU_PROXY_EVENTFD_INTERPOSER_H
#define VHU_PROXY_EVENTFD_INTERPOSER_H

#include "lib/util/histogram.h"
#include "lib/util/json.h"
#include "lib/util/turns.h"
#include "proxy/eventfd/options.h"
#include "proxy/eventfd/relay.h"
#include "proxy/session/common.h"
#include "proxy/session/replies.h"

struct vhu_relay;

/* What the owner of an interposer does for it, with the context that it gave. */
struct vhu_interposer_owner {
	/* Return whether messages are pending that the front-end has sent, and that no fault keeps.
	 */
	bool (*behind)(const void *context);
	/* Disconnect both sides, for @reason. */
	void (*sever)(void *context, const char *reason);
};

/* Wires that a session has at the most; each takes two descriptors. */
#define VHU_INTERPOSER_RELAYS_MAX 1024
/* Signals of one count that faults look at one by one. */
#define VHU_INTERPOSER_ONE_BY_ONE 1024

/* What came of one kind on a vring. */
struct vhu_interposer_count {
	uint64_t signals, lost, delayed, repeated;
	uint64_t sent; /* of them by the proxy itself, on request */
};

/* A vring. */
struct vhu_interposer_vring {
	uint32_t vring;
	struct vhu_eventfd_relay *wire[VHU_VRING_ROLES]; /* by enum vhu_vring_role; NULL without */
	bool told[VHU_VRING_ROLES];                      /* why it has none was said */
	struct vhu_interposer_count count[VHU_VRING_ROLES];
	unsigned lost_by[VHU_VRING_ROLES]; /* the fault that lost the latest; 0: it was passed on */
	struct vhu_turns turns;            /* monotonic times */
	/* Kicks that a call answered together with another one: the next calls may be theirs. */
	uint64_t spare_kicks, spare_ns;
	uint64_t calls_without_kick;
	struct vhu_histogram kick_to_call; /* ns */
};

struct vhu_interposer {
	struct vhu_session_common *session;
	const struct vhu_eventfd_options *notify;
	const struct vhu_replies *replies; /* of the main socket */
	const struct vhu_interposer_owner *owner;
	void *context; /* the owner's; NULL once it is about to end */
	struct vhu_interposer_vring *ring[VHU_EVENTFD_VRINGS];
	struct vhu_eventfd_relay *wire; /* all there are */
	unsigned wires;
	bool replaced; /* the descriptor of the message that is being sent was */
	int spare;     /* what was replaced last; -1 */
};

/*
 * Return the interposer of @session, with nothing wired; NULL where none is wanted of it, or out of
 * memory, which is said.
 * @replies: that are to come on the main socket.
 */
struct vhu_interposer *vhu_interposer_new(struct vhu_session_common *session,
					  const struct vhu_replies *replies,
					  const struct vhu_interposer_owner *owner, void *context);

/*
 * For links: a message of the main socket brings one descriptor, relay->fd[0], and is about to be
 * sent to the back-end.
 * Returns the descriptor to send in its place, and owns that; -1 where it passes untouched.
 */
int vhu_interposer_replace(struct vhu_interposer *interposer, struct vhu_relay *relay);

/* For links: a message of the main socket was received, and is to be recorded and passed on. */
void vhu_interposer_received(struct vhu_interposer *interposer, struct vhu_relay *relay,
			     bool from_back_end);

/* For links: it has passed. */
void vhu_interposer_passed(struct vhu_interposer *interposer, const struct vhu_relay *relay,
			   bool from_back_end);

/* For links: messages have passed, so what was held for them may pass too. */
void vhu_interposer_flush(struct vhu_interposer *interposer);

/* For links: the back-end sends nothing more. */
void vhu_interposer_fetch(struct vhu_interposer *interposer);

/*
 * End all wires, say what there was, and free @interposer (NULL is ignored).
 * @deliver: kicks that are on their way too, for the front-end has gone.
 */
void vhu_interposer_free(struct vhu_interposer *interposer, bool deliver);

/* For wires: @count signals came. */
void vhu_interposer_taken(struct vhu_eventfd_relay *wire, uint64_t count);

/*
 * Signal a vring's kick or call once, in the name of the side that does not, and record it.
 * @vring: below VHU_EVENTFD_VRINGS.
 * @interposer: NULL if nothing is interposed; then the eventfd that the session keeps is signalled.
 * Returns 0 and the id of the front-end's eventfd in *@id; -ENOENT: the vring has none that is
 * known; -EAGAIN, -EBUSY: somebody has filled it; -errno.
 */
int vhu_interposer_send(struct vhu_session_common *session, struct vhu_interposer *interposer,
			uint32_t vring, enum vhu_vring_role role, uint32_t *id);

/* Return how many descriptors @interposer take. */
unsigned vhu_interposer_fds(const struct vhu_interposer *interposer);

/* Write what came on a vring as a line: "vring 0: 12 kicks, 12 calls, ...". Returns what snprintf
 * would. */
int vhu_interposer_vring_text(const struct vhu_interposer_vring *ring, char *to, size_t size);

/* Write what came on all vrings as an array. docs/control.md lists the keys. */
void vhu_interposer_json(struct vhu_json *json, const char *key,
			 const struct vhu_interposer *interposer);

#endif
