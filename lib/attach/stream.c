/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of a watched connection; stream.h has its theory of operation. */
#include "lib/attach/stream.h"

#include <stdlib.h>
#include <string.h>

struct vhu_stream_buffer {
	TAILQ_ENTRY(vhu_stream_buffer) link;
	uint64_t address, time_ns;
	uint32_t length;  /* 0: its sending was not seen */
	uint32_t given;   /* bytes that were passed on */
	uint32_t taken;   /* bytes that somebody took, or peeked at */
	unsigned unknown; /* buffers that were sent just before it, and not seen */
	struct vhu_stream_fds fds;
	/* Taken again: a peek, or another buffer at its address. */
	uint8_t *again;
	uint32_t again_size;
	uint64_t again_ns;
	struct vhu_stream_fds again_fds;
	uint32_t known; /* bytes that follow */
	uint8_t bytes[];
};

/* Free descriptions. */
static void drop_fds(struct vhu_stream_fds *fds)
{
	free(fds->file);
	memset(fds, 0, sizeof(*fds));
}

/* Free a buffer. */
static void free_buffer(struct vhu_stream_buffer *buffer)
{
	drop_fds(&buffer->fds);
	drop_fds(&buffer->again_fds);
	free(buffer->again);
	free(buffer);
}

void vhu_stream_begin(struct vhu_stream *stream, const struct vhu_stream_owner *owner,
		      void *context, bool sees_sending, unsigned queued)
{
	memset(stream, 0, sizeof(*stream));
	stream->owner = owner;
	stream->context = context;
	stream->sees_sending = sees_sending;
	stream->unknown = sees_sending ? queued : 0;
	TAILQ_INIT(&stream->buffers);
	TAILQ_INIT(&stream->done);
}

/* Pass on bytes of a buffer up to @to, which @bytes has from the buffer's beginning. */
static void give(struct vhu_stream *stream, struct vhu_stream_buffer *buffer, const uint8_t *bytes,
		 uint32_t to, uint64_t time_ns)
{
	uint32_t from = buffer->given;

	if (to <= from)
		return;
	buffer->given = to;
	stream->owner->bytes(stream, bytes + from, to - from, !from, time_ns, &buffer->fds);
}

/* Remember a buffer that was taken whole. */
static void remember(struct vhu_stream *stream, struct vhu_stream_buffer *buffer)
{
	TAILQ_REMOVE(&stream->buffers, buffer, link);
	stream->count--;
	TAILQ_INSERT_TAIL(&stream->done, buffer, link);
	if (stream->done_count++ < VHU_STREAM_DONE_MAX)
		return;
	buffer = TAILQ_FIRST(&stream->done);
	TAILQ_REMOVE(&stream->done, buffer, link);
	stream->done_count--;
	free_buffer(buffer);
}

/* Pass on what waits, as far as it is known. */
static void give_waiting(struct vhu_stream *stream, uint64_t time_ns)
{
	struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH(buffer, &stream->buffers, link)
	{
		if (buffer->unknown)
			return;
		give(stream, buffer, buffer->bytes, buffer->known,
		     buffer->time_ns ? buffer->time_ns : time_ns);
		if (buffer->given < buffer->length)
			return;
	}
}

/* Say that buffers before one are missing, if they are. */
static void settle_unknown(struct vhu_stream *stream, unsigned *unknown, uint64_t time_ns)
{
	if (*unknown)
		stream->owner->gap(stream, 0, time_ns);
	*unknown = 0;
}

/* Pass on what is known of the buffers before @until (NULL: of all), and say what is not: it was
 * taken, and nobody told of it. */
static void settle_before(struct vhu_stream *stream, struct vhu_stream_buffer *until,
			  uint64_t time_ns)
{
	struct vhu_stream_buffer *buffer;

	while ((buffer = TAILQ_FIRST(&stream->buffers)) != until) {
		settle_unknown(stream, &buffer->unknown, time_ns);
		give(stream, buffer, buffer->bytes, buffer->known, buffer->time_ns);
		if (buffer->given < buffer->length)
			stream->owner->gap(stream, buffer->length - buffer->given, time_ns);
		remember(stream, buffer);
	}
	settle_unknown(stream, until ? &until->unknown : &stream->unknown, time_ns);
}

/* Return a new buffer at the end of the list; NULL out of memory. */
static struct vhu_stream_buffer *add_buffer(struct vhu_stream *stream, uint64_t address,
					    const uint8_t *bytes, uint32_t size)
{
	struct vhu_stream_buffer *buffer = calloc(1, sizeof(*buffer) + size);

	if (!buffer)
		return NULL;
	buffer->address = address;
	buffer->known = size;
	if (size)
		memcpy(buffer->bytes, bytes, size);
	TAILQ_INSERT_TAIL(&stream->buffers, buffer, link);
	stream->count++;
	return buffer;
}

