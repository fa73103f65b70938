/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of sending in one direction, and the buffers that were taken before theirs came. */
#include "lib/attach/stream_sent.h"

#include <stdlib.h>
#include <string.h>

/* Return the first buffer of a list that was taken before its SENT event; NULL without one. */
static struct vhu_stream_buffer *find_early(struct vhu_stream_list *list)
{
	struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH(buffer, list, link)
	{
		if (buffer->early)
			return buffer;
	}
	return NULL;
}

/* Drop what was taken again at the address of a buffer. */
static void drop_again(struct vhu_stream_buffer *buffer)
{
	free(buffer->again);
	vhu_stream_drop_fds(&buffer->again_fds);
	buffer->again = NULL;
	buffer->again_size = 0;
}

/* Pass on what was taken again, at the address of a buffer, as what it is: another. Returns whether
 * there is some. */
static bool give_again(struct vhu_stream *stream)
{
	struct vhu_stream_buffer *buffer;

	TAILQ_FOREACH(buffer, &stream->done, link)
	{
		/* What is gone was taken whole. */
		if (!buffer->again || !buffer->again_whole)
			continue;
		stream->owner->bytes(stream, buffer->again, buffer->again_size, true,
				     buffer->again_ns, &buffer->again_fds);
		drop_again(buffer);
		return true;
	}
	return false;
}

/* So many buffers were sent, and their sending is not told. */
static void take_missing(struct vhu_stream *stream, uint32_t missing)
{
	struct vhu_stream_buffer *early;

	for (; missing; missing--) {
		early = find_early(&stream->done);
		if (!early)
			early = find_early(&stream->buffers);
		if (early)
			early->early = false;
		else if (!give_again(stream))
			break;
	}
	stream->unknown += missing;
}

/* A buffer's SENT event held all of it: no further event will come. */
static void rely_on(struct vhu_stream_buffer *buffer)
{
	buffer->told = true;
	buffer->taken = buffer->length;
}

/* Take the SENT event of a buffer that was taken before, maybe in part. */
static void take_early(struct vhu_stream *stream, struct vhu_stream_buffer *buffer,
		       const struct vhu_attach_event *event, const uint8_t *bytes)
{
	bool done = find_early(&stream->done) == buffer;

	buffer->early = false;
	vhu_stream_drop_fds(&stream->fds);
	if (done) {
		if (event->buffer && buffer->given < event->length)
			stream->owner->gap(stream, event->length - buffer->given, event->time_ns);
		return;
	}
	if (event->told)
		rely_on(buffer);
	vhu_stream_give(stream, buffer, bytes, event->copied, event->time_ns);
	if (buffer->taken >= buffer->length)
		vhu_stream_remember(stream, buffer);
	vhu_stream_give_waiting(stream, event->time_ns);
}

/* Take the SENT event of a buffer that was taken whole before. */
static void take_gone(struct vhu_stream *stream)
{
	vhu_stream_drop_fds(&stream->fds);
	/* Nobody told that it was taken, either. */
	if (!give_again(stream))
		stream->unknown++;
}

/* Return the buffer that was at the address of one that is sent, if what was taken again there has
 * more of that than the event of its sending; NULL without. */
static const struct vhu_stream_buffer *find_more(const struct vhu_stream *stream,
						 const struct vhu_attach_event *event,
						 const uint8_t *bytes)
{
	const struct vhu_stream_buffer *done;

	TAILQ_FOREACH(done, &stream->done, link)
	{
		if (done->again && done->address == event->buffer &&
		    done->again_size > event->copied && done->again_size <= event->length &&
		    !memcmp(done->again, bytes, event->copied))
			return done;
	}
	return NULL;
}

/* Let a new buffer have what is known of its being taken: it may be what was taken again at its
 * address. What else was taken again was a peek. */
static void take_again(struct vhu_stream *stream, struct vhu_stream_buffer *buffer)
{
	struct vhu_stream_buffer *done;

	TAILQ_FOREACH(done, &stream->done, link)
	{
		uint32_t size = done->again_size < buffer->known ? done->again_size : buffer->known;

		if (done->again && done->address == buffer->address &&
		    !memcmp(done->again, buffer->bytes, size)) {
			buffer->taken = done->again_size;
			if (!buffer->fds.count) {
				buffer->fds = done->again_fds;
				memset(&done->again_fds, 0, sizeof(done->again_fds));
			}
		}
		drop_again(done);
	}
}

