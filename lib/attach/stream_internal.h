/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of one direction of a watched connection share. */
#ifndef VHU_ATTACH_STREAM_INTERNAL_H
#define VHU_ATTACH_STREAM_INTERNAL_H

#include "lib/attach/stream.h"

struct vhu_stream_buffer {
	TAILQ_ENTRY(vhu_stream_buffer) link;
	uint64_t address, time_ns;
	uint32_t length;
	uint32_t given;   /* bytes that were passed on */
	uint32_t taken;   /* bytes that somebody took, or peeked at */
	unsigned unknown; /* buffers that were sent just before it, and not seen */
	bool told;        /* its SENT event holds all of it: no event of taking comes */
	bool early;       /* it was taken before its SENT event, which comes next */
	struct vhu_stream_fds fds;
	/* Taken again: a peek, or another buffer at its address. */
	uint8_t *again;
	uint32_t again_size;
	bool again_whole; /* it is all of a buffer */
	uint64_t again_ns;
	struct vhu_stream_fds again_fds;
	uint32_t known; /* bytes that follow */
	uint8_t bytes[];
};

/* stream_buffer.c: buffers. It calls none of the files that take events. */

/* Return a new buffer at the end of the list; NULL out of memory. */
struct vhu_stream_buffer *vhu_stream_add(struct vhu_stream *stream, uint64_t address,
					 const uint8_t *bytes, uint32_t size);
/* Pass on bytes of a buffer up to @to, which @bytes has from the buffer's beginning. */
void vhu_stream_give(struct vhu_stream *stream, struct vhu_stream_buffer *buffer,
		     const uint8_t *bytes, uint32_t to, uint64_t time_ns);
/* Pass on what waits, as far as it is known, and remember what was taken whole. */
void vhu_stream_give_waiting(struct vhu_stream *stream, uint64_t time_ns);
/* Remember a buffer that was taken whole. */
void vhu_stream_remember(struct vhu_stream *stream, struct vhu_stream_buffer *buffer);
/* Pass on what is known of the buffers before @until (NULL: of all), and report the rest as a gap:
 * it was taken, and no event reports it. */
void vhu_stream_settle(struct vhu_stream *stream, struct vhu_stream_buffer *until,
		       uint64_t time_ns);

/* Let a buffer have the descriptions that came before its event, unless it had them. */
void vhu_stream_take_fds(struct vhu_stream *stream, const struct vhu_attach_event *event,
			 struct vhu_stream_fds *to);
/* Free descriptions. */
void vhu_stream_drop_fds(struct vhu_stream_fds *fds);

/* stream_sent.c: take an event of sending. */
void vhu_stream_take_sent(struct vhu_stream *stream, const struct vhu_attach_event *event,
			  const uint8_t *bytes);

#endif
