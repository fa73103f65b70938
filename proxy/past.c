/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The past of the sessions that are open; past.h has its theory of operation. */
#include "proxy/past.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of records that pass before they are looked at. */
#define PAST_PASSED 32768
/* The same, and one that is as large as any. */
#define PAST_ROOM   (PAST_PASSED + VHU_RECORD_HEAD_MAX + VHU_PAST_MESSAGE_MAX + 64)

/* Records of a session that are kept before it is looked which of them are needed. */
#define PAST_FEW 32

/* A record as it is kept. */
struct past_record {
	uint64_t number;  /* in order of all */
	uint64_t partner; /* of a request its answer's, of an answer its request's; 0 none */
	uint64_t offer;	  /* what it takes features of; 0 none */
	uint64_t read_by[VHU_READ_BY]; /* what else its meaning hangs on */
	uint64_t time_ns;
	uint64_t sent;  /* bytes with all of the message */
	uint32_t size;  /* bytes with what is kept of it */
	bool needed;    /* while it is looked */
	uint8_t *bytes; /* the record as it is encoded, then the message */
};

/* A session that is open. */
struct past_session {
	uint64_t number;
	struct past_record *record; /* in growing order */
	unsigned records, room;
	unsigned look_at; /* how many there may be before it is looked which are needed */
	size_t bytes;
	bool given_up;
};

/* A record that has passed and was not looked at yet; its bytes follow. */
struct past_passed {
	uint64_t time_ns, sent;
	uint32_t size;
};

struct vhu_past {
	struct vhu_sessions *sessions;
	void *tree; /* of struct past_session, as tsearch(3) makes it */
	uint64_t number;
	bool only_states; /* keeps no records */
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	size_t passed; /* bytes of those that were not looked at yet */
	uint8_t room[PAST_ROOM];
};

