/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The buffers of one direction: kept, passed on in order, remembered, freed. */
#include "lib/attach/stream_buffer.h"

#include <stdlib.h>
#include <string.h>

void vhu_stream_drop_fds(struct vhu_stream_fds *fds)
{
	free(fds->file);
	memset(fds, 0, sizeof(*fds));
}

/* Free a buffer. */
static void free_buffer(struct vhu_stream_buffer *buffer)
{
	vhu_stream_drop_fds(&buffer->fds);
	vhu_stream_drop_fds(&buffer->again_fds);
	free(buffer->again);
	free(buffer);
}

void vhu_stream_give(struct vhu_stream *stream, struct vhu_stream_buffer *buffer,
		     const uint8_t *bytes, uint32_t to, uint64_t time_ns)
{
	uint32_t from = buffer->given;

	if (to <= from)
		return;
	buffer->given = to;
	stream->owner->bytes(stream, bytes + from, to - from, !from, time_ns, &buffer->fds);
}

void vhu_stream_remember(struct vhu_stream *stream, struct vhu_stream_buffer *buffer)
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

void vhu_stream_give_waiting(struct vhu_stream *stream, uint64_t time_ns)
{
	struct vhu_stream_buffer *buffer = TAILQ_FIRST(&stream->buffers), *next;

	for (; buffer && !buffer->unknown; buffer = next) {
		next = TAILQ_NEXT(buffer, link);
		vhu_stream_give(stream, buffer, buffer->bytes, buffer->known,
				buffer->time_ns ? buffer->time_ns : time_ns);
		if (buffer->given < buffer->length)
			return;
		if (buffer->taken >= buffer->length)
			vhu_stream_remember(stream, buffer);
	}
}

/* Say that buffers before one are missing, if they are. */
static void settle_unknown(struct vhu_stream *stream, unsigned *unknown, uint64_t time_ns)
{
	if (*unknown)
		stream->owner->gap(stream, 0, time_ns);
	*unknown = 0;
}

void vhu_stream_settle(struct vhu_stream *stream, struct vhu_stream_buffer *until, uint64_t time_ns)
{
	struct vhu_stream_buffer *buffer;

	while ((buffer = TAILQ_FIRST(&stream->buffers)) != until) {
		settle_unknown(stream, &buffer->unknown, time_ns);
		vhu_stream_give(stream, buffer, buffer->bytes, buffer->known, buffer->time_ns);
		if (buffer->given < buffer->length)
			stream->owner->gap(stream, buffer->length - buffer->given, time_ns);
		vhu_stream_remember(stream, buffer);
	}
	settle_unknown(stream, until ? &until->unknown : &stream->unknown, time_ns);
}

struct vhu_stream_buffer *vhu_stream_add(struct vhu_stream *stream, uint64_t address,
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

void vhu_stream_take_fds(struct vhu_stream *stream, const struct vhu_attach_event *event,
			 struct vhu_stream_fds *to)
{
	if (stream->fds_buffer != event->buffer)
		vhu_stream_drop_fds(&stream->fds);
	stream->fds.count = event->fds;
	if (event->fds && !to->count) {
		*to = stream->fds;
		memset(&stream->fds, 0, sizeof(stream->fds));
	}
	vhu_stream_drop_fds(&stream->fds);
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
		vhu_stream_give(stream, buffer, buffer->bytes, buffer->known,
				buffer->time_ns ? buffer->time_ns : time_ns);
		if (buffer->given < buffer->length)
			stream->owner->gap(stream, buffer->length - buffer->given, time_ns);
	}
	settle_unknown(stream, &stream->unknown, time_ns);
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
	vhu_stream_drop_fds(&stream->fds);
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
