/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams: each channel of each session. */
#include "dissector/replay/stream.h"

#include <epan/conversation.h>

/* What is kept of a session. */
struct vhu_stream_session {
	uint64_t id;
	struct {
		conversation_t *conversation; /* NULL: nothing passed on this channel yet */
		uint32_t number;
	} stream[VHU_CHANNELS];
	struct vhu_history *history;
};

static wmem_map_t *sessions;            /* struct vhu_stream_session, by id */
static struct vhu_stream_session *last; /* the one looked up last */
static uint32_t count;

void vhu_stream_begin(void)
{
	sessions = wmem_map_new(wmem_file_scope(), wmem_int64_hash, g_int64_equal);
	last = NULL;
	count = 0;
}

/* Return what is kept of session @id, from now on if it is new. */
static struct vhu_stream_session *session_of(uint64_t id)
{
	if (last && last->id == id)
		return last;
	last = (struct vhu_stream_session *)wmem_map_lookup(sessions, &id);
	if (last)
		return last;
	last = wmem_new0(wmem_file_scope(), struct vhu_stream_session);
	last->id = id;
	wmem_map_insert(sessions, &last->id, last);
	return last;
}

uint32_t vhu_stream_learn(const struct vhu_record *record, uint32_t number,
			  struct vhu_history ***history)
{
	unsigned channel = (unsigned)record->channel < VHU_CHANNELS ? record->channel : 0;
	struct vhu_stream_session *session = session_of(record->session);

	/* A number that is used again is another session's. */
	if (record->type == VHU_RECORD_OPENED && record->channel == VHU_FRONT_END)
		session->history = NULL;
	if (!session->stream[channel].conversation) {
		session->stream[channel].number = count++;
		session->stream[channel].conversation = conversation_new_by_id(
		    number, CONVERSATION_LOG, session->stream[channel].number);
	}
	session->stream[channel].conversation->last_frame = number;
	*history = &session->history;
	return session->stream[channel].number;
}

uint32_t vhu_stream_count(void)
{
	return count;
}

void vhu_stream_set(packet_info *pinfo, uint32_t stream)
{
	conversation_set_elements_by_id(pinfo, CONVERSATION_LOG, stream);
}
