/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pending requests: those of a channel that may still be answered, the oldest first. Whoever
 * follows a channel keeps them in a queue of this kind.
 *
 * Ownership: a queue owns its room, and nothing that its requests point to.
 */
#ifndef VHU_SESSION_STATE_PENDING_H
#define VHU_SESSION_STATE_PENDING_H

#include "lib/protocol/protocol.h"

/* Requests that a queue holds. Of more, the oldest are forgotten. */
#define VHU_PENDING_MAX 1024

/* Whether a request has an answer. */
enum vhu_answer {
	VHU_ANSWER_NEVER,
	VHU_ANSWER_MAY,
	VHU_ANSWER_MUST,
};

/* A request that may be answered. What its owner does not use is 0. */
struct vhu_pending {
	uint64_t number, time_ns;
	const struct vhu_message *message; /* NULL: unknown id */
	uint32_t request, size;
	uint32_t flags;
	uint32_t first[3];    /* the payload's first words, for what a reply has to repeat */
	bool due;             /* the answer must come; else it may */
	bool altered;         /* the proxy changed it */
	bool withheld;        /* the proxy kept its answer back: it stays without */
	bool hung;            /* that it waits for too long was reported while it waited */
	unsigned fault;       /* the proxy's fault that wants the answer; 0: the peer wants it */
	uint64_t protocol_by; /* what `due` depends on, as it was then */
	uint64_t passed_by;   /* the first answer to a later request; 0: none came */
};

/* All zero at first. */
struct vhu_pending_queue {
	struct vhu_pending *request; /* from `oldest` on */
	unsigned oldest, count, room;
};

/*
 * Return whether a request has an answer.
 * @message: its row of the table; NULL for an unknown id.
 * @flags: of its header.
 * @context: what was negotiated; NULL if that is not known: then NEED_REPLY is taken to be kept.
 */
enum vhu_answer vhu_pending_answer(const struct vhu_message *message, uint32_t flags,
				   const struct vhu_context *context);

/* Return request @at of a queue, counted from the oldest; @at is below queue->count. */
static inline struct vhu_pending *vhu_pending_at(const struct vhu_pending_queue *queue, unsigned at)
{
	return &queue->request[queue->oldest + at];
}

/* Add a request. Returns 0 or -ENOMEM. */
int vhu_pending_ask(struct vhu_pending_queue *queue, const struct vhu_pending *request);

/* Return the place of the oldest request of id @request whose answer was not withheld; -1
 * without one. */
int vhu_pending_find(const struct vhu_pending_queue *queue, uint32_t request);

/* Take request @at out of the queue, which keeps older ones. Returns it. */
struct vhu_pending vhu_pending_answered(struct vhu_pending_queue *queue, unsigned at);

/* Forget the oldest @count requests. */
void vhu_pending_forget(struct vhu_pending_queue *queue, unsigned count);

/* Free what @queue holds; it is empty then. */
void vhu_pending_free(struct vhu_pending_queue *queue);

#endif
