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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bpf/attach/events.h"

/* Buffers that are known of at once: a socket holds some hundreds. */
#define VHU_STREAM_BUFFERS_MAX 4096
/* Of those that were taken whole, the latest are remembered. */
#define VHU_STREAM_DONE_MAX    64

/* Descriptors that came with a buffer. */
struct vhu_stream_fds {
	unsigned count;               /* that came */
	unsigned known;               /* that are described */
	struct vhu_attach_file *file; /* as many as are known; freed by free(3) */
};

struct vhu_stream;
struct vhu_stream_buffer;

struct vhu_stream_owner {
	/*
	 * Bytes that follow those before.
	 * @first: they begin a buffer, and so most likely a message.
	 * @fds: what comes with the first of them; who takes it sets it to zero.
	 */
	void (*bytes)(struct vhu_stream *stream, const uint8_t *bytes, size_t size, bool first,
		      uint64_t time_ns, struct vhu_stream_fds *fds);
	/* Bytes are missing here. @size: how many; 0 not known. */
	void (*gap)(struct vhu_stream *stream, uint64_t size, uint64_t time_ns);
};

struct vhu_stream {
	const struct vhu_stream_owner *owner;
	void *context;
	TAILQ_HEAD(vhu_stream_list, vhu_stream_buffer) buffers, done;
	unsigned count, done_count;
	uint32_t begun;            /* as in the events; 0: none came so far */
	uint32_t sent, taken;      /* numbers of the last events */
	unsigned unknown;          /* buffers that were sent after those known, and not seen */
	bool sees_sending;         /* else only takings have events */
	uint64_t waits_ns;         /* since when it waits though nothing is queued; 0 it does not */
	bool ended;                /* nothing more is taken */
	struct vhu_stream_fds fds; /* described, of the buffer whose event comes next */
	uint64_t fds_buffer;       /* its address */
};

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

/* Pass on what is known and was waiting: nothing more is taken. */
void vhu_stream_end(struct vhu_stream *stream, uint64_t time_ns);

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
/* Return whether all events came of @sent buffers. */
bool vhu_stream_is_told(const struct vhu_stream *stream, uint32_t begun, uint32_t sent);

/* Return whether sent bytes are still to be passed on. */
bool vhu_stream_waits(const struct vhu_stream *stream);

/* Return whether a sent buffer was never taken. */
bool vhu_stream_has_unread(const struct vhu_stream *stream);

/* Free what a stream holds. */
void vhu_stream_free(struct vhu_stream *stream);

#endif
