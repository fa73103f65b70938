/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records that a new file repeats; prologue.h has the theory of operation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/recording/prologue_internal.h"

/* Bytes of a session's records that are set aside before they are looked at, and the room for them
 * at first. */
#define PROLOGUE_PASSED  4096u
#define PROLOGUE_FIRST   512u
/* Lists of sessions. */
#define PROLOGUE_BUCKETS 1024u

struct vhu_prologue {
	struct vhu_sessions *sessions;
	struct vhu_prologue_session *session[PROLOGUE_BUCKETS];
	uint64_t number;
	bool only_states;                                                /* keeps no records */
	void (*found)(void *context, const struct vhu_finding *finding); /* NULL: not checked */
	void *context;
	struct vhu_prologue_work work;
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	struct vhu_record bare;            /* as it is decoded */
	uint8_t head[VHU_RECORD_HEAD_MAX]; /* as it is encoded, of any other */
};

/* Return session @number, made if @make; NULL if it does not exist or out of memory. */
static struct vhu_prologue_session *prologue_find(struct vhu_prologue *prologue, uint64_t number,
						  bool make)
{
	struct vhu_prologue_session **list = &prologue->session[number % PROLOGUE_BUCKETS],
				    *session = *list;

	while (session && session->number != number)
		session = session->next;
	if (session || !make)
		return session;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->number = number;
	session->next = *list;
	*list = session;
	return session;
}

/* Leave out @session: it has closed, or not all that it needs can be kept. */
static void prologue_give_up(struct vhu_prologue_session *session)
{
	for (unsigned i = 0; i < session->records; i++)
		free(session->record[i].bytes);
	free(session->record);
	session->record = NULL;
	session->records = session->record_room = 0;
	session->bytes = 0;
	session->given_up = true;
}

/* Forget @session, which has closed. */
static void prologue_remove(struct vhu_prologue *prologue, struct vhu_prologue_session *session)
{
	struct vhu_prologue_session **at = &prologue->session[session->number % PROLOGUE_BUCKETS];

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	prologue_give_up(session);
	free(session->passed);
	free(session);
}

/* Return whether @record can tell a fact, and is not only an event. */
static bool prologue_tells(const struct vhu_record *record)
{
	return record->type == VHU_RECORD_OPENED || record->type == VHU_RECORD_CLOSED ||
	       (record->type == VHU_RECORD_MESSAGE && !(record->marks & VHU_MARK_PARTIAL));
}

/*
 * Decode a record of session @number from @passed and its @bytes, which it points into.
 * @room: for a record, if it is needed.
 * Returns the record, valid until the next is decoded; NULL if the bytes are none.
 */
static struct vhu_record *prologue_decode(struct vhu_prologue *prologue, uint64_t number,
					  const struct vhu_prologue_passed *passed,
					  const uint8_t *bytes, struct vhu_record *room)
{
	struct vhu_record *record = &prologue->bare;

	if (!passed->bare) {
		if (vhu_record_decode(room, prologue->fd, bytes, passed->size, passed->sent))
			return NULL;
		room->time_ns = passed->time_ns;
		return room;
	}
	record->session = number;
	record->time_ns = passed->time_ns;
	record->channel = passed->channel;
	record->from_back_end = passed->from_back_end;
	record->marks = passed->marks;
	record->message = bytes;
	record->message_size = passed->size;
	record->message_sent = passed->sent;
	record->segments = passed->in_one;
	record->segment[0] = (uint32_t)passed->sent;
	return record;
}

/* Learn from @record, and tell what it breaks. Returns as vhu_session_feed does. */
static int prologue_feed(struct vhu_prologue *prologue, const struct vhu_record *record,
			 uint64_t number, struct vhu_annotation *note)
{
	int error = vhu_session_feed(prologue->sessions, record, number, note);

	for (unsigned i = 0; prologue->found && i < note->findings; i++)
		prologue->found(prologue->context, &note->finding[i]);
	return error;
}

/* Learn from the records of @session that are set aside; if @keeps, add them to those that are
 * looked at. Returns whether there was enough memory. */
static bool prologue_learn(struct vhu_prologue *prologue, struct vhu_prologue_session *session,
			   bool keeps)
{
	struct vhu_prologue_passed passed;
	struct vhu_record room, *record;
	struct vhu_annotation note;
	bool whole = true;

	for (size_t at = 0; at < session->used; at += sizeof(passed) + passed.size) {
		uint8_t *bytes = session->passed + at + sizeof(passed);

		memcpy(&passed, session->passed + at, sizeof(passed));
		record = prologue_decode(prologue, session->number, &passed, bytes, &room);
		if (!record)
			continue;
		if (prologue_feed(prologue, record, passed.number, &note))
			whole = false;
		if (keeps && whole && prologue_tells(record))
			whole = vhu_prologue_work_add(&prologue->work, &passed, bytes, &note);
	}
	return whole;
}

