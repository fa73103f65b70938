/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies that are to come on one socket of a session: the one queue of its unanswered requests,
 * for the status, for the faults and for the interposer.
 *
 * Replies come in the order of their requests, so a reply also ends the waiting of older requests:
 * they get no reply any more. A request is remembered if it may be answered, whatever was
 * negotiated; whether it must be is found out when somebody asks.
 */
#ifndef VHU_PROXY_SESSION_REPLIES_H
#define VHU_PROXY_SESSION_REPLIES_H

#include "lib/session/state/pending.h"
#include "proxy/proxy.h"

/* All zero at first. */
struct vhu_replies {
	struct vhu_pending_queue queue;
	unsigned ours;     /* of these, requests whose answer only a fault wants */
	uint64_t asked;    /* requests so far: the number of the latest */
	uint64_t answered; /* the number of the latest that was answered */
};

/* Return which side sends the requests of @channel. */
enum vhu_side vhu_replies_asker(enum vhu_channel channel);

/*
 * A request has passed at @now: remember it if it may be answered.
 * @fault: the fault that has set NEED_REPLY; 0: none has.
 */
void vhu_replies_ask(struct vhu_replies *replies, enum vhu_channel channel,
		     const struct vhu_header *header, uint64_t now, unsigned fault);

/* A reply has come: forget the oldest request of its id, and all older ones. Returns when that
 * request has passed; 0 where none is remembered. */
uint64_t vhu_replies_answer(struct vhu_replies *replies, uint32_t request);

/* Return the fault that wants the next reply to @request in place of the peer; 0: none does. */
unsigned vhu_replies_fault(const struct vhu_replies *replies, uint32_t request);

/*
 * Find the oldest request that must be answered, to its peer.
 * @context: what was negotiated; where that is not known, NEED_REPLY is taken to be kept.
 * @message: gets its row of the table; NULL for an unknown id.
 * Returns it; NULL where none waits.
 */
const struct vhu_pending *vhu_replies_wait(const struct vhu_replies *replies,
					   enum vhu_channel channel,
					   const struct vhu_context *context,
					   const struct vhu_message **message);

/* Free what @replies holds. */
void vhu_replies_free(struct vhu_replies *replies);

#endif