/* Expect no more SENT events of buffers that were taken early: they would have come by now. */
static void forget_early(struct vhu_stream *stream)
{
	struct vhu_stream_buffer *early;

	while ((early = find_early(&stream->done)) || (early = find_early(&stream->buffers)))
		early->early = false;
}

/* Take a new buffer. */
static void take_new(struct vhu_stream *stream, const struct vhu_attach_event *event,
		     const uint8_t *bytes)
{
	const struct vhu_stream_buffer *more;
	struct vhu_stream_buffer *buffer;

	if (stream->count >= VHU_STREAM_BUFFERS_MAX)
		vhu_stream_settle(stream, NULL, event->time_ns);
	more = find_more(stream, event, bytes);
	buffer = vhu_stream_add(stream, event->buffer, more ? more->again : bytes,
				more ? more->again_size : event->copied);
	if (!buffer) {
		stream->unknown++;
		return;
	}
	buffer->length = event->length;
	buffer->time_ns = event->time_ns;
	buffer->unknown = stream->unknown;
	stream->unknown = 0;
	vhu_stream_take_fds(stream, event, &buffer->fds);
	take_again(stream, buffer);
	if (event->told)
		rely_on(buffer);
	vhu_stream_give_waiting(stream, event->time_ns);
}

void vhu_stream_take_sent(struct vhu_stream *stream, const struct vhu_attach_event *event,
			  const uint8_t *bytes)
{
	uint32_t missing = event->number - stream->sent - 1;
	struct vhu_stream_buffer *early;

	/* Told after one that was sent later: it was counted as missing. */
	if (missing >= UINT32_MAX / 2)
		return;
	stream->sent = event->number;
	take_missing(stream, missing);
	early = find_early(&stream->done);
	if (!early)
		early = find_early(&stream->buffers);
	if (early && (!event->buffer || early->address == event->buffer)) {
		take_early(stream, early, event, bytes);
		return;
	}
	forget_early(stream);
	if (event->buffer)
		take_new(stream, event, bytes);
	else
		take_gone(stream);
}

void vhu_stream_expect(struct vhu_stream *stream, uint32_t begun, uint32_t sent)
{
	uint32_t missing = sent - stream->sent;

	/* The first event of a watch that began again says what is missing. */
	if (missing >= UINT32_MAX / 2 || (stream->begun && stream->begun != begun))
		return;
	stream->sent = sent;
	take_missing(stream, missing);
}

/* Return how many of the buffers sent before @before_ns have a whole SENT event. */
static unsigned count_told(const struct vhu_stream *stream, uint64_t before_ns)
{
	const struct vhu_stream_buffer *buffer;
	unsigned told = 0;

	TAILQ_FOREACH(buffer, &stream->buffers, link)
	{
		told += buffer->told && buffer->time_ns < before_ns;
	}
	return told;
}

/* Pass on all, if nothing was queued in two looks one after the other and it waits all the same. */
static void pass_all(struct vhu_stream *stream, const struct vhu_stream_standing *standing)
{
	if (standing->queued || !vhu_stream_waits(stream)) {
		stream->waits_ns = 0;
	} else if (!stream->waits_ns) {
		stream->waits_ns = standing->time_ns;
	} else if (stream->waits_ns < standing->from_ns) {
		stream->waits_ns = 0;
		vhu_stream_settle(stream, NULL, standing->time_ns);
	}
}

void vhu_stream_pass_taken(struct vhu_stream *stream, const struct vhu_stream_standing *standing)
{
	struct vhu_stream_buffer *buffer;
	unsigned told = count_told(stream, standing->noted_ns);
	unsigned taken = told > standing->waiting ? told - standing->waiting : 0;

	pass_all(stream, standing);
	if (!taken)
		return;
	TAILQ_FOREACH(buffer, &stream->buffers, link)
	{
		if (buffer->told && !--taken)
			break;
	}
	vhu_stream_settle(stream, buffer, standing->time_ns);
	vhu_stream_give_waiting(stream, standing->time_ns);
}
