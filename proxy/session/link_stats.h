/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic: what has passed on one socket of a session, each way, and which of its requests wait
 * for an answer.
 *
 * Answers come in the order of their requests, so one that comes also ends the waiting of older
 * requests: nobody is going to answer those. Whether a request must be answered hangs on what the
 * session negotiated; here it is enough that it may be, and who asks can tell more.
 */
#ifndef VHU_PROXY_SESSION_LINK_STATS_H
#define VHU_PROXY_SESSION_LINK_STATS_H

#include "lib/protocol/field.h"
#include "proxy/proxy.h"

/* Requests that are remembered; of more, the oldest are. */
#define VHU_LINK_STATS_ASKED 16

struct vhu_link_stats_way {
	uint64_t messages, bytes, fds;
	uint64_t last_ns; /* when a message passed last, by vhu_now_ns; 0 never */
};

struct vhu_link_stats_request {
	uint32_t request, flags; /* of its header */
	uint64_t ns;             /* when it passed, by vhu_now_ns */
};

struct vhu_link_stats {
	struct vhu_link_stats_way from[2];                         /* by the side that sends */
	struct vhu_link_stats_request asked[VHU_LINK_STATS_ASKED]; /* oldest first */
	unsigned asking;
};

/*
 * Note that a message has passed.
 * @header: NULL where not all of it came. @bytes, @fds: that passed with it.
 */
void vhu_link_stats_passed(struct vhu_link_stats *traffic, enum vhu_channel channel,
			   enum vhu_side from, const struct vhu_header *header, uint64_t bytes,
			   unsigned fds);

/* Return which side sends the requests of @channel. */
enum vhu_side vhu_link_stats_asks(enum vhu_channel channel);

/*
 * Find the oldest request that waits for an answer.
 * @context: what was negotiated. Where that is not known, as a context of zeros tells, NEED_REPLY
 * is taken to be kept.
 * @message: gets its row of the table; NULL for an unknown id.
 * Returns it; NULL where none waits.
 */
const struct vhu_link_stats_request *vhu_link_stats_waits(const struct vhu_link_stats *traffic,
							  enum vhu_channel channel,
							  const struct vhu_context *context,
							  const struct vhu_message **message);

#endif