/* Look at the records of @session that are set aside: learn from them, and keep those of them and
 * of the ones already kept that are needed. */
static void prologue_settle(struct vhu_prologue *prologue, struct vhu_prologue_session *session)
{
	bool keeps = !prologue->only_states && !session->given_up;

	if (!session->used)
		return;
	if (keeps && !vhu_prologue_work_begin(&prologue->work, session))
		prologue_give_up(session);
	keeps &= !session->given_up;
	if (!prologue_learn(prologue, session, keeps) && keeps)
		prologue_give_up(session);
	keeps &= !session->given_up;
	if (keeps &&
	    !vhu_prologue_work_keep(&prologue->work, session,
				    vhu_sessions_state(prologue->sessions, session->number)))
		prologue_give_up(session);
	session->used = 0;
	/* After something large. */
	if (session->room > 2 * PROLOGUE_PASSED && session->room > session->bytes) {
		free(session->passed);
		session->passed = NULL;
		session->room = 0;
	}
}

/* Make room to set aside @size more bytes of @session. Returns whether there is room. */
static bool prologue_make_passed(struct vhu_prologue *prologue,
				 struct vhu_prologue_session *session, size_t size)
{
	/* The more is kept, the longer it takes to find which of it is needed. */
	const size_t most =
	    session->bytes / 2 > PROLOGUE_PASSED ? session->bytes / 2 : PROLOGUE_PASSED;
	size_t room;
	uint8_t *more;

	if (session->used + size <= session->room)
		return true;
	if (session->room >= most)
		prologue_settle(prologue, session);
	if (session->used + size <= session->room)
		return true;
	room = session->room < most ? 2 * session->room : most;
	if (room < PROLOGUE_FIRST)
		room = PROLOGUE_FIRST;
	if (room < session->used + size)
		room = session->used + size;
	more = realloc(session->passed, room);
	if (!more)
		return false;
	session->passed = more;
	session->room = room;
	return true;
}

/* Return whether a peer is unknown. */
static bool prologue_is_nobody(const struct vhu_peer *peer)
{
	return !peer->known && (!peer->path || !*peer->path);
}

/* Return whether @record is a message and has nothing else: no descriptors, text, peers or pieces.
 */
static bool prologue_is_bare(const struct vhu_record *record)
{
	return record->type == VHU_RECORD_MESSAGE && (unsigned)record->channel < VHU_CHANNELS &&
	       !record->fds && (!record->text || !*record->text) && record->segments < 2 &&
	       (!record->segments || record->segment[0] == record->message_sent) &&
	       record->message_sent >= record->message_size &&
	       prologue_is_nobody(&record->front_end) && prologue_is_nobody(&record->back_end);
}

/* Set @record of @session aside. Returns whether there was room. */
static bool prologue_pass(struct vhu_prologue *prologue, struct vhu_prologue_session *session,
			  const struct vhu_record *record)
{
	const uint32_t message = record->message_size < VHU_PROLOGUE_MESSAGE_MAX
				     ? record->message_size
				     : VHU_PROLOGUE_MESSAGE_MAX;
	const bool bare = prologue_is_bare(record);
	const size_t head = bare ? 0 : vhu_record_encode(record, prologue->head);
	const struct vhu_prologue_passed passed = {
	    .number = prologue->number,
	    .time_ns = record->time_ns,
	    .sent = head + (record->message_sent > message ? record->message_sent : message),
	    .size = (uint32_t)(head + message),
	    .marks = record->marks,
	    .channel = (uint8_t)record->channel,
	    .from_back_end = record->from_back_end,
	    .bare = bare,
	    .in_one = record->segments,
	};
	uint8_t *to;

	if (!prologue_make_passed(prologue, session, sizeof(passed) + passed.size))
		return false;
	to = mempcpy(session->passed + session->used, &passed, sizeof(passed));
	if (head)
		to = mempcpy(to, prologue->head, head);
	if (message)
		memcpy(to, record->message, message);
	session->used += sizeof(passed) + passed.size;
	return true;
}

void vhu_prologue_only_states(struct vhu_prologue *prologue)
{
	prologue->only_states = true;
}

void vhu_prologue_check(struct vhu_prologue *prologue,
			void (*found)(void *context, const struct vhu_finding *finding),
			void *context)
{
	prologue->found = found;
	prologue->context = context;
	vhu_sessions_learn_alone(prologue->sessions);
}