/* Return the latest buffer of a list with an address; NULL without. */
static struct vhu_stream_buffer *find_in(struct vhu_stream_list *list, uint64_t address)
{
	struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH_REVERSE(buffer, list, vhu_stream_list, link)
	{
		if (buffer->address == address)
			return buffer;
	}
	return NULL;
}

/* Let a buffer have the descriptions that came before its event, unless it had them. */
static void take_fds(struct vhu_stream *stream, const struct vhu_attach_event *event,
		     struct vhu_stream_fds *to)
{
	if (stream->fds_buffer != event->buffer)
		drop_fds(&stream->fds);
	stream->fds.count = event->fds;
	if (event->fds && !to->count) {
		*to = stream->fds;
		memset(&stream->fds, 0, sizeof(stream->fds));
	}
	drop_fds(&stream->fds);
}

/* A buffer was sent after @buffer was taken whole, and its sending was not told with its address:
 * what was taken again there was that. */
static void resolve_again(struct vhu_stream *stream, bool was_new)
{
	struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH(buffer, &stream->done, link)
	{
		if (buffer->again && was_new)
			stream->owner->bytes(stream, buffer->again, buffer->again_size, true,
					     buffer->again_ns, &buffer->again_fds);
		free(buffer->again);
		drop_fds(&buffer->again_fds);
		buffer->again = NULL;
	}
}

/* A buffer that was taken in part before its sending was told. Returns whether it is. */
static bool take_sent_late(struct vhu_stream *stream, const struct vhu_attach_event *event)
{
	struct vhu_stream_buffer *last = TAILQ_LAST(&stream->buffers, vhu_stream_list);

	if (!last || last->length || last->address != event->buffer || !event->consumed)
		return false;
	last->length = event->length;
	return true;
}

/* Take what is told when a buffer is sent. */
static void take_sent(struct vhu_stream *stream, const struct vhu_attach_event *event,
		      const uint8_t *bytes)
{
	struct vhu_stream_buffer *buffer;
	uint32_t missing = event->number - stream->sent - 1;

	stream->sent = event->number;
	if (missing && missing < UINT32_MAX / 2)
		stream->unknown += missing;
	/* Whoever took it was quicker. */
	if (!event->buffer) {
		resolve_again(stream, true);
		return;
	}
	resolve_again(stream, false);
	if (take_sent_late(stream, event)) {
		buffer = TAILQ_LAST(&stream->buffers, vhu_stream_list);
		give(stream, buffer, bytes, event->copied, event->time_ns);
		return;
	}
	if (stream->count >= VHU_STREAM_BUFFERS_MAX)
		settle_before(stream, NULL, event->time_ns);
	buffer = add_buffer(stream, event->buffer, bytes, event->copied);
	if (!buffer) {
		stream->unknown++;
		return;
	}
	buffer->length = event->length;
	buffer->time_ns = event->time_ns;
	buffer->unknown = stream->unknown;
	stream->unknown = 0;
	take_fds(stream, event, &buffer->fds);
	give_waiting(stream, event->time_ns);
}

/* Keep what is taken at the address of a buffer that was taken whole. */
static void keep_again(struct vhu_stream *stream, struct vhu_stream_buffer *buffer,
		       const struct vhu_attach_event *event, const uint8_t *bytes)
{
	uint8_t *again;

	if (!stream->sees_sending || buffer->again_size > event->copied)
		return;
	again = realloc(buffer->again, event->copied ? event->copied : 1);
	if (!again)
		return;
	memcpy(again, bytes, event->copied);
	buffer->again = again;
	buffer->again_size = event->copied;
	buffer->again_ns = event->time_ns;
	take_fds(stream, event, &buffer->again_fds);
}

/* Return the first buffer that others are missing before; NULL without. */
static struct vhu_stream_buffer *first_after_unknown(const struct vhu_stream *stream)
{
	struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH(buffer, &stream->buffers, link)
	{
		if (buffer->unknown)
			return buffer;
	}
	return NULL;
}

/* Some of a buffer was taken whose sending is not known. */
static void take_unknown(struct vhu_stream *stream, const struct vhu_attach_event *event,
			 const uint8_t *bytes)
{
	struct vhu_stream_buffer *after = first_after_unknown(stream), *buffer;

	/* What stands before it was taken before. */
	if (after)
		after->unknown--;
	else if (stream->unknown)
		stream->unknown--;
	if (!after || TAILQ_FIRST(&stream->buffers) != after) {
		unsigned more = after ? after->unknown : stream->unknown;

		*(after ? &after->unknown : &stream->unknown) = 0;
		settle_before(stream, after, event->time_ns);
		*(after ? &after->unknown : &stream->unknown) = more;
	}
	buffer = add_buffer(stream, event->buffer, NULL, 0);
	if (!buffer)
		return;
	if (after) {
		TAILQ_REMOVE(&stream->buffers, buffer, link);
		TAILQ_INSERT_BEFORE(after, buffer, link);
	}
	take_fds(stream, event, &buffer->fds);
	give(stream, buffer, bytes, event->copied, event->time_ns);
	buffer->taken = event->consumed + event->length;
}

