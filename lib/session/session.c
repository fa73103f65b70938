/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a conversation means.
 *
 * A session is known from its first record to the one that closes it. Each of its channels keeps
 * the requests that are still to be answered, oldest first; a reply answers the oldest one of its
 * id. From some messages the session learns what later ones depend on: features, dialect, device.
 *
 * Both lists are bounded, so that no capture makes them grow without end: what is forgotten first
 * is the session touched longest ago and the oldest request.
 */
#include "lib/session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/walk.h"
#include "lib/session/device.h"

#define BUCKETS 1024
#define SESSIONS_MAX 16384
#define PENDING_MAX 32

struct pending {
	uint64_t number, time_ns;
	uint32_t request, size;
};

struct channel {
	struct pending *pending; /* oldest first */
	unsigned count, room;
};

struct session {
	struct session *next; /* in its bucket, last used first */
	uint64_t id;
	struct vhu_context context;
	bool dialect_is_sure;	/* told by a message that no other dialect has */
	uint64_t offered;	/* virtio features */
	uint64_t offered_protocol;
	uint32_t config_size; /* as asked for from offset 0 */
	struct channel channel[VHU_CHANNELS];
};

/* What is kept of a session after it closed. */
struct memory {
	uint64_t id;
	enum vhu_dialect dialect;
	uint32_t device;
};

struct vhu_sessions {
	struct session *bucket[BUCKETS];
	unsigned count;
	bool remember;
	enum vhu_dialect dialect; /* forced */
	uint32_t device;	  /* forced */
	struct memory *memory;	  /* in growing order of ids */
	size_t memories, memory_room;
};

struct vhu_sessions *vhu_sessions_new(bool remember)
{
	struct vhu_sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions)
		sessions->remember = remember;
	return sessions;
}

/* Free a session. */
static void session_free(struct session *session)
{
	for (unsigned c = 0; c < VHU_CHANNELS; c++)
		free(session->channel[c].pending);
	free(session);
}

/* Free all sessions that are open. */
static void forget_open(struct vhu_sessions *sessions)
{
	for (unsigned b = 0; b < BUCKETS; b++) {
		while (sessions->bucket[b]) {
			struct session *session = sessions->bucket[b];

			sessions->bucket[b] = session->next;
			session_free(session);
		}
	}
	sessions->count = 0;
}

void vhu_sessions_free(struct vhu_sessions *sessions)
{
	if (!sessions)
		return;
	forget_open(sessions);
	free(sessions->memory);
	free(sessions);
}

void vhu_sessions_rewind(struct vhu_sessions *sessions)
{
	forget_open(sessions);
}

void vhu_sessions_force_dialect(struct vhu_sessions *sessions, enum vhu_dialect dialect)
{
	sessions->dialect = dialect;
}

void vhu_sessions_force_device(struct vhu_sessions *sessions, uint32_t device)
{
	sessions->device = device;
}

