/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The past of the sessions that are open; past.h has its theory of operation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/past_internal.h"

/* Bytes of records of a session that pass before they are looked at, and that there is room for at
 * first. */
#define PAST_PASSED  4096u
#define PAST_FIRST   512u
/* Lists of sessions. */
#define PAST_BUCKETS 1024u

struct vhu_past {
	struct vhu_sessions *sessions;
	struct vhu_past_session *session[PAST_BUCKETS];
	uint64_t number;
	bool only_states; /* keeps no records */
	struct vhu_past_work work;
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	struct vhu_record bare;            /* as it is decoded */
	uint8_t head[VHU_RECORD_HEAD_MAX]; /* as it is encoded, of any other */
};

/* Find session @number, made if @make; NULL where there is none or no memory for it. */
static struct vhu_past_session *past_find(struct vhu_past *past, uint64_t number, bool make)
{
	struct vhu_past_session **list = &past->session[number % PAST_BUCKETS], *session = *list;

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

/* Tell of @session no more: it has closed, or not all that is needed can be kept. */
static void past_give_up(struct vhu_past_session *session)
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
static void past_remove(struct vhu_past *past, struct vhu_past_session *session)
{
	struct vhu_past_session **at = &past->session[session->number % PAST_BUCKETS];

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	past_give_up(session);
	free(session->passed);
	free(session);
}

/* Return whether @record tells what a session is by now, and not only of what happens in it. */
static bool past_tells(const struct vhu_record *record)
{
	return record->type == VHU_RECORD_OPENED || record->type == VHU_RECORD_CLOSED ||
	       (record->type == VHU_RECORD_MESSAGE && !(record->marks & VHU_MARK_PARTIAL));
}

/*
 * Decode what passed in session @number as @passed with its @bytes, as long as which it lasts.
 * @room: for a record, if it is needed.
 * Returns it, until the next is decoded; NULL where it is none.
 */
static struct vhu_record *past_decode(struct vhu_past *past, uint64_t number,
				      const struct vhu_past_passed *passed, const uint8_t *bytes,
				      struct vhu_record *room)
{
	struct vhu_record *record = &past->bare;

