/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link: one socket of a session, cut in two, and the two relays that join it again. The main
 * socket is a link, and so is each channel that was found inside.
 *
 * Theory of operation
 *
 * Each side has one watch for both directions. It waits for what the relay that reads from it and
 * the relay that writes to it want; even if neither waits for anything, it reports a hang-up.
 *
 * The link does to one end what a side does to the other. If a side shuts down sending, the link
 * passes on what that side had sent, shuts down the other end, and the other direction goes on. If
 * a side closes, the link closes both ends after what that side had sent has passed. While a side
 * does not read, the link does not read from the other side.
 *
 * Ownership: a link owns both sockets, and the interposer. It lives until its session frees it,
 * once the link has ended.
 */
#ifndef VHU_PROXY_SESSION_LINK_H
#define VHU_PROXY_SESSION_LINK_H

#include "proxy/proxy.h"
#include "proxy/relay/plan.h"
#include "proxy/relay/relay.h"
#include "proxy/session/common.h"
#include "proxy/session/link_stats.h"
#include "proxy/session/replies.h"

struct vhu_interposer;
struct vhu_link;

/* What the session that owns links does for them. */
struct vhu_link_owner {
	/* Return whether nothing more may be received now: what would come with it might be too
	 * much to hold. */
	bool (*full)(const struct vhu_session_common *session);
	/*
	 * A message of @main carries @socket, which is to become a channel.
	 * Returns the channel's link, to be opened once the message has passed, and in *@instead
	 * the socket to send on; NULL if it passes untouched.
	 */
	struct vhu_link *(*interpose)(const struct vhu_link *main, enum vhu_channel channel,
				      int socket, int *instead);
	/* The message that carried @link's socket has passed. */
	void (*open)(struct vhu_session_common *session, struct vhu_link *link);
	/* A link may have ended. The session, and the link, may be gone when this returns. */
	void (*settle)(struct vhu_session_common *session);
};

/* One side's end of a link. */
struct vhu_link_end {
	struct vhu_watch watch;
	struct vhu_link *link;
	bool hung_up;     /* it takes no more, and sends no more than what is there already */
	bool handed_over; /* that its relay has ended was passed on */
};

struct vhu_link {
	struct vhu_session_common *session;
	const struct vhu_link_owner *owner;
	struct vhu_interposer *interposer; /* of the main socket's; NULL for none */
	enum vhu_channel channel;
	bool ended;
	uint64_t plain; /* messages with no secrets, as far as known: bits, by number below 64 */
	struct vhu_link_stats passed[2]; /* by the side that sends */
	struct vhu_replies replies;
	struct vhu_link *opening;             /* the channel in the message that is being sent */
	struct vhu_link *next;                /* of the session */
	struct vhu_link_end end[2];           /* by side */
	struct vhu_relay relay[2];            /* by the side that sends */
	char reason[VHU_RECORD_TEXT_MAX + 1]; /* why it ended; the first cause */
	enum vhu_metrics_end how;             /* the same in short */
};

/*
 * Make a link of @session from two connected sockets, which it owns from then on. Nothing passes
 * before it is started.
 * Returns it; NULL out of memory, and the sockets stay the caller's.
 */
struct vhu_link *vhu_link_new(struct vhu_session_common *session,
			      const struct vhu_link_owner *owner, enum vhu_channel channel,
			      int front, int back);

/* Let what is there pass, and what comes. Returns 0 or -errno; then the link does not pass
 * anything, and is to be freed. */
int vhu_link_start(struct vhu_link *link);

/* Let what was sent so far pass, then end. It may have ended when this returns, or later. */
void vhu_link_finish(struct vhu_link *link);

/* Close both sockets, let go of what did not pass, and free @link (NULL is ignored). */
void vhu_link_free(struct vhu_link *link);

#endif
