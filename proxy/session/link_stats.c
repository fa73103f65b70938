/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traffic: what has passed on one socket of a session. */
#include "proxy/session/link_stats.h"

#include <string.h>

#include "lib/util/util.h"

enum vhu_side vhu_link_stats_asks(enum vhu_channel channel)
{
	return channel == VHU_FRONT_END ? VHU_FRONT : VHU_BACK;
}

/* Return the row of a message id, of any dialect; NULL for an unknown id. */
static const struct vhu_message *traffic_message(enum vhu_channel channel, uint32_t request,
						 enum vhu_dialect dialect)
{
	const struct vhu_message *row[VHU_DIALECTS];

	return vhu_message_find(channel, request, dialect, row) ? row[0] : NULL;
}

/* Return whether a request may be answered, whatever was negotiated. */
static bool traffic_may_be_answered(enum vhu_channel channel, const struct vhu_header *header)
{
	const struct vhu_message *message = traffic_message(channel, header->request, VHU_ANY);

	if (message && message->reply_rule == VHU_REPLY_NEVER)
		return false;
	if (header->flags & VHU_FLAG_NEED_REPLY)
		return true;
	return message && message->reply_rule != VHU_REPLY_ACK;
}

/* Remember a request. */
static void traffic_ask(struct vhu_link_stats *traffic, const struct vhu_header *header,
			uint64_t now)
{
	if (traffic->asking == VHU_LINK_STATS_ASKED)
		return;
	traffic->asked[traffic->asking++] = (struct vhu_link_stats_request){
	    .request = header->request,
	    .flags = header->flags,
	    .ns = now,
	};
}

/* Forget the request that is answered by a message, and all older ones. */
static void traffic_answer(struct vhu_link_stats *traffic, const struct vhu_header *header)
{
	for (unsigned i = 0; i < traffic->asking; i++) {
		if (traffic->asked[i].request != header->request)
			continue;
		traffic->asking -= i + 1;
		memmove(traffic->asked, traffic->asked + i + 1,
			traffic->asking * sizeof(traffic->asked[0]));
		return;
	}
}

void vhu_link_stats_passed(struct vhu_link_stats *traffic, enum vhu_channel channel,
			   enum vhu_side from, const struct vhu_header *header, uint64_t bytes,
			   unsigned fds)
{
	struct vhu_link_stats_way *way = &traffic->from[from];

	way->messages++;
	way->bytes += bytes;
	way->fds += fds;
	way->last_ns = vhu_now_ns();
	if (!header)
		return;
	if (from != vhu_link_stats_asks(channel))
		traffic_answer(traffic, header);
	else if (traffic_may_be_answered(channel, header))
		traffic_ask(traffic, header, way->last_ns);
}

/* Return whether a request that may be answered must be, as far as @context tells. */
static bool traffic_is_due(const struct vhu_message *message,
			   const struct vhu_link_stats_request *request,
			   const struct vhu_context *context)
{
	uint64_t taken = context->protocol_features;
	bool acknowledged = !context->has_protocol_features || taken >> VHU_PF_REPLY_ACK & 1;

	if (message && message->reply_rule == VHU_REPLY_ALWAYS)
		return true;
	if (message && message->reply_rule == VHU_REPLY_FEATURE &&
	    taken >> message->reply_feature & 1)
		return true;
	return request->flags & VHU_FLAG_NEED_REPLY && acknowledged;
}

const struct vhu_link_stats_request *vhu_link_stats_waits(const struct vhu_link_stats *traffic,
							  enum vhu_channel channel,
							  const struct vhu_context *context,
							  const struct vhu_message **message)
{
	for (unsigned i = 0; i < traffic->asking; i++) {
		const struct vhu_link_stats_request *request = &traffic->asked[i];

		*message = traffic_message(channel, request->request, context->dialect);
		if (traffic_is_due(*message, request, context))
			return request;
	}
	return NULL;
}
