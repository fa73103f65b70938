/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was sent in one direction of a watched connection: events of sending, and what is known
 * without them. */
#ifndef VHU_ATTACH_STREAM_SENT_H
#define VHU_ATTACH_STREAM_SENT_H

#include "lib/attach/stream_buffer.h"

/* Take an event of sending. @bytes: what follows it. */
void vhu_stream_take_sent(struct vhu_stream *stream, const struct vhu_attach_event *event,
			  const uint8_t *bytes);

/* Learn how many buffers were sent, after all their events were handled. @begun: as in the events.
 */
void vhu_stream_expect(struct vhu_stream *stream, uint32_t begun, uint32_t sent);

/* How the buffers of a direction stood, when all events up to then were taken. */
struct vhu_stream_standing {
	unsigned queued;           /* untaken buffers; -1: not known */
	unsigned waiting;          /* of those, with a whole SENT event */
	uint64_t noted_ns;         /* of what was sent up to then this is known for sure */
	uint64_t from_ns, time_ns; /* when this was looked at */
};

/*
 * Pass on what waits for unknown buffers that were taken, since no event will report them any more.
 * If nothing is queued, all were taken; if a buffer was taken, so were those before it.
 */
void vhu_stream_pass_taken(struct vhu_stream *stream, const struct vhu_stream_standing *standing);

#endif
