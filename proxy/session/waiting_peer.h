/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A waiting peer: a peer that is there, and waits for one of the other side.
 *
 * Ownership: a waiting peer belongs to its list, and owns its socket until that is taken.
 */
#ifndef VHU_PROXY_SESSION_WAITING_PEER_H
#define VHU_PROXY_SESSION_WAITING_PEER_H

#include "proxy/proxy.h"

struct vhu_waiting_peer;

/* The waiting peers of two endpoints. */
struct vhu_waiting_peers {
	struct vhu_loop *loop;
	/* A peer has gone away while it waited: take it. */
	void (*left)(struct vhu_waiting_peers *peers, struct vhu_waiting_peer *waiter);
	struct vhu_waiting_peer *first; /* in the order of arrival */
	unsigned count[2];              /* by side */
};

struct vhu_waiting_peer {
	struct vhu_watch watch; /* tells when it goes away; in the loop once it has to wait */
	struct vhu_waiting_peers *peers;
	enum vhu_side side;
	uint64_t since_ns; /* when it came, by vhu_now_ns */
	struct vhu_waiting_peer *next;
};

/* Put @fd at the end of @peers. Returns the waiting peer; NULL out of memory,
 * and @fd is closed. */
struct vhu_waiting_peer *vhu_waiting_peer_add(struct vhu_waiting_peers *peers, enum vhu_side side,
					      int fd);

/* Let @waiting peer wait: from now on its going away is noticed, and its list's owner called. */
void vhu_waiting_peer_wait(struct vhu_waiting_peer *waiter);

/* Return whether @waiting peer, which has waited, has gone away: that may be known before it is
 * told. */
bool vhu_waiting_peer_left(const struct vhu_waiting_peer *waiter);

/* Free @waiting peer. Returns its socket, which is the caller's from now on. */
int vhu_waiting_peer_take(struct vhu_waiting_peer *waiter);

#endif