/* Return where a session's memory is or would have to be. */
static size_t memory_place(const struct vhu_sessions *sessions, uint64_t id)
{
	size_t from = 0, to = sessions->memories;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (sessions->memory[middle].id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Return what is remembered of a session, or NULL. */
static const struct memory *memory_find(const struct vhu_sessions *sessions, uint64_t id)
{
	size_t at = memory_place(sessions, id);

	return at < sessions->memories && sessions->memory[at].id == id ? &sessions->memory[at]
									 : NULL;
}

enum vhu_dialect vhu_sessions_dialect(const struct vhu_sessions *sessions, uint64_t session)
{
	const struct memory *memory = memory_find(sessions, session);

	if (sessions->dialect != VHU_ANY)
		return sessions->dialect;
	return memory ? memory->dialect : VHU_ANY;
}

uint32_t vhu_sessions_device(const struct vhu_sessions *sessions, uint64_t session)
{
	const struct memory *memory = memory_find(sessions, session);

	if (sessions->device)
		return sessions->device;
	return memory ? memory->device : 0;
}

/* Remember what a session's context says of its dialect and device. Returns 0 or -ENOMEM. */
static int memory_keep(struct vhu_sessions *sessions, const struct session *session)
{
	size_t at = memory_place(sessions, session->id);

	if (!sessions->remember)
		return 0;
	if (at == sessions->memories || sessions->memory[at].id != session->id) {
		if (sessions->memories == sessions->memory_room) {
			size_t room = sessions->memory_room ? 2 * sessions->memory_room : 16;
			struct memory *more =
				reallocarray(sessions->memory, room, sizeof(*more));

			if (!more)
				return -ENOMEM;
			sessions->memory = more;
			sessions->memory_room = room;
		}
		memmove(&sessions->memory[at + 1], &sessions->memory[at],
			(sessions->memories++ - at) * sizeof(*sessions->memory));
	}
	sessions->memory[at] = (struct memory){
		session->id,
		session->context.dialect,
		session->context.device,
	};
	return 0;
}

/* Drop a session, the one touched longest ago of the first bucket from @from on that has any. */
static void drop_one(struct vhu_sessions *sessions, unsigned from)
{
	struct session **at = NULL;

	for (unsigned b = 0; b < BUCKETS && !at; b++)
		if (sessions->bucket[(from + b) % BUCKETS])
			at = &sessions->bucket[(from + b) % BUCKETS];
	while (at && (*at)->next)
		at = &(*at)->next;
	if (!at)
		return;
	session_free(*at);
	*at = NULL;
	sessions->count--;
}

/* Return a session, made if it is new; NULL out of memory. */
static struct session *session_get(struct vhu_sessions *sessions, uint64_t id)
{
	unsigned b = (unsigned)(id % BUCKETS);
	struct session **at = &sessions->bucket[b], *session;
	const struct memory *memory;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	session = *at;
	if (session) {
		*at = session->next;
	} else {
		if (sessions->count == SESSIONS_MAX)
			drop_one(sessions, b);
		session = calloc(1, sizeof(*session));
		if (!session)
			return NULL;
		sessions->count++;
		session->id = id;
		memory = memory_find(sessions, id);
		session->context.dialect = memory ? memory->dialect : VHU_ANY;
		session->context.device = memory ? memory->device : 0;
		session->dialect_is_sure = session->context.dialect != VHU_ANY;
		if (sessions->dialect != VHU_ANY) {
			session->context.dialect = sessions->dialect;
			session->dialect_is_sure = true;
		}
		if (sessions->device)
			session->context.device = sessions->device;
	}
	session->next = sessions->bucket[b];
	sessions->bucket[b] = session;
	return session;
}

/* Forget a session that closed. */
static void session_close(struct vhu_sessions *sessions, uint64_t id)
{
	struct session **at = &sessions->bucket[id % BUCKETS], *session;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	session = *at;
	if (!session)
		return;
	*at = session->next;
	session_free(session);
	sessions->count--;
}

/* Remember a request that will be answered. Returns 0 or -ENOMEM. */
static int pending_add(struct channel *channel, struct pending pending)
{
	if (channel->count == PENDING_MAX)
		memmove(channel->pending, channel->pending + 1,
			--channel->count * sizeof(*channel->pending));
	if (channel->count == channel->room) {
		unsigned room = channel->room ? 2 * channel->room : 4;
		struct pending *more = reallocarray(channel->pending, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		channel->pending = more;
		channel->room = room;
	}
	channel->pending[channel->count++] = pending;
	return 0;
}

/* Take the oldest request of id @request out of those to be answered. Returns whether there was
 * one, which *@pending then is. */
static bool pending_take(struct channel *channel, uint32_t request, struct pending *pending)
{
	for (unsigned i = 0; i < channel->count; i++) {
		if (channel->pending[i].request != request)
			continue;
		*pending = channel->pending[i];
		memmove(&channel->pending[i], &channel->pending[i + 1],
			(--channel->count - i) * sizeof(*pending));
		return true;
	}
	return false;
}

/* Return whether one of a set's layouts has just this size. */
static bool shapes_have_size(enum vhu_shapes_id id, uint32_t size)
{
	const struct vhu_shapes *shapes = &vhu_shapes[id];

	for (unsigned i = 0; i < shapes->shapes; i++)
		if (vhu_layouts[shapes->shape[i].layout].size == size)
			return true;
	return false;
}

/*
 * Return whether a message's sizes are those of @row.
 * @request, @reply: payload sizes; -1 not known.
 * A row that answers in the layouts of its request sends the one that it got.
 */
static bool row_has_sizes(const struct vhu_message *row, int64_t request, int64_t reply)
{
	if (request >= 0 && !shapes_have_size(row->shape[0], (uint32_t)request))
		return false;
	if (reply >= 0 && !shapes_have_size(row->shape[1], (uint32_t)reply))
		return false;
	return request < 0 || reply < 0 || row->shape[0] != row->shape[1] || request == reply;
}

/*
 * Find out which message an id is: the row of the session's dialect or, where that is not @sure,
 * those whose sizes agree.
 * @request, @reply: payload sizes; -1 not known.
 * Fills in note->message and note->or_message. Returns how many rows agree.
 */
static unsigned identify(struct vhu_note *note, enum vhu_channel channel, bool sure,
			 int64_t request, int64_t reply)
{
	const struct vhu_message *row[VHU_DIALECTS];
	enum vhu_dialect dialect = note->context.dialect;
	unsigned rows = vhu_message_find(channel, note->header.request, sure ? dialect : VHU_ANY,
					 row);
	unsigned agree = 0;

	note->message = rows ? row[0] : NULL;
	note->or_message = NULL;
	if (rows < 2)
		return rows;
	for (unsigned i = 0; i < rows; i++)
		if (row_has_sizes(row[i], request, reply))
			row[agree++] = row[i];
	if (agree == 0)
		return 0;
	for (unsigned i = 0; i < agree; i++) {
		if (row[i]->dialect == dialect) {
			note->message = row[i];
			return agree;
		}
	}
	/* Rows come with the merged specification first; where a proposal's agrees too, that the
	 * merged message was sent without its payload is the least likely. */
	note->message = row[agree > 2 ? agree - 2 : 0];
	note->or_message = agree > 1 ? row[agree - 1] : NULL;
	return agree;
}

/* Return whether a message is answered in postcopy by the addresses that the back-end chose. */
static bool is_answered_in_postcopy(const struct vhu_note *note)
{
	const struct vhu_shapes *shapes = &vhu_shapes[note->message->shape[0]];

	/* The layout that there is for postcopy alone is what ends the exchange. */
	return note->context.postcopy && shapes->shape[0].when == VHU_IF_POSTCOPY &&
	       note->layout != &vhu_layouts[shapes->shape[0].layout];
}

/* Return whether a request will be answered, as far as is known. */
static bool is_answered(const struct vhu_note *note)
{
	const struct vhu_message *message = note->message;
	const struct vhu_context *context = &note->context;
	bool ack = (note->header.flags & VHU_FLAG_NEED_REPLY) &&
		   (!context->has_protocol_features ||
		    (context->protocol_features >> VHU_PF_REPLY_ACK & 1));

	if (!message)
		return ack;
	switch (message->reply_rule) {
	case VHU_REPLY_ALWAYS:
		return true;
	case VHU_REPLY_FEATURE:
		return ack || (context->protocol_features >> message->reply_feature & 1);
	case VHU_REPLY_ACK:
		return ack || is_answered_in_postcopy(note);
	case VHU_REPLY_NEVER:
		break;
	}
	return false;
}

/* Take a dialect as the session's, unless a surer sign told another. */
static void learn_dialect(struct session *session, enum vhu_dialect dialect, bool sure)
{
	if (dialect == VHU_ANY || session->dialect_is_sure)
		return;
	session->context.dialect = dialect;
	session->dialect_is_sure = sure;
}

/* Learn from the protocol features that were negotiated: the proposals are older than the bits
 * above theirs, and STANDALONE wants STATUS. */
static void learn_protocol_features(struct session *session, uint64_t features)
{
	const uint64_t status = UINT64_C(1) << VHU_PF_STATUS;

	session->context.protocol_features = features;
	session->context.has_protocol_features = true;
	if (features >> VHU_PF_DEVICE_STATE ||
	    ((features >> VHU_PF_SHARED_OBJECT & 1) && !(session->offered_protocol & status)))
		learn_dialect(session, VHU_UPSTREAM, false);
}

/* Learn which device it is. @said: the back-end said so itself. */
static void learn_device(const struct vhu_sessions *sessions, struct session *session, uint32_t said)
{
	uint32_t guess;

	if (sessions->device)
		return;
	guess = said ? said : vhu_device_guess(session->offered, session->config_size);
	if (guess)
		session->context.device = guess;
}

/* Learn what later messages depend on. */
static void learn(const struct vhu_sessions *sessions, struct session *session,
		  const struct vhu_note *note)
{
	uint64_t value = 0;

	if (!note->message)
		return;
	if (note->layout && note->layout->fields)
		vhu_field_read(&note->payload, note->layout->first, 0, &value);
	switch ((int)note->message->id << 1 | note->reply) {
	case VHU_MSG_GET_FEATURES << 1 | 1:
		session->offered = value;
		learn_device(sessions, session, 0);
		break;
	case VHU_MSG_SET_FEATURES << 1:
		session->context.features = value;
		session->context.has_features = true;
		break;
	case VHU_MSG_GET_PROTOCOL_FEATURES << 1 | 1:
		session->offered_protocol = value;
		break;
	case VHU_MSG_SET_PROTOCOL_FEATURES << 1:
		learn_protocol_features(session, value);
		break;
	case VHU_MSG_POSTCOPY_LISTEN << 1:
		session->context.postcopy = true;
		break;
	case VHU_MSG_POSTCOPY_END << 1 | 1:
		session->context.postcopy = false;
		break;
	case VHU_MSG_GET_CONFIG << 1:
		if (value || !vhu_field_read(&note->payload, VHU_FIELD_config_size, 0, &value))
			break; /* a part of it alone */
		session->config_size = (uint32_t)value;
		learn_device(sessions, session, 0);
		break;
	case VHU_MSG_GET_BACKEND_SPECS << 1 | 1:
	case VHU_MSG_GET_DEVICE_ID << 1 | 1:
		if (!note->or_message)
			learn_device(sessions, session, (uint32_t)value);
		break;
	}
}

/* Fill in a note's header and payload. */
static void take_apart(struct vhu_note *note, const struct vhu_record *record)
{
	uint64_t sent = record->message_sent > record->message_size ? record->message_sent
								    : record->message_size;

	if (record->message_size < VHU_HEADER_SIZE)
		return;
	note->has_header = true;
	note->header = vhu_header_read(record->message, record->marks & VHU_MARK_BIG_ENDIAN);
	sent -= VHU_HEADER_SIZE;
	note->payload = (struct vhu_payload){
		.bytes = record->message + VHU_HEADER_SIZE,
		.captured = record->message_size - VHU_HEADER_SIZE,
		.size = sent < UINT32_MAX ? (uint32_t)sent : UINT32_MAX,
		.big_endian = record->marks & VHU_MARK_BIG_ENDIAN,
	};
	/* Requests go one way on each channel, so the direction tells, whatever the flag says. */
	note->reply = record->from_back_end == (record->channel == VHU_FRONT_END);
}

/* Choose the layout of a message that was identified. */
static void lay_out(struct vhu_note *note)
{
	if (note->message && (!note->or_message || note->payload.size == 0))
		note->layout = vhu_message_layout(note->message, note->reply, &note->context,
						  &note->payload);
}

void vhu_note_again(struct vhu_note *note, const struct vhu_record *record,
		    const struct vhu_context *context)
{
	uint64_t number = note->request_number, delay = note->delay_ns;

	*note = (struct vhu_note){
		.context = *context,
		.request_number = number,
		.delay_ns = delay,
	};
	if (record->type != VHU_RECORD_MESSAGE || (unsigned)record->channel >= VHU_CHANNELS)
		return;
	take_apart(note, record);
	if (!note->has_header)
		return;
	identify(note, record->channel, context->dialect != VHU_ANY,
		 note->reply ? -1 : (int64_t)note->payload.size,
		 note->reply ? (int64_t)note->payload.size : -1);
	lay_out(note);
}

/* Feed a message. Returns 0 or -ENOMEM. */
static int feed_message(struct vhu_sessions *sessions, struct session *session,
			const struct vhu_record *record, uint64_t number, struct vhu_note *note)
{
	struct channel *channel = &session->channel[record->channel];
	const struct vhu_context before = session->context;
	struct pending pending = {.size = 0};
	bool answers;
	unsigned agree;
	int error = 0;

	take_apart(note, record);
	if (!note->has_header)
		return 0;
	answers = note->reply && pending_take(channel, note->header.request, &pending);
	if (answers) {
		note->request_number = pending.number;
		note->delay_ns = record->time_ns > pending.time_ns
					 ? record->time_ns - pending.time_ns
					 : 0;
	}
	if (note->reply)
		agree = identify(note, record->channel, session->dialect_is_sure,
				 answers ? (int64_t)pending.size : -1, note->payload.size);
	else
		agree = identify(note, record->channel, session->dialect_is_sure,
				 note->payload.size, -1);
	/* A message of one dialect alone tells the session's; one cut short tells nothing. */
	if (agree == 1 && !(record->marks & VHU_MARK_PARTIAL)) {
		learn_dialect(session, note->message->dialect, true);
		note->context.dialect = session->context.dialect;
	}
	lay_out(note);
	if (!note->reply && is_answered(note))
		error = pending_add(channel, (struct pending){
						     .number = number,
						     .time_ns = record->time_ns,
						     .request = note->header.request,
						     .size = note->payload.size,
					     });
	learn(sessions, session, note);
	if (session->context.dialect != before.dialect || session->context.device != before.device)
		error = memory_keep(sessions, session) ? -ENOMEM : error;
	return error;
}

int vhu_session_feed(struct vhu_sessions *sessions, const struct vhu_record *record,
		     uint64_t number, struct vhu_note *note)
{
	struct session *session = session_get(sessions, record->session);

	memset(note, 0, sizeof(*note));
	if (!session)
		return -ENOMEM;
	note->context = session->context;
	if (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END)
		session_close(sessions, record->session);
	if (record->type != VHU_RECORD_MESSAGE || (unsigned)record->channel >= VHU_CHANNELS)
		return 0;
	return feed_message(sessions, session, record, number, note);
}
