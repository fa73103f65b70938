/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The buffers of one direction of a watched connection; stream.h has the theory of operation. */
#ifndef VHU_ATTACH_STREAM_BUFFER_H
#define VHU_ATTACH_STREAM_BUFFER_H

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

/* Pass on what is known and was waiting: nothing more is taken. */
void vhu_stream_end(struct vhu_stream *stream, uint64_t time_ns);

/* Free what a stream holds. */
void vhu_stream_free(struct vhu_stream *stream);

/* Return whether sent bytes are still to be passed on. */
bool vhu_stream_waits(const struct vhu_stream *stream);

#endif
