/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies that are to come on one socket of a session. */
#include "proxy/session/replies.h"

enum vhu_side vhu_replies_asker(enum vhu_channel channel)
{
	return channel == VHU_FRONT_END ? VHU_FRONT : VHU_BACK;
}

/* Return the row of a message id, of any dialect; NULL for an unknown id. */
static const struct vhu_message *replies_message(enum vhu_channel channel, uint32_t request,
						 enum vhu_dialect dialect)
{
	const struct vhu_message *row[VHU_DIALECTS];

	return vhu_message_find(channel, request, dialect, row) ? row[0] : NULL;
}

void vhu_replies_ask(struct vhu_replies *replies, enum vhu_channel channel,
		     const struct vhu_header *header, uint64_t now, unsigned fault)
{
	const struct vhu_message *message = replies_message(channel, header->request, VHU_ANY);
	struct vhu_pending request = {
	    .number = replies->asked + 1,
	    .time_ns = now,
	    .message = message,
	    .request = header->request,
	    .flags = header->flags,
	    .fault = fault,
	};

	if (!fault && vhu_pending_answer(message, header->flags, NULL) == VHU_ANSWER_NEVER)
		return;
	replies->asked++;
	if (replies->queue.count == VHU_PENDING_MAX)
		replies->ours -= vhu_pending_at(&replies->queue, 0)->fault != 0;
	if (!vhu_pending_ask(&replies->queue, &request))
		replies->ours += fault != 0;
}

uint64_t vhu_replies_answer(struct vhu_replies *replies, uint32_t request)
{
	const int at = vhu_pending_find(&replies->queue, request);
	uint64_t asked_ns;

	if (at < 0)
		return 0;
	asked_ns = vhu_pending_at(&replies->queue, (unsigned)at)->time_ns;
	for (unsigned i = 0; replies->ours && i <= (unsigned)at; i++)
		replies->ours -= vhu_pending_at(&replies->queue, i)->fault != 0;
	replies->answered = vhu_pending_at(&replies->queue, (unsigned)at)->number;
	vhu_pending_forget(&replies->queue, (unsigned)at + 1);
	return asked_ns;
}

unsigned vhu_replies_fault(const struct vhu_replies *replies, uint32_t request)
{
	const int at = replies->ours ? vhu_pending_find(&replies->queue, request) : -1;

	return at < 0 ? 0 : vhu_pending_at(&replies->queue, (unsigned)at)->fault;
}

const struct vhu_pending *vhu_replies_wait(const struct vhu_replies *replies,
					   enum vhu_channel channel,
					   const struct vhu_context *context,
					   const struct vhu_message **message)
{
	const struct vhu_context *known = context->has_protocol_features ? context : NULL;

	for (unsigned i = 0; i < replies->queue.count; i++) {
		const struct vhu_pending *request = vhu_pending_at(&replies->queue, i);

		*message = replies_message(channel, request->request, context->dialect);
		/* What only a fault asks for has no NEED_REPLY as its peer sent it. */
		if (vhu_pending_answer(*message, request->flags, known) == VHU_ANSWER_MUST)
			return request;
	}
	return NULL;
}

void vhu_replies_free(struct vhu_replies *replies)
{
	vhu_pending_free(&replies->queue);
}