/* Compare two sessions by their numbers, for tsearch(3). */
static int past_compare(const void *a, const void *b)
{
	const struct past_session *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

/* Find session @number, made if @make; NULL where there is none or no memory for it. */
static struct past_session *past_find(struct vhu_past *past, uint64_t number, bool make)
{
	struct past_session wanted = {.number = number}, *session;
	struct past_session **node = tfind(&wanted, &past->tree, past_compare);

	if (node || !make)
		return node ? *node : NULL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->number = number;
	session->look_at = PAST_FEW;
	if (!tsearch(session, &past->tree, past_compare)) {
		free(session);
		return NULL;
	}
	return session;
}

/* Let go of the records of @session. */
static void past_empty(struct past_session *session)
{
	for (unsigned i = 0; i < session->records; i++)
		free(session->record[i].bytes);
	free(session->record);
	session->record = NULL;
	session->records = session->room = 0;
	session->bytes = 0;
}

/* Tell of @session no more: not all that is needed can be kept. */
static void past_give_up(struct past_session *session)
{
	past_empty(session);
	session->given_up = true;
}

/* Free a session, for tdestroy(3). */
static void past_session_free(void *session)
{
	past_empty(session);
	free(session);
}

/* Forget @session, which has closed. */
static void past_remove(struct vhu_past *past, struct past_session *session)
{
	tdelete(session, &past->tree, past_compare);
	past_session_free(session);
}

/* Compare two records by their numbers, for bsearch(3). */
static int past_compare_numbers(const void *a, const void *b)
{
	const struct past_record *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

/* Return record @number of @session; NULL where it is not kept. */
static struct past_record *past_record(const struct past_session *session, uint64_t number)
{
	const struct past_record wanted = {.number = number};

	if (!number || !session->records)
		return NULL;
	return bsearch(&wanted, session->record, session->records, sizeof(wanted),
		       past_compare_numbers);
}

/* Note that record @number is needed, with its other half and with what their meaning hangs on. */
static void past_need(void *context, uint64_t number)
{
	const struct past_session *session = context;
	struct past_record *record = past_record(session, number);

	if (!record || record->needed)
		return;
	record->needed = true;
	past_need(context, record->partner);
	past_need(context, record->offer);
	for (unsigned i = 0; i < VHU_READ_BY; i++)
		past_need(context, record->read_by[i]);
}

/* Let go of those records of @session that its state does not point at. */
static void past_look(struct vhu_past *past, struct past_session *session)
{
	const struct vhu_state *state = vhu_sessions_state(past->sessions, session->number);
	unsigned kept = 0;

	for (unsigned i = 0; i < session->records; i++)
		session->record[i].needed = false;
	if (state)
		vhu_state_origins(state, past_need, session);
	session->bytes = 0;
	for (unsigned i = 0; i < session->records; i++) {
		struct past_record *record = &session->record[i];

		if (!record->needed) {
			free(record->bytes);
			continue;
		}
		session->bytes += sizeof(*record) + record->size;
		session->record[kept++] = *record;
	}
	session->records = kept;
	session->look_at = 2 * kept > PAST_FEW ? 2 * kept : PAST_FEW;
}

/* Make room for one more record of @session. Returns whether there is some. */
static bool past_make_room(struct past_session *session)
{
	unsigned room = session->room ? 2 * session->room : PAST_FEW / 2;
	struct past_record *more;

	if (session->records < session->room)
		return true;
	more = reallocarray(session->record, room, sizeof(*more));
	if (!more)
		return false;
	session->record = more;
	session->room = room;
	return true;
}

/* Keep a record, the latest, of which @note tells. Returns whether there was memory for it. */
static bool past_keep(struct vhu_past *past, struct past_session *session,
		      const struct past_passed *passed, const uint8_t *from,
		      const struct vhu_note *note)
{
	uint8_t *bytes = malloc(passed->size);
	struct past_record *request;

	if (!bytes || !past_make_room(session)) {
		free(bytes);
		return false;
	}
	memcpy(bytes, from, passed->size);
	session->record[session->records++] = (struct past_record){
	    .number = past->number,
	    .partner = note->request_number,
	    .offer = note->offered_by,
	    .read_by = {note->read_by[0], note->read_by[1], note->read_by[2]},
	    .time_ns = passed->time_ns,
	    .sent = passed->sent,
	    .size = passed->size,
	    .bytes = bytes,
	};
	session->bytes += sizeof(*session->record) + passed->size;
	request = past_record(session, note->request_number);
	if (request)
		request->partner = past->number;
	return true;
}

/* Look at a record that has passed: learn from it, and keep it. */
static void past_look_at(struct vhu_past *past, const struct past_passed *passed,
			 const uint8_t *bytes, const struct vhu_record *record)
{
	bool tells = record->type == VHU_RECORD_OPENED || record->type == VHU_RECORD_CLOSED ||
		     (record->type == VHU_RECORD_MESSAGE && !(record->marks & VHU_MARK_PARTIAL));
	struct past_session *session;
	struct vhu_note note;
	int error;

	error = vhu_session_feed(past->sessions, record, ++past->number, &note);
	session = past_find(past, record->session, tells);
	if (!session)
		return;
	if (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END) {
		past_remove(past, session);
		return;
	}
	if (session->given_up || !tells)
		return;
	if (error || !past_keep(past, session, passed, bytes, &note)) {
		past_give_up(session);
		return;
	}
	if (session->records >= session->look_at || session->bytes > VHU_PAST_BYTES_MAX)
		past_look(past, session);
	if (session->bytes > VHU_PAST_BYTES_MAX)
		past_give_up(session);
}

/* Look at all records that have passed and were not looked at yet. */
static void past_settle(struct vhu_past *past)
{
	struct past_passed passed;
	struct vhu_record record;

	for (size_t at = 0; at < past->passed; at += sizeof(passed) + passed.size) {
		const uint8_t *bytes = past->room + at + sizeof(passed);

		memcpy(&passed, past->room + at, sizeof(passed));
		if (vhu_record_decode(&record, past->fd, bytes, passed.size, passed.sent))
			continue;
		record.time_ns = passed.time_ns;
		past_look_at(past, &passed, bytes, &record);
	}
	past->passed = 0;
}

void vhu_past_only_states(struct vhu_past *past)
{
	past->only_states = true;
}

void vhu_past_take(struct vhu_past *past, const struct vhu_record *record)
{
	uint32_t message = record->message_size < VHU_PAST_MESSAGE_MAX ? record->message_size
								       : VHU_PAST_MESSAGE_MAX;
	struct past_passed passed = {.time_ns = record->time_ns};
	uint8_t *to = past->room + past->passed + sizeof(passed);
	struct vhu_note note;
	size_t head;

	if (!record->session)
		return;
	if (past->only_states) {
		vhu_session_feed(past->sessions, record, ++past->number, &note);
		return;
	}
	head = vhu_record_encode(record, to);
	if (message)
		memcpy(to + head, record->message, message);
	passed.size = (uint32_t)(head + message);
	passed.sent = head + (record->message_sent > message ? record->message_sent : message);
	memcpy(to - sizeof(passed), &passed, sizeof(passed));
	past->passed += sizeof(passed) + passed.size;
	if (past->passed > PAST_PASSED)
		past_settle(past);
}

const struct vhu_state *vhu_past_state(struct vhu_past *past, uint64_t session)
{
	past_settle(past);
	return vhu_sessions_state(past->sessions, session);
}

/* What is to be told: the records of all sessions. */
struct past_told {
	struct vhu_past *past;
	const struct past_record **record;
	size_t records;
};

/* Count the records that are needed of a session, for twalk_r(3). */
static void past_count(const void *node, VISIT visit, void *closure)
{
	struct past_session *const *session = node;
	struct past_told *told = closure;

	if (visit != postorder && visit != leaf)
		return;
	past_look(told->past, *session);
	told->records += (*session)->records;
}

/* Add the records of a session to those that are told, for twalk_r(3). */
static void past_gather(const void *node, VISIT visit, void *closure)
{
	struct past_session *const *session = node;
	struct past_told *told = closure;

	if (visit != postorder && visit != leaf)
		return;
	for (unsigned i = 0; i < (*session)->records; i++)
		told->record[told->records++] = &(*session)->record[i];
}

/* Compare two of those that are told by their numbers, for qsort(3). */
static int past_compare_told(const void *a, const void *b)
{
	return past_compare_numbers(*(const struct past_record *const *)a,
				    *(const struct past_record *const *)b);
}

int vhu_past_tell(struct vhu_past *past,
		  int (*tell)(void *context, const struct vhu_record *record, uint64_t number),
		  void *context)
{
	struct past_told told = {.past = past};
	struct vhu_record record;
	int error = 0;

	past_settle(past);
	twalk_r(past->tree, past_count, &told);
	if (!told.records)
		return 0;
	told.record = calloc(told.records, sizeof(*told.record));
	if (!told.record)
		return -ENOMEM;
	told.records = 0;
	twalk_r(past->tree, past_gather, &told);
	qsort(told.record, told.records, sizeof(*told.record), past_compare_told);
	for (size_t i = 0; i < told.records && !error; i++) {
		const struct past_record *kept = told.record[i];

		error = vhu_record_decode(&record, past->fd, kept->bytes, kept->size, kept->sent);
		if (error)
			break;
		record.time_ns = kept->time_ns;
		record.marks |= VHU_MARK_EARLIER;
		error = tell(context, &record, kept->number);
	}
	free(told.record);
	return error;
}

struct vhu_past *vhu_past_new(void)
{
	struct vhu_past *past = calloc(1, sizeof(*past));

	if (!past)
		return NULL;
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
	tdestroy(past->tree, past_session_free);
	vhu_sessions_free(past->sessions);
	free(past);
}