	if (!passed->bare) {
		if (vhu_record_decode(room, past->fd, bytes, passed->size, passed->sent))
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

/* Learn from what has passed in @session and was not looked at yet; and where @keeps, add it to
 * what is looked at. Returns whether there was memory for that. */
static bool past_learn(struct vhu_past *past, struct vhu_past_session *session, bool keeps)
{
	struct vhu_past_passed passed;
	struct vhu_record room, *record;
	struct vhu_note note;
	bool whole = true;

	for (size_t at = 0; at < session->used; at += sizeof(passed) + passed.size) {
		uint8_t *bytes = session->passed + at + sizeof(passed);

		memcpy(&passed, session->passed + at, sizeof(passed));
		record = past_decode(past, session->number, &passed, bytes, &room);
		if (!record)
			continue;
		if (vhu_session_feed(past->sessions, record, passed.number, &note))
			whole = false;
		if (keeps && whole && past_tells(record))
			whole = vhu_past_work_add(&past->work, &passed, bytes, &note);
	}
	return whole;
}

/* Look at what has passed in @session and was not looked at yet: learn from it, and keep of it and
 * of what was kept what is needed. */
static void past_settle(struct vhu_past *past, struct vhu_past_session *session)
{
	bool keeps = !past->only_states && !session->given_up;

	if (!session->used)
		return;
	if (keeps && !vhu_past_work_begin(&past->work, session))
		past_give_up(session);
	keeps &= !session->given_up;
	if (!past_learn(past, session, keeps) && keeps)
		past_give_up(session);
	keeps &= !session->given_up;
	if (keeps && !vhu_past_work_keep(&past->work, session,
					 vhu_sessions_state(past->sessions, session->number)))
		past_give_up(session);
	session->used = 0;
	/* After something large. */
	if (session->room > 2 * PAST_PASSED && session->room > session->bytes) {
		free(session->passed);
		session->passed = NULL;
		session->room = 0;
	}
}

/* Make room for @size bytes more that pass in @session. Returns whether there is some. */
static bool past_make_passed(struct vhu_past *past, struct vhu_past_session *session, size_t size)
{
	/* The more is kept the longer it takes to look which of it is needed. */
	const size_t most = session->bytes / 2 > PAST_PASSED ? session->bytes / 2 : PAST_PASSED;
	size_t room;
	uint8_t *more;

	if (session->used + size <= session->room)
		return true;
	if (session->room >= most)
		past_settle(past, session);
	if (session->used + size <= session->room)
		return true;
	room = session->room < most ? 2 * session->room : most;
	if (room < PAST_FIRST)
		room = PAST_FIRST;
	if (room < session->used + size)
		room = session->used + size;
	more = realloc(session->passed, room);
	if (!more)
		return false;
	session->passed = more;
	session->room = room;
	return true;
}

/* Return whether nothing is told of a peer. */
static bool past_is_nobody(const struct vhu_peer *peer)
{
	return !peer->known && (!peer->path || !*peer->path);
}

/* Return whether nothing is told of @record but that it is a message that came as it is, in one
 * piece or in pieces that are not known. */
static bool past_is_bare(const struct vhu_record *record)
{
	return record->type == VHU_RECORD_MESSAGE && (unsigned)record->channel < VHU_CHANNELS &&
	       !record->fds && (!record->text || !*record->text) && record->segments < 2 &&
	       (!record->segments || record->segment[0] == record->message_sent) &&
	       record->message_sent >= record->message_size && past_is_nobody(&record->front_end) &&
	       past_is_nobody(&record->back_end);
}

/* Let @record pass in @session, to be looked at later. Returns whether there was room for it. */
static bool past_pass(struct vhu_past *past, struct vhu_past_session *session,
		      const struct vhu_record *record)
{
	const uint32_t message = record->message_size < VHU_PAST_MESSAGE_MAX ? record->message_size
									     : VHU_PAST_MESSAGE_MAX;
	const bool bare = past_is_bare(record);
	const size_t head = bare ? 0 : vhu_record_encode(record, past->head);
	const struct vhu_past_passed passed = {
	    .number = past->number,
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

	if (!past_make_passed(past, session, sizeof(passed) + passed.size))
		return false;
	to = mempcpy(session->passed + session->used, &passed, sizeof(passed));
	if (head)
		to = mempcpy(to, past->head, head);
	if (message)
		memcpy(to, record->message, message);
	session->used += sizeof(passed) + passed.size;
	return true;
}

void vhu_past_only_states(struct vhu_past *past)
{
	past->only_states = true;
}

void vhu_past_take(struct vhu_past *past, const struct vhu_record *record)
{
	struct vhu_past_session *session;
	struct vhu_note note;

	past->number += record->session != 0;
	/* Other types tell nothing of what a session is. */
	if (!record->session || !(past_tells(record) || record->type == VHU_RECORD_MESSAGE))
		return;
	session = past_find(past, record->session, true);
	if (session && record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END) {
		if (vhu_sessions_state(past->sessions, record->session))
			vhu_session_feed(past->sessions, record, past->number, &note);
		past_remove(past, session);
		return;
	}
	if (session && past_pass(past, session, record))
		return;
	if (session) {
		past_settle(past, session);
		past_give_up(session);
	}
	vhu_session_feed(past->sessions, record, past->number, &note);
}

const struct vhu_state *vhu_past_state(struct vhu_past *past, uint64_t number)
{
	struct vhu_past_session *session = past_find(past, number, false);

	if (session)
		past_settle(past, session);
	return vhu_sessions_state(past->sessions, number);
}

/* A record that is told. */
struct past_told {
	const struct vhu_past_session *session;
	const struct vhu_past_record *record;
};

/* Look at what has passed in all sessions. Returns how many records are told. */
static size_t past_count(struct vhu_past *past)
{
	size_t records = 0;

	for (unsigned i = 0; i < PAST_BUCKETS; i++) {
		for (struct vhu_past_session *at = past->session[i]; at; at = at->next) {
			past_settle(past, at);
			records += at->records;
		}
	}
	return records;
}

/* List the records that are told, in no order. */
static void past_gather(const struct vhu_past *past, struct past_told *told)
{
	for (unsigned i = 0; i < PAST_BUCKETS; i++)
		for (const struct vhu_past_session *at = past->session[i]; at; at = at->next)
			for (unsigned r = 0; r < at->records; r++)
				*told++ = (struct past_told){at, &at->record[r]};
}

/* Compare two of those that are told by their numbers, for qsort(3). */
static int past_compare_told(const void *a, const void *b)
{
	const struct past_told *told[2] = {a, b};
	const uint64_t left = told[0]->record->passed.number;
	const uint64_t right = told[1]->record->passed.number;

	return (left > right) - (left < right);
}

int vhu_past_tell(struct vhu_past *past,
		  int (*tell)(void *context, const struct vhu_record *record, uint64_t number),
		  void *context)
{
	const size_t records = past_count(past);
	struct vhu_record room, *record;
	struct past_told *told;
	int error = 0;

	if (!records)
		return 0;
	told = calloc(records, sizeof(*told));
	if (!told)
		return -ENOMEM;
	past_gather(past, told);
	qsort(told, records, sizeof(*told), past_compare_told);
	for (size_t i = 0; i < records && !error; i++) {
		const struct vhu_past_record *kept = told[i].record;

		record =
		    past_decode(past, told[i].session->number, &kept->passed, kept->bytes, &room);
		if (!record) {
			error = -EBADMSG;
			break;
		}
		record->marks |= VHU_MARK_EARLIER;
		error = tell(context, record, kept->passed.number);
	}
	free(told);
	return error;
}

struct vhu_past *vhu_past_new(void)
{
	struct vhu_past *past = calloc(1, sizeof(*past));

	if (!past)
		return NULL;
	past->bare = (struct vhu_record){
	    .type = VHU_RECORD_MESSAGE,
	    .fd = past->fd,
	    .text = "",
	    .front_end = {.comm = "", .path = ""},
	    .back_end = {.comm = "", .path = ""},
	    .vring = {.act = VHU_ACTS, .comm = ""},
	};
	past->sessions = vhu_sessions_new(false);
	if (past->sessions) {
		vhu_sessions_only_learn(past->sessions);
		return past;
	}
	free(past);
	return NULL;
}

void vhu_past_free(struct vhu_past *past)
{
	if (!past)
		return;
	for (unsigned i = 0; i < PAST_BUCKETS; i++)
		while (past->session[i])
			past_remove(past, past->session[i]);
	free(past->work.record);
	vhu_sessions_free(past->sessions);
	free(past);
}