void vhu_prologue_take(struct vhu_prologue *prologue, const struct vhu_record *record)
{
	struct vhu_prologue_session *session;
	struct vhu_annotation note;

	prologue->number += record->session != 0;
	/* Records of other types tell no fact. */
	if (!record->session || !(prologue_tells(record) || record->type == VHU_RECORD_MESSAGE))
		return;
	session = prologue_find(prologue, record->session, true);
	if (session && record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END) {
		/* Without rules what was set aside is not needed. */
		if (prologue->found)
			prologue_settle(prologue, session);
		if (vhu_sessions_state(prologue->sessions, record->session))
			prologue_feed(prologue, record, prologue->number, &note);
		prologue_remove(prologue, session);
		return;
	}
	if (session && prologue_pass(prologue, session, record))
		return;
	if (session) {
		prologue_settle(prologue, session);
		prologue_give_up(session);
	}
	prologue_feed(prologue, record, prologue->number, &note);
}

const struct vhu_state *vhu_prologue_state(struct vhu_prologue *prologue, uint64_t number)
{
	struct vhu_prologue_session *session = prologue_find(prologue, number, false);

	if (session)
		prologue_settle(prologue, session);
	return vhu_sessions_state(prologue->sessions, number);
}

/* A record that is given to the caller. */
struct prologue_told {
	const struct vhu_prologue_session *session;
	const struct vhu_prologue_record *record;
};

/* Look at what is set aside in all sessions. Returns how many records are kept. */
static size_t prologue_count(struct vhu_prologue *prologue)
{
	size_t records = 0;

	for (unsigned i = 0; i < PROLOGUE_BUCKETS; i++) {
		for (struct vhu_prologue_session *at = prologue->session[i]; at; at = at->next) {
			prologue_settle(prologue, at);
			records += at->records;
		}
	}
	return records;
}

/* List the records that are kept, in no order. */
static void prologue_gather(const struct vhu_prologue *prologue, struct prologue_told *told)
{
	for (unsigned i = 0; i < PROLOGUE_BUCKETS; i++)
		for (const struct vhu_prologue_session *at = prologue->session[i]; at;
		     at = at->next)
			for (unsigned r = 0; r < at->records; r++)
				*told++ = (struct prologue_told){at, &at->record[r]};
}

/* Compare two kept records by their numbers, for qsort(3). */
static int prologue_compare_told(const void *a, const void *b)
{
	const struct prologue_told *told[2] = {a, b};
	const uint64_t left = told[0]->record->passed.number;
	const uint64_t right = told[1]->record->passed.number;

	return (left > right) - (left < right);
}

int vhu_prologue_tell(struct vhu_prologue *prologue,
		      int (*tell)(void *context, const struct vhu_record *record, uint64_t number),
		      void *context)
{
	const size_t records = prologue_count(prologue);
	struct vhu_record room, *record;
	struct prologue_told *told;
	int error = 0;

	if (!records)
		return 0;
	told = calloc(records, sizeof(*told));
	if (!told)
		return -ENOMEM;
	prologue_gather(prologue, told);
	qsort(told, records, sizeof(*told), prologue_compare_told);
	for (size_t i = 0; i < records && !error; i++) {
		const struct vhu_prologue_record *kept = told[i].record;

		record = prologue_decode(prologue, told[i].session->number, &kept->passed,
					 kept->bytes, &room);
		if (!record) {
			error = -EBADMSG;
			break;
		}
		record->marks |= VHU_MARK_EARLIER;
		if (kept->translates && !kept->in_force)
			record->marks |= VHU_MARK_ENDED;
		error = tell(context, record, kept->passed.number);
	}
	free(told);
	return error;
}

struct vhu_prologue *vhu_prologue_new(void)
{
	struct vhu_prologue *prologue = calloc(1, sizeof(*prologue));

	if (!prologue)
		return NULL;
	prologue->bare = (struct vhu_record){
	    .type = VHU_RECORD_MESSAGE,
	    .fd = prologue->fd,
	    .text = "",
	    .front_end = {.comm = "", .path = ""},
	    .back_end = {.comm = "", .path = ""},
	    .vring = {.act = VHU_ACTS, .comm = ""},
	};
	prologue->sessions = vhu_sessions_new(false);
	if (prologue->sessions) {
		vhu_sessions_only_learn(prologue->sessions);
		return prologue;
	}
	free(prologue);
	return NULL;
}

void vhu_prologue_free(struct vhu_prologue *prologue)
{
	if (!prologue)
		return;
	for (unsigned i = 0; i < PROLOGUE_BUCKETS; i++)
		while (prologue->session[i])
			prologue_remove(prologue, prologue->session[i]);
	free(prologue->work.record);
	vhu_sessions_free(prologue->sessions);
	free(prologue);
}
