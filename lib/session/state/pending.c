/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pending requests: those of a channel that may still be answered. */
#include "lib/session/state/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum vhu_answer vhu_pending_answer(const struct vhu_message *message, uint32_t flags,
				   const struct vhu_context *context)
{
	const uint64_t taken = context ? context->protocol_features : 0;
	const bool asked = flags & VHU_FLAG_NEED_REPLY;
	bool due = asked && (!context || taken >> VHU_PF_REPLY_ACK & 1), may = asked;

	if (message && message->reply_rule == VHU_REPLY_NEVER)
		return VHU_ANSWER_NEVER;
	if (message && message->reply_rule == VHU_REPLY_ALWAYS) {
		/* QEMU does not answer a look-up of what it does not know. */
		due = message->id != VHU_MSG_BACKEND_SHARED_OBJECT_LOOKUP;
		may = true;
	}
	if (message && message->reply_rule == VHU_REPLY_FEATURE) {
		due |= taken >> message->reply_feature & 1;
		may |= !context;
	}
	return due ? VHU_ANSWER_MUST : may ? VHU_ANSWER_MAY : VHU_ANSWER_NEVER;
}

/* Let there be room for one more request behind the newest. Returns 0 or -ENOMEM. */
static int pending_make_room(struct vhu_pending_queue *queue)
{
	const unsigned room = queue->room ? 2 * queue->room : 4;
	struct vhu_pending *more;

	if (queue->oldest + queue->count < queue->room)
		return 0;
	/* Moved only when half of the room is free in front, so seldom. */
	if (queue->oldest && queue->oldest >= queue->count) {
		memmove(queue->request, vhu_pending_at(queue, 0),
			queue->count * sizeof(*queue->request));
		queue->oldest = 0;
		return 0;
	}
	more = reallocarray(queue->request, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	queue->request = more;
	queue->room = room;
	return 0;
}

int vhu_pending_ask(struct vhu_pending_queue *queue, const struct vhu_pending *request)
{
	if (queue->count == VHU_PENDING_MAX)
		vhu_pending_forget(queue, 1);
	if (pending_make_room(queue))
		return -ENOMEM;
	queue->request[queue->oldest + queue->count++] = *request;
	return 0;
}

int vhu_pending_find(const struct vhu_pending_queue *queue, uint32_t request)
{
	for (unsigned i = 0; i < queue->count; i++) {
		const struct vhu_pending *at = vhu_pending_at(queue, i);

		if (at->request == request && !at->withheld)
			return (int)i;
	}
	return -1;
}

struct vhu_pending vhu_pending_answered(struct vhu_pending_queue *queue, unsigned at)
{
	const struct vhu_pending answered = *vhu_pending_at(queue, at);

	if (!at) {
		vhu_pending_forget(queue, 1);
		return answered;
	}
	memmove(vhu_pending_at(queue, at), vhu_pending_at(queue, at + 1),
		(--queue->count - at) * sizeof(answered));
	return answered;
}

void vhu_pending_forget(struct vhu_pending_queue *queue, unsigned count)
{
	queue->count -= count;
	queue->oldest = queue->count ? queue->oldest + count : 0;
}

void vhu_pending_free(struct vhu_pending_queue *queue)
{
	free(queue->request);
	*queue = (struct vhu_pending_queue){0};
}
