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
 * What peers can have it hold is bounded: the sockets of its links, and VHU_SESSION_FDS_MAX
 * descriptors on their way. While there might be more, nothing more is read of it.
 *
 * Ownership: a session owns its links, and frees itself when it has ended, after it has told
 * its pair.
 */
#ifndef VHU_PROXY_SESSION_SESSION_H
#define VHU_PROXY_SESSION_SESSION_H

#include "proxy/core/fdinfo.h"
#include "proxy/eventfd/interposer.h"
#include "proxy/session/link.h"

/* Sockets of a session that are interposed, the main one among them. Peers have four at the most.
 */
#define VHU_SESSION_LINKS_MAX 16
/* Descriptors that were received and not passed on; as many as all directions of two links hold. */
#define VHU_SESSION_FDS_MAX   (4 * VHU_RECORD_FDS_MAX)
/* How long a channel may take to pass what was sent before the session ended. */
#define VHU_SESSION_LINGER_NS UINT64_C(5000000000)

struct vhu_pair;

struct vhu_proxy_session {
	struct vhu_proxy *proxy;
	struct vhu_pair *pair;
	struct vhu_proxy_session *next, **link; /* of the pair */
	uint64_t number;
	uint64_t begun_ns;       /* by vhu_now_ns */
	struct vhu_peer peer[2]; /* by side */
	char comm[2][VHU_FDINFO_COMM];
	struct vhu_link *links;
	struct vhu_context context;     /* what was negotiated, as far as messages depend on it */
	struct vhu_fault_memory faults; /* how often they have matched */
	struct vhu_mask_memory masked;  /* what was masked */
	struct vhu_interposer *interposer; /* NULL: kicks and calls do not come by here */
	struct vhu_timer linger; /* set once the main socket has ended and channels have not */
	bool main_ended;
	bool crowded; /* it was said that it has all the links that it may have */
	char reason[VHU_RECORD_TEXT_MAX + 1]; /* why the main socket ended */
};

/*
 * Begin a session between two connected sockets, which it owns from now on, also where this
 * fails. Where @socket[side] is -1 that side could not be reached, and the session is over when
 * this returns: its records say so.
 * @path: by which each side is reached.
 * @reason: why a side could not be reached.
 * Returns 0, or -errno where there is no session.
 */
int vhu_proxy_session_start(struct vhu_pair *pair, const int socket[2], const char *const path[2],
			    const char *reason);

/* End @session at once, for @reason: what was sent so far passes if it can without waiting. */
void vhu_proxy_session_end(struct vhu_proxy_session *session, const char *reason);

/* For links: something may have ended. @session may be gone when this returns. */
void vhu_proxy_session_settle(struct vhu_proxy_session *session);

/* For links: give a record of @link to the sinks. Its type, and what belongs to that, is filled
 * in; the rest is filled in here. */
void vhu_proxy_session_record(struct vhu_proxy_session *session, enum vhu_channel channel,
			      struct vhu_record *record);

/* For links: record an error of the session, timed now, made as printf makes it. */
__attribute__((format(printf, 3, 4))) void
vhu_proxy_session_error(struct vhu_proxy_session *session, enum vhu_channel channel,
			const char *format, ...);

/* Say a line about @session, made as printf makes it. */
__attribute__((format(printf, 2, 3))) void
vhu_proxy_session_say(const struct vhu_proxy_session *session, const char *format, ...);

/*
 * For links: a message of the main socket carries @socket, which is to become a channel.
 * Returns the channel's link, to be opened once the message has passed, and in *@instead the
 * socket to send on; NULL where it passes untouched.
 */
struct vhu_link *vhu_proxy_session_interpose(struct vhu_proxy_session *session,
					     enum vhu_channel channel, int socket, int *instead);

/* For links: return whether nothing more may be received now, as what would come with it might be
 * too much to hold. */
bool vhu_proxy_session_is_full(const struct vhu_proxy_session *session);

/* For links: the message that carried @link's socket has passed. */
void vhu_proxy_session_open(struct vhu_proxy_session *session, struct vhu_link *link);

#endif
