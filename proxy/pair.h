/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair: two endpoints, FRONT and BACK, and the sessions between those who meet there.
 *
 * Theory of operation
 *
 * An endpoint that listens brings peers, as many as come; one that connects has one whenever it is
 * asked; an inherited connection is one, once. Whoever comes is joined to a peer of the other
 * side: one that is waiting there, or one gone to for the purpose. Where neither side listens the
 * pair begins its one session when it starts. A pair with an inherited connection, or without a
 * side that listens, is done after one session; others serve until they are stopped.
 *
 * Ownership: a pair owns its endpoints, its sessions, and the sockets of those who wait.
 */
#ifndef VHU_PROXY_PAIR_H
#define VHU_PROXY_PAIR_H

#include "proxy/endpoint.h"
#include "proxy/session.h"

struct vhu_pair_guest;

struct vhu_pair_listener {
	struct vhu_watch watch;
	struct vhu_pair *pair;
};

struct vhu_pair {
	struct vhu_proxy *proxy;
	struct vhu_endpoint end[2]; /* by side */
	struct vhu_pair_listener listener[2];
	struct vhu_timer resume;       /* accepts again after running out of descriptors */
	struct vhu_pair_guest *guests; /* who wait for the other side, in order */
	struct vhu_proxy_session *sessions;
	bool once; /* one session, then done */
	bool begun, done;
	bool failed;           /* the one session could not begin */
	uint64_t exhausted_ns; /* when descriptors last ran out, as vhu_loop_now tells; 0 never */
};

/*
 * Open both endpoints: listen where they do.
 * @pair: with both endpoints parsed, else zero.
 * Returns 0; -errno with a line in @error, and nothing is open.
 */
int vhu_pair_open(struct vhu_pair *pair, struct vhu_proxy *proxy, char error[VHU_ENDPOINT_ERROR]);

/* Begin to serve. Returns 0; -errno with a line in @error where the one session cannot begin. */
int vhu_pair_start(struct vhu_pair *pair, char error[VHU_ENDPOINT_ERROR]);

/* End all sessions for @reason, and close the endpoints. */
void vhu_pair_close(struct vhu_pair *pair, const char *reason);

/* For sessions: one has ended. */
void vhu_pair_session_ended(struct vhu_pair *pair);

#endif
