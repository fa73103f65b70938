/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a watched connection: the bytes that were sent, in order, with their
 * descriptors, put together from the kernel's events about its buffers.
 *
 * Theory of operation
 *
 * An event of sending comes for each buffer, with its first bytes. Most messages are whole in it,
 * and no other event follows. For the rest an event of taking comes with each piece that somebody
 * takes, with all bytes up to there: for long messages, and if the event of sending was lost.
 *
 *	sent:   [ a ][ b ][ c ]       each buffer once
 *	taken:  a a b c               in order; a peek takes the same bytes again
 *
 * A receiver may be quicker than the event of sending. Then the event of taking comes first, and
 * the next event of sending belongs to the same buffer. It has the buffer's address, or none if the
 * buffer was taken whole.
 *
 * A buffer is known by its address while it is queued. The kernel uses the address of a buffer that
 * was taken whole for the next one. Bytes taken at such an address that equal the buffer's own are
 * either its own, after a peek, or a new buffer's, taken early. The stream keeps them until the
 * next event of sending decides.
 *
 * Sendings are numbered, so a gap in the numbers says how many buffers are not known. Later buffers
 * wait until an event of taking fills the gap, or until a later buffer was taken. What no event
 * reports is passed on as a gap.
 *
 * Ownership: a stream copies what it keeps.
 */
#ifndef VHU_ATTACH_STREAM_H
#define VHU_ATTACH_STREAM_H

#include "lib/attach/stream_buffer.h"

/*
 * Begin a stream.
 * @sees_sending: there are events of sending, too.
 * @queued: buffers that are queued already.
 */
void vhu_stream_begin(struct vhu_stream *stream, const struct vhu_stream_owner *owner,
		      void *context, bool sees_sending, unsigned queued);

/* Take an event: VHU_ATTACH_SENT, _TAKEN, or _FD. @bytes: what follows it. */
void vhu_stream_take(struct vhu_stream *stream, const struct vhu_attach_event *event,
		     const uint8_t *bytes);

/* Return whether all events came of @sent buffers. */
bool vhu_stream_is_told(const struct vhu_stream *stream, uint32_t begun, uint32_t sent);

/* Return whether a sent buffer was never taken. */
bool vhu_stream_has_unread(const struct vhu_stream *stream);

#endif
