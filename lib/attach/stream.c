/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of a watched connection; stream.h has its theory of operation. */
#include "lib/attach/stream.h"

#include <stdlib.h>
#include <string.h>

#include "lib/attach/stream_sent.h"

/* Bytes that are kept of a buffer that was received before its sending was reported, to recognise
 * it. */
#define KEEP_MAX 4096u

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

/* Keep what is taken at the address of a buffer that was taken whole. */
static void keep_again(struct vhu_stream *stream, struct vhu_stream_buffer *buffer,
		       const struct vhu_attach_event *event, const uint8_t *bytes)
{
	uint8_t *again;

	if (buffer->again_size > event->copied)
		return;
	again = realloc(buffer->again, event->copied ? event->copied : 1);
	if (!again)
		return;
	memcpy(again, bytes, event->copied);
	buffer->again = again;
	buffer->again_size = event->copied;
	buffer->again_whole = event->copied >= event->whole;
	buffer->again_ns = event->time_ns;
	vhu_stream_take_fds(stream, event, &buffer->again_fds);
}

/* Return whether what is taken can be of a buffer that was taken whole: then it was a peek that had
 * taken it. */
static bool can_be(const struct vhu_stream_buffer *done, const struct vhu_attach_event *event,
		   const uint8_t *bytes)
{
	uint32_t size = event->copied < done->known ? event->copied : done->known;

	return event->consumed + event->length <= done->length && !memcmp(done->bytes, bytes, size);
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

/* Return whether it is known of buffers that they were sent, and not what they are. */
static bool is_some_unknown(const struct vhu_stream *stream)
{
	return stream->unknown || first_after_unknown(stream);
}

/* Some of a buffer was taken whose sending is not known. */
static void take_unknown(struct vhu_stream *stream, const struct vhu_attach_event *event,
			 const uint8_t *bytes)
{
	struct vhu_stream_buffer *after = first_after_unknown(stream), *buffer;
	const bool early = stream->sees_sending && !after && !stream->unknown;
	uint32_t keep = event->copied < KEEP_MAX ? event->copied : KEEP_MAX;

	/* What stands before it was taken before. */
	if (after)
		after->unknown--;
	else if (stream->unknown)
		stream->unknown--;
	if (!after || TAILQ_FIRST(&stream->buffers) != after) {
		unsigned more = after ? after->unknown : stream->unknown;

		*(after ? &after->unknown : &stream->unknown) = 0;
		vhu_stream_settle(stream, after, event->time_ns);
		*(after ? &after->unknown : &stream->unknown) = more;
	}
	buffer = vhu_stream_add(stream, event->buffer, bytes, keep);
	if (!buffer)
		return;
	buffer->early = early;
	if (after) {
		TAILQ_REMOVE(&stream->buffers, buffer, link);
		TAILQ_INSERT_BEFORE(after, buffer, link);
	}
	vhu_stream_take_fds(stream, event, &buffer->fds);
	vhu_stream_give(stream, buffer, bytes, event->copied, event->time_ns);
	buffer->taken = event->consumed + event->length;
	buffer->length = event->whole > buffer->taken ? event->whole : buffer->taken;
	if (buffer->taken == buffer->length)
		vhu_stream_remember(stream, buffer);
	vhu_stream_give_waiting(stream, event->time_ns);
}

/* Take the report that some of a buffer was received. */
static void take_taken(struct vhu_stream *stream, const struct vhu_attach_event *event,
		       const uint8_t *bytes)
{
	struct vhu_stream_buffer *buffer = find_in(&stream->buffers, event->buffer), *done;
	uint32_t missing = event->number - stream->taken - 1;

	stream->taken = event->number;
	if (missing && missing < UINT32_MAX / 2 && !stream->sees_sending)
		stream->owner->gap(stream, 0, event->time_ns);
	if (!buffer) {
		done = find_in(&stream->done, event->buffer);
		/* First try the buffers with a known sending but unknown bytes. */
		if (done && stream->sees_sending && !is_some_unknown(stream) &&
		    can_be(done, event, bytes))
			keep_again(stream, done, event, bytes);
		else
			take_unknown(stream, event, bytes);
		return;
	}
	vhu_stream_settle(stream, buffer, event->time_ns);
	if (!buffer->given)
		vhu_stream_take_fds(stream, event, &buffer->fds);
	vhu_stream_give(stream, buffer, bytes, event->copied, event->time_ns);
	if (buffer->taken < event->consumed + event->length)
		buffer->taken = event->consumed + event->length;
	if (buffer->taken >= buffer->length) {
		vhu_stream_give(stream, buffer, buffer->bytes, buffer->known, event->time_ns);
		vhu_stream_remember(stream, buffer);
	}
	vhu_stream_give_waiting(stream, event->time_ns);
}

/* Keep the description of a descriptor for the buffer that carries it. */
static void take_fd(struct vhu_stream *stream, const struct vhu_attach_event *event,
		    const uint8_t *bytes)
{
	struct vhu_attach_file *more;

	if (stream->fds_buffer != event->buffer || !event->fds)
		vhu_stream_drop_fds(&stream->fds);
	stream->fds_buffer = event->buffer;
	more = reallocarray(stream->fds.file, stream->fds.known + 1, sizeof(*more));
	if (!more)
		return;
	stream->fds.file = more;
	memcpy(&more[stream->fds.known++], bytes, sizeof(*more));
}

/* The direction was not watched for a while, or may not have been: what passed then is not known.
 */
static void begin_again(struct vhu_stream *stream, uint64_t time_ns)
{
	stream->unknown++;
	vhu_stream_settle(stream, NULL, time_ns);
	stream->sent = stream->taken = 0;
}

void vhu_stream_take(struct vhu_stream *stream, const struct vhu_attach_event *event,
		     const uint8_t *bytes)
{
	if (stream->begun && stream->begun != event->begun)
		begin_again(stream, event->time_ns);
	stream->begun = event->begun;
	switch (event->what) {
	case VHU_ATTACH_SENT:
		vhu_stream_take_sent(stream, event, bytes);
		break;
	case VHU_ATTACH_TAKEN:
		take_taken(stream, event, bytes);
		break;
	case VHU_ATTACH_FD:
		take_fd(stream, event, bytes);
		break;
	}
}

bool vhu_stream_is_told(const struct vhu_stream *stream, uint32_t begun, uint32_t sent)
{
	return sent == (!stream->begun || stream->begun == begun ? stream->sent : 0);
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