/* Take what is told when some of a buffer is taken. */
static void take_taken(struct vhu_stream *stream, const struct vhu_attach_event *event,
		       const uint8_t *bytes)
{
	struct vhu_stream_buffer *buffer = find_in(&stream->buffers, event->buffer), *done;
	uint32_t missing = event->number - stream->taken - 1;

	stream->taken = event->number;
	if (missing && missing < UINT32_MAX / 2 && !stream->sees_sending)
		stream->owner->gap(stream, 0, event->time_ns);
	/* Without its length it ends where another begins. */
	if (buffer && !buffer->length && !event->consumed && buffer->taken && !stream->sees_sending)
		buffer = NULL;
	if (!buffer) {
		done = find_in(&stream->done, event->buffer);
		if (done && stream->sees_sending)
			keep_again(stream, done, event, bytes);
		else
			take_unknown(stream, event, bytes);
		return;
	}
	if (buffer->length)
		settle_before(stream, buffer, event->time_ns);
	if (!buffer->given)
		take_fds(stream, event, &buffer->fds);
	give(stream, buffer, bytes, event->copied, event->time_ns);
	if (buffer->taken < event->consumed + event->length)
		buffer->taken = event->consumed + event->length;
	if (buffer->length && buffer->taken >= buffer->length) {
		give(stream, buffer, buffer->bytes, buffer->known, event->time_ns);
		remember(stream, buffer);
	}
	give_waiting(stream, event->time_ns);
}

/* Keep the description of a descriptor for the buffer that carries it. */
static void take_fd(struct vhu_stream *stream, const struct vhu_attach_event *event,
		    const uint8_t *bytes)
{
	struct vhu_attach_file *more;

	if (stream->fds_buffer != event->buffer || !event->fds)
		drop_fds(&stream->fds);
	stream->fds_buffer = event->buffer;
	more = reallocarray(stream->fds.file, stream->fds.known + 1, sizeof(*more));
	if (!more)
		return;
	stream->fds.file = more;
	memcpy(&more[stream->fds.known++], bytes, sizeof(*more));
}

void vhu_stream_take(struct vhu_stream *stream, const struct vhu_attach_event *event,
		     const uint8_t *bytes)
{
	switch (event->what) {
	case VHU_ATTACH_SENT:
		take_sent(stream, event, bytes);
		break;
	case VHU_ATTACH_TAKEN:
		take_taken(stream, event, bytes);
		break;
	case VHU_ATTACH_FD:
		take_fd(stream, event, bytes);
		break;
	}
}

void vhu_stream_end(struct vhu_stream *stream, uint64_t time_ns)
{
	struct vhu_stream_buffer *buffer;

	if (stream->ended)
		return;
	stream->ended = true;
	TAILQ_FOREACH(buffer, &stream->buffers, link)
	{
		settle_unknown(stream, &buffer->unknown, time_ns);
		give(stream, buffer, buffer->bytes, buffer->known,
		     buffer->time_ns ? buffer->time_ns : time_ns);
		if (buffer->given < buffer->length)
			stream->owner->gap(stream, buffer->length - buffer->given, time_ns);
	}
	settle_unknown(stream, &stream->unknown, time_ns);
}

bool vhu_stream_waits(const struct vhu_stream *stream)
{
	const struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH(buffer, &stream->buffers, link)
	{
		if (buffer->unknown || buffer->given < buffer->length)
			return true;
	}
	return stream->unknown;
}

bool vhu_stream_has_unread(const struct vhu_stream *stream)
{
	const struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH(buffer, &stream->buffers, link)
	{
		if (buffer->taken < buffer->length)
			return true;
	}
	return false;
}

void vhu_stream_free(struct vhu_stream *stream)
{
	struct vhu_stream_buffer *buffer;

	while ((buffer = TAILQ_FIRST(&stream->buffers))) {
		TAILQ_REMOVE(&stream->buffers, buffer, link);
		free_buffer(buffer);
	}
	while ((buffer = TAILQ_FIRST(&stream->done))) {
		TAILQ_REMOVE(&stream->done, buffer, link);
		free_buffer(buffer);
	}
	drop_fds(&stream->fds);
}
