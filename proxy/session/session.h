/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session: a front-end and a back-end that talk, on the main socket and on the channels whose
 * sockets pass through it.
 *
 * Theory of operation
 *
 * A message that carries a channel's socket is sent on with one end of a new socket pair in its
 * place; the received socket and the pair's other end become a link of the session. A second such
 * message opens a second one: the peers close the first when they think fit. Anything but exactly
 * one connected stream socket is passed on untouched, and so are more than VHU_SESSION_LINKS_MAX of
 * them.
 *
 * The session ends with its main socket: the channels pass what was sent so far, and are closed,
 * after VHU_SESSION_LINGER_NS at the latest.
 *
 * What a session holds for its peers is bounded: the sockets of its links, and VHU_SESSION_FDS_MAX
 * descriptors on their way. While there might be more, nothing more is read of it.
 *
 * Ownership: a session owns its links. When it has ended it frees itself, and calls the owner of
 * the sessions.
 */
#ifndef VHU_PROXY_SESSION_SESSION_H
#define VHU_PROXY_SESSION_SESSION_H

#include "proxy/core/fdinfo.h"
#include "proxy/session/link.h"

/* Sockets of a session that are interposed, the main one among them. Peers have four at the most.
 */
#define VHU_SESSION_LINKS_MAX 16
/* Descriptors that were received and not passed on; as many as all directions of two links hold. */
#define VHU_SESSION_FDS_MAX   (4 * VHU_RECORD_FDS_MAX)
/* How long a channel may take to pass what was sent before the session ended. */
#define VHU_SESSION_LINGER_NS UINT64_C(5000000000)

struct vhu_proxy_session;

/* The sessions of two endpoints, and what their owner has to do. */
struct vhu_proxy_sessions {
	struct vhu_proxy *proxy;
	struct vhu_proxy_session *first;
	unsigned open;
	struct vhu_metrics *metrics; /* NULL before the first session; the owner frees them */
	/* Tell the person who runs the proxy a line about one of them. */
	void (*say)(const struct vhu_proxy_sessions *sessions, const char *line);
	/* One has ended, and is freed. */
	void (*ended)(struct vhu_proxy_sessions *sessions);
};

struct vhu_proxy_session {
	struct vhu_session_common common;
	struct vhu_proxy_sessions *among;
	struct vhu_proxy_session *next, **link; /* of these */
	uint64_t begun_ns;                      /* as vhu_now_ns tells */
	struct vhu_link *links;
	struct vhu_timer linger; /* set once the main socket has ended and channels have not */
	bool main_ended;
	bool unreached; /* it has only one side */
	bool crowded;   /* it was said that it has all the links that it may have */
	char comm[2][VHU_FDINFO_COMM];
	char *path[2];                        /* of each side's socket, by side */
	char reason[VHU_RECORD_TEXT_MAX + 1]; /* why the main socket ended */
	enum vhu_metrics_end how;             /* the same in short */
};

/*
 * Begin a session, one of @sessions, between two connected sockets, which it owns from now on, also
 * where this fails. Where @socket[side] is -1 that side could not be reached, and the session is
 * over when this returns: its records say so.
 * @path: of each side's socket.
 * @reason: why a side could not be reached.
 * Returns 0, or -errno where there is no session.
 */
int vhu_proxy_session_start(struct vhu_proxy_sessions *sessions, const int socket[2],
			    const char *const path[2], const char *reason);

/* End @session at once, for @reason: what was sent so far passes if it can without waiting. */
void vhu_proxy_session_end(struct vhu_proxy_session *session, const char *reason);

#endif
