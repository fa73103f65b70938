/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair: two endpoints, FRONT and BACK, and the sessions between those who meet there.
 *
 * Theory of operation
 *
 * A listening endpoint accepts any number of peers; a connecting endpoint connects when a peer is
 * needed; an inherited connection is one peer, once. A peer without a partner is a waiting peer.
 * The pair joins the first waiting peer to a peer of the other side: a waiting peer there, or a new
 * connection. If that is not possible yet (no peer has connected, the queue of the other side is
 * full, the other side does not listen yet), waiting peers wait in the order of their arrival.
 *
 * If neither side listens or is inherited, the pair calls: it connects to FRONT to get a waiting
 * peer.
 *
 *	              comes, inherited, called                   other side's peer
 *	(no peer) ----------------------------> GUEST ... GUEST -------------------> SESSION
 *	                                          |  patience over, other side fails    |
 *	                                          +--> session that says why            |
 *	      ^                                                                         |
 *	      +------------- has ended: the next waiting peer where one waits, the next call --+
 *
 * If the other side cannot be reached, the waiting peer gets a session that records the reason, and
 * is disconnected. After earlier failures the pair first pauses and tries again.
 *
 * A pair with an inherited connection, or one that calls and has no patience, is done after one
 * session; others serve until they are stopped. While a pair that takes one at a time has a
 * session it accepts no peer: they wait in the socket's own queue.
 *
 * Ownership: a pair owns its endpoints, its waiting peers and its sessions.
 */
#ifndef VHU_PROXY_SESSION_PAIR_H
#define VHU_PROXY_SESSION_PAIR_H

#include "proxy/endpoint/endpoint.h"
#include "proxy/session/failures.h"
#include "proxy/session/session.h"
#include "proxy/session/waiting_peer.h"

/* Sessions that a pair has at once, and waiting peers of each side; further peers wait in the
 * socket's own queue. Each of them costs descriptors and memory, and peers are not trusted. */
#define VHU_PAIR_SESSIONS_MAX 256
#define VHU_PAIR_WAITING_MAX  64

/* For patience_ns: as long as it takes. */
#define VHU_PAIR_FOR_EVER UINT64_MAX

struct vhu_pair_listener {
	struct vhu_watch watch;
	struct vhu_pair *pair;
};

struct vhu_pair {
	/* What is asked for. */
	struct vhu_endpoint end[2]; /* by side */
	uint64_t patience_ns;       /* for a side that is connected to and not there; 0: none */
	bool one_at_a_time;
	struct vhu_socket_perms
	    rights; /* for a socket that it makes; the rest is the other side's */

	struct vhu_proxy *proxy;
	struct vhu_pair *next, **link; /* of the proxy's; NULL while it is not open */
	struct vhu_pair_listener listener[2];
	struct vhu_timer resume; /* accepts again after running out of descriptors */
	struct vhu_timer
	    again; /* looks again whether waiting peers can be joined, or calls again */
	struct vhu_waiting_peers waiting;
	struct vhu_proxy_sessions sessions;
	bool once;  /* one session, then done */
	bool calls; /* neither side brings peers */
	bool begun, done;
	bool retired; /* it serves no more, and is gone once its sessions have ended */
	/* Set by its owner: a pair that was retired has no session left, and may be freed. Called
	 * from the loop. */
	void (*gone)(struct vhu_pair *pair);
	bool failed; /* the last session could not begin */
	struct vhu_failures failures;
	struct vhu_timer record_failures;
	bool crowded;          /* it was said that there can be no more sessions */
	bool missed;           /* it was said that a side is not there yet */
	uint64_t called_ns;    /* when it began to call for the next session */
	uint64_t pause_ns;     /* until it looks again */
	uint64_t exhausted_ns; /* when descriptors last ran out, by vhu_now_ns; 0 never */
};

/* Begin to serve. What cannot be reached is said, and the pair may be done. Returns 0; -errno with
 * a line in @error where it cannot wait for anything. */
int vhu_pair_start(struct vhu_pair *pair, char error[VHU_ENDPOINT_ERROR]);

#endif
