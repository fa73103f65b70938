/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifiers: a session's eventfds that the proxy stands between, its kicks, calls and errors.
 *
 * Theory of operation
 *
 * A message that brings an eventfd for a vring (vhu_message_wires) is sent on with another one in
 *its place; both become a wire. What comes on a wire is counted, timed, held against the rules,
 *told to the sinks where that was asked for, and passed on. What is no eventfd passes untouched: a
 *pipe, a socket.
 *
 *	eventfd brought ----> wired ----> another brought, or none (polling); ring stopped ---> gone
 *	                       ^  |           |
 *	                       |  |           | a call's, an error's
 *	                       |  |           v
 *	                       |  |        retired -- the back-end has answered a later request -->
 *gone
 *	                       +--+--- the same brought again
 *
 * A kick's wire goes at once, for the front-end may now serve the vring itself, and what nobody
 *took is put back. A vring stops with the reply that tells where it stands. A call's goes on after
 *another was brought until the back-end must know of that: until then it calls by the old one,
 *which the front-end still listens to. Several vrings may share an eventfd for their kicks: they
 *share the wire then, as they would compete for one count. Calls are counted up from anywhere: each
 *vring has its own wire.
 *
 * Ownership: the notifiers own rings and wires, and are the session's.
 */
#ifndef VHU_PROXY_NOTIFIER_H
#define VHU_PROXY_NOTIFIER_H

#include "lib/cli/histogram.h"
#include "lib/cli/json.h"
#include "proxy/notify.h"
#include "proxy/wire.h"

struct vhu_proxy_session;
struct vhu_relay;

/* Wires that a session has at the most; each takes two descriptors. */
#define VHU_NOTIFIER_WIRES_MAX  1024
/* Signals of one count that rules look at one by one. */
#define VHU_NOTIFIER_ONE_BY_ONE 1024

/* What came of one kind on a vring. */
struct vhu_notifier_count {
	uint64_t signals, lost, delayed, repeated;
};

/* A vring. */
struct vhu_notifier_ring {
	uint32_t vring;
	struct vhu_wire *wire[VHU_WIRES_STOP]; /* by enum vhu_wires; NULL without */
	bool told[VHU_WIRES_STOP];             /* why it has none was said */
	struct vhu_notifier_count count[VHU_WIRES_STOP];
	uint64_t open_kicks, open_ns; /* since the last call, and when the first of them came */
	uint64_t calls_without_kick;
	struct vhu_histogram kick_to_call; /* ns */
};

struct vhu_notifiers {
	struct vhu_proxy_session *session;
	const struct vhu_notify *notify;
	struct vhu_notifier_ring *ring[VHU_NOTIFY_VRINGS];
	struct vhu_wire *wire; /* all there are */
	unsigned wires;
	uint64_t asked, answered; /* requests that are always answered */
	bool replaced;            /* the descriptor of the message that is being sent was */
	int spare;                /* what was replaced last; -1 */
};

/* Return the notifiers of @session, with nothing wired; NULL where none are wanted of it, or out of
 * memory, which is said. */
struct vhu_notifiers *vhu_notifiers_new(struct vhu_proxy_session *session);

/*
 * For links: a message of the main socket brings one descriptor, relay->fd[0], and is about to be
 * sent to the back-end.
 * Returns the descriptor to send in its place, and owns that; -1 where it passes untouched.
 */
int vhu_notifiers_replace(struct vhu_notifiers *notifiers, struct vhu_relay *relay);

/* For links: a message of the main socket was received, and is to be recorded and passed on. */
void vhu_notifiers_received(struct vhu_notifiers *notifiers, struct vhu_relay *relay,
			    bool from_back_end);

/* For links: it has passed. */
void vhu_notifiers_passed(struct vhu_notifiers *notifiers, const struct vhu_relay *relay,
			  bool from_back_end);

/* For links: messages have passed, so what was held for them may pass too. */
void vhu_notifiers_flush(struct vhu_notifiers *notifiers);

/* For links: the back-end sends nothing more. */
void vhu_notifiers_fetch(struct vhu_notifiers *notifiers);

/*
 * End all wires, say what there was, and free @notifiers (NULL is ignored).
 * @deliver: kicks that are on their way too, for the front-end has gone.
 */
void vhu_notifiers_free(struct vhu_notifiers *notifiers, bool deliver);

/* For wires: @count signals came. */
void vhu_notifiers_taken(struct vhu_wire *wire, uint64_t count);

/* Return how many descriptors @notifiers take. */
unsigned vhu_notifiers_fds(const struct vhu_notifiers *notifiers);

/* Write what came on a vring as a line: "vring 0: 12 kicks, 12 calls, ...". Returns what snprintf
 * would. */
int vhu_notifier_ring_text(const struct vhu_notifier_ring *ring, char *to, size_t size);

/* Write what came on all vrings as an array. docs/control.md lists the keys. */
void vhu_notifiers_json(struct vhu_json *json, const char *key,
			const struct vhu_notifiers *notifiers);

#endif
