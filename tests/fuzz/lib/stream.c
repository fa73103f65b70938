/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fuzz target's input as a stream of records. */
#include "tests/fuzz/lib/stream.h"

#define HEAD 4

/* Make up descriptors from what @seed says. */
static void describe(struct vhu_fd_info *fd, unsigned fds, uint32_t seed)
{
	for (unsigned i = 0; i < fds; i++, seed = seed * 1103515245 + 12345)
		fd[i] = (struct vhu_fd_info){
		    .kind = seed % (VHU_FD_KINDS + 1),
		    .has = seed >> 3 & 0x7f,
		    .size = (uint64_t)(seed >> 10 & 0xf) << 12,
		    .seals = seed >> 14 & 0x1f,
		    .flags = seed >> 19 & 3,
		    .page_size = UINT64_C(1) << (seed >> 21 & 0x3f),
		    .eventfd_id = seed >> 3 & VHU_FD_HAS_EVENTFD ? seed >> 27 & 7 : 0,
		    .name = seed & 1 ? "anon_inode:[\x1btimerfd]" : NULL,
		};
}

bool stream_next(struct fuzz_stream *stream, struct vhu_record *record)
{
	const uint8_t *data = stream->data;
	uint32_t length;

	if (stream->size < HEAD)
		return false;
	length = (uint32_t)(data[2] | (data[3] & 0xf) << 8);
	*record = (struct vhu_record){
	    .type = data[0] >> 1 & 7,
	    .from_back_end = data[0] & 1,
	    .marks = data[0] >> 4 | (data[1] & 0x80 ? VHU_MARK_EARLIER : 0),
	    .channel = data[1] & 3,
	    .session = data[1] >> 4 & (STREAM_SESSIONS - 1),
	    .time_ns = stream->time_ns += UINT64_C(1000) << (data[3] >> 4) * 2,
	    .message = data + HEAD,
	    .text = data[0] & 1 ? "back-end closed" : "front-end closed",
	    .fds = data[1] >> 2 & 3,
	    .fd = stream->fd,
	};
	/* Where there is no session there may be a gap. */
	if (!record->session && record->type == VHU_RECORD_ERROR)
		record->marks |= VHU_MARK_LOST;
	describe(stream->fd, record->fds, length * 2654435761u + (uint32_t)stream->number++);
	length = length < stream->size - HEAD ? length : (uint32_t)(stream->size - HEAD);
	record->message_size = length;
	record->message_sent = length + (data[3] >> 4 & 1);
	stream->data += HEAD + length;
	stream->size -= HEAD + length;
	return true;
}
