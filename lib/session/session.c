/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of a capture.
 *
 * A session is known from its first record to the one that closes it, and its state one record
 * longer, so that the handler of its end can still look at it. Lists are bounded, so that no
 * capture makes them grow without end: what is forgotten first is the session touched longest ago.
 */
#include "lib/session/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/identify.h"
#include "lib/session/recall.h"
#include "lib/session/rules/check.h"
#include "lib/session/state/learn.h"

#define BUCKETS      1024
#define SESSIONS_MAX 16384
#define LATE_NS      UINT64_C(1000000000)
#define DRAIN_NS     UINT64_C(10000000000)

struct session {
	struct session *next; /* in its bucket, last used first */
	uint64_t socket;      /* of its back-end, as in vhu_recall_number */
	struct vhu_state *state;
};

struct vhu_sessions {
	struct session *bucket[BUCKETS];
	unsigned count;
	bool remember, only_learns, alone;
	bool continued;           /* the capture goes on elsewhere, as the last record says */
	enum vhu_dialect dialect; /* forced */
	uint32_t device;          /* forced */
	uint64_t late_ns, drain_ns;
	uint64_t latest_ns; /* of all records; in a capture that goes on, the present */
	bool go_on;
	struct vhu_recall recall;
	struct vhu_state *closed; /* by the record before; freed with the next */
	struct vhu_finding finding[VHU_FINDINGS_MAX];
};

struct vhu_sessions *vhu_sessions_new(bool remember)
{
	struct vhu_sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return NULL;
	sessions->remember = remember;
	sessions->late_ns = LATE_NS;
	sessions->drain_ns = DRAIN_NS;
	return sessions;
}

void vhu_sessions_only_learn(struct vhu_sessions *sessions)
{
	sessions->only_learns = sessions->alone = true;
}

void vhu_sessions_learn_alone(struct vhu_sessions *sessions)
{
	sessions->only_learns = false;
	sessions->alone = true;
}

/* Free the state of the session that closed last. */
static void forget_closed(struct vhu_sessions *sessions)
{
	if (sessions->closed)
		vhu_state_free(sessions->closed);
	sessions->closed = NULL;
}

/* Forget a session that *@at points to; its state lasts until the next record. */
static void forget(struct vhu_sessions *sessions, struct session **at)
{
	struct session *session = *at;

	forget_closed(sessions);
	sessions->closed = session->state;
	*at = session->next;
	free(session);
	sessions->count--;
}

/* Forget all sessions that are open. */
static void forget_open(struct vhu_sessions *sessions)
{
	for (unsigned b = 0; b < BUCKETS; b++)
		while (sessions->bucket[b])
			forget(sessions, &sessions->bucket[b]);
	forget_closed(sessions);
}

void vhu_sessions_free(struct vhu_sessions *sessions)
{
	if (!sessions)
		return;
	forget_open(sessions);
	vhu_recall_free(&sessions->recall);
	free(sessions);
}

void vhu_sessions_rewind(struct vhu_sessions *sessions)
{
	forget_open(sessions);
	vhu_recall_forget_devices(&sessions->recall);
}

void vhu_sessions_force_dialect(struct vhu_sessions *sessions, enum vhu_dialect dialect)
{
	sessions->dialect = dialect;
}

void vhu_sessions_force_device(struct vhu_sessions *sessions, uint32_t device)
{
	sessions->device = device;
}

void vhu_sessions_late_after(struct vhu_sessions *sessions, uint64_t ns, uint64_t drain_ns)
{
	sessions->late_ns = ns;
	sessions->drain_ns = drain_ns;
}

void vhu_sessions_go_on(struct vhu_sessions *sessions, uint64_t now_ns)
{
	sessions->go_on = true;
	if (now_ns > sessions->latest_ns)
		sessions->latest_ns = now_ns;
}

enum vhu_dialect vhu_sessions_dialect(const struct vhu_sessions *sessions, uint64_t session)
{
	const struct vhu_recalled *recalled = vhu_recall_find(&sessions->recall, session);

	if (sessions->dialect != VHU_ANY)
		return sessions->dialect;
	return recalled ? recalled->dialect : VHU_ANY;
}

uint32_t vhu_sessions_device(const struct vhu_sessions *sessions, uint64_t session)
{
	const struct vhu_recalled *recalled = vhu_recall_find(&sessions->recall, session);

	if (sessions->device)
		return sessions->device;
	return recalled ? recalled->device : 0;
}

const struct vhu_state *vhu_sessions_state(const struct vhu_sessions *sessions, uint64_t session)
{
	const struct session *at = sessions->bucket[session % BUCKETS];

	while (at && at->state->id != session)
		at = at->next;
	return at ? at->state : NULL;
}

/* Remember what a session's state says of its dialect and device, if that is wanted. Returns 0 or
 * -ENOMEM. */
static int keep(struct vhu_sessions *sessions, const struct vhu_state *state)
{
	return sessions->remember ? vhu_recall_keep(&sessions->recall, state) : 0;
}

/* Forget one session: the one touched longest ago of the first bucket from @from on that has any.
 */
static void forget_one(struct vhu_sessions *sessions, unsigned from)
{
	for (unsigned b = 0; b < BUCKETS; b++) {
		struct session **at = &sessions->bucket[(from + b) % BUCKETS];

		if (!*at)
			continue;
		while ((*at)->next)
			at = &(*at)->next;
		forget(sessions, at);
		return;
	}
}

/* Return a new session with what is known of it beforehand; NULL out of memory. */
static struct session *session_new(const struct vhu_sessions *sessions, uint64_t id)
{
	const struct vhu_recalled *recalled = vhu_recall_find(&sessions->recall, id);
	struct session *session = calloc(1, sizeof(*session));
	struct vhu_state *state = calloc(1, sizeof(*state));

	if (!session || !state) {
		free(session);
		free(state);
		return NULL;
	}
	session->state = state;
	state->id = id;
	state->context.dialect = vhu_sessions_dialect(sessions, id);
	state->context.device = vhu_sessions_device(sessions, id);
	state->dialect_is_sure = state->context.dialect != VHU_ANY;
	state->dialect_told_at = sessions->dialect != VHU_ANY ? 0
				 : recalled                   ? recalled->dialect_told_at
							      : VHU_NEVER;
	return session;
}

/* Return where a session is found, first in its bucket; made if it is new; NULL out of memory. */
static struct session **session_get(struct vhu_sessions *sessions, uint64_t id)
{
	unsigned b = (unsigned)(id % BUCKETS);
	struct session **at = &sessions->bucket[b], *session;

	while (*at && (*at)->state->id != id)
		at = &(*at)->next;
	session = *at;
	if (session) {
		*at = session->next;
	} else {
		session = session_new(sessions, id);
		if (!session)
			return NULL;
		if (sessions->count == SESSIONS_MAX)
			forget_one(sessions, b);
		sessions->count++;
	}
	session->next = sessions->bucket[b];
	sessions->bucket[b] = session;
	return &sessions->bucket[b];
}

/* Look at a message by all rules but those about headers. */
static void check_message(struct vhu_check_context *check)
{
	vhu_rules_size(check);
	vhu_rules_negotiation(check);
	if (check->note->reply)
		vhu_rules_reply(check);
	vhu_rules_idle(check);
	if (!vhu_check_has_fields(check))
		return;
	vhu_rules_descriptors(check);
	vhu_rules_memory(check);
	vhu_rules_ring(check);
	vhu_rules_device(check);
	vhu_rules_inflight(check);
	vhu_rules_migration(check);
	vhu_rules_object(check);
	vhu_rules_standalone(check);
}

/* Feed a message. Returns 0 or -ENOMEM. */
static int feed_message(struct vhu_sessions *sessions, struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	const struct vhu_context before = state->context;
	const uint64_t told_before = state->dialect_told_at;
	struct vhu_annotation *note = check->note;
	enum vhu_answer answer;
	int error = 0;

	state->messages++;
	if (check->record->marks & VHU_MARK_ALTERED)
		vhu_state_alter(state, check->number);
	vhu_annotation_take_apart(note, check->record);
	if (note->has_header)
		vhu_annotate(check);
	if (!sessions->only_learns)
		vhu_rules_framing(check);
	/* What was not sent to its end, or not passed on, was never taken. */
	if (!note->has_header || check->withheld || (check->record->marks & VHU_MARK_PARTIAL))
		return 0;
	if (!sessions->only_learns)
		check_message(check);
	answer = vhu_annotation_answer(note);
	if (!note->reply && answer != VHU_ANSWER_NEVER) {
		struct vhu_pending pending = {
		    .number = check->number,
		    .time_ns = check->record->time_ns,
		    .message = note->message,
		    .request = note->header.request,
		    .size = note->payload.size,
		    .flags = note->header.flags,
		    .due = answer == VHU_ANSWER_MUST,
		    .protocol_by = state->protocol_features.acked.by,
		    .altered = check->record->marks & VHU_MARK_ALTERED,
		};

		for (unsigned i = 0; i < 3 && 4 * i + 4 <= note->payload.captured; i++)
			pending.first[i] = (uint32_t)vhu_integer_read(note->payload.bytes + 4 * i,
								      4, note->payload.big_endian);
		error = vhu_state_ask(state, check->record->channel, &pending);
	}
	if (vhu_state_learn(check, sessions->device))
		error = -ENOMEM;
	if (!sessions->only_learns)
		vhu_rules_ring_start(check);
	if (state->context.dialect != before.dialect || state->context.device != before.device ||
	    state->dialect_told_at != told_before)
		error = keep(sessions, state) ? -ENOMEM : error;
	return error;
}

/* Take a session to be about the device that the one before on its back-end's socket was about,
 * until something else is learnt. Returns 0 or -ENOMEM. */
static int take_device(struct vhu_sessions *sessions, struct session *session,
		       struct vhu_check_context *check)
{
	uint32_t device;

	if (sessions->alone || check->record->channel != VHU_FRONT_END)
		return 0;
	session->socket = vhu_recall_number(check->record->back_end.path);
	if (!vhu_recall_device(&sessions->recall, session->socket, &device) ||
	    check->state->context.device)
		return 0;
	check->state->context.device = device;
	check->state->device = vhu_told(check, device);
	check->note->context = check->state->context;
	return keep(sessions, check->state);
}

/* Learn from the record that opens a session or a channel. */
static void feed_opened(struct vhu_check_context *check)
{
	const struct vhu_peer *peer[2] = {&check->record->front_end, &check->record->back_end};

	check->state->channel[check->record->channel].open = true;
	check->state->channel[check->record->channel].opened = vhu_told(check, true);
	if (check->record->channel != VHU_FRONT_END)
		return;
	check->state->opened_ns = check->record->time_ns;
	check->state->begun_before = check->record->marks & VHU_MARK_BEGUN;
	for (unsigned i = 0; i < 2; i++) {
		if (!peer[i]->known)
			continue;
		check->state->peer[i].pid = peer[i]->pid;
		snprintf(check->state->peer[i].comm, sizeof(check->state->peer[i].comm), "%s",
			 peer[i]->comm ? peer[i]->comm : "");
	}
}

/* Forget what is known of all sessions: from here on nothing can be held against it. */
static void forget_states(struct vhu_sessions *sessions)
{
	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct session *at = sessions->bucket[b]; at; at = at->next)
			vhu_state_forget(at->state);
}

/* Return whether a repeated record adds nothing: its session was followed up to here, or the record
 * was repeated before (merged captures). */
static bool is_known(const struct vhu_state *state, const struct vhu_record *record)
{
	return (record->marks & VHU_MARK_EARLIER) &&
	       (state->live || state->last_ns == record->time_ns);
}

/* Look at a record of a session and learn from it. Returns 0 or -ENOMEM. */
static int feed(struct vhu_sessions *sessions, struct session **at, struct vhu_check_context *check)
{
	const struct vhu_record *record = check->record;
	const uint32_t device = check->state->context.device;
	int error = 0;

	if (record->type == VHU_RECORD_MESSAGE)
		error = feed_message(sessions, check);
	if (record->type == VHU_RECORD_OPENED) {
		feed_opened(check);
		error = take_device(sessions, *at, check);
	}
	if (check->state->context.device != device)
		vhu_recall_keep_device(&sessions->recall, (*at)->socket,
				       check->state->context.device);
	if (record->type == VHU_RECORD_VRING)
		vhu_learn_vring_event(check);
	else if (record->type == VHU_RECORD_CLOSED)
		vhu_rules_channel_end(check);
	if (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END) {
		vhu_rules_end(check, true);
		forget(sessions, at);
	}
	if (record->marks & VHU_MARK_EARLIER || sessions->only_learns)
		check->findings = 0;
	return error;
}

int vhu_session_feed(struct vhu_sessions *sessions, const struct vhu_record *record,
		     uint64_t number, struct vhu_annotation *note)
{
	struct session **at = session_get(sessions, record->session);
	struct vhu_check_context check = {
	    .record = record,
	    .note = note,
	    .number = number,
	    .late_ns = sessions->late_ns,
	    .drain_ns = sessions->drain_ns,
	    .finding = sessions->finding,
	};
	int error;

	memset(note, 0, sizeof(*note));
	note->vring = -1;
	forget_closed(sessions);
	if (!at)
		return -ENOMEM;
	sessions->continued = record->type == VHU_RECORD_CONTINUED;
	if (record->time_ns > sessions->latest_ns)
		sessions->latest_ns = record->time_ns;
	if (record->marks & VHU_MARK_LOST && record->session)
		vhu_state_forget((*at)->state);
	else if (record->marks & VHU_MARK_LOST)
		forget_states(sessions);
	check.state = (*at)->state;
	check.whole = check.state->opened_ns && !check.state->begun_before;
	note->context = check.state->context;
	note->state = check.state;
	if (is_known(check.state, record)) {
		vhu_annotation_again(note, record, &check.state->context);
		note->state = check.state;
		return 0;
	}
	/* What is reconstructed of a session follows its opened record. */
	check.state->live |= !(record->marks & (VHU_MARK_EARLIER | VHU_MARK_BEGUN));
	check.state->last_ns = record->time_ns;
	if ((unsigned)record->channel >= VHU_CHANNELS)
		return 0;
	error = feed(sessions, at, &check);
	note->finding = sessions->finding;
	note->findings = check.findings;
	return error;
}

/* Return the number of the front-end's channel's last message. */
static uint64_t last_number(const struct vhu_state *state)
{
	const struct vhu_told *last = state->channel[VHU_FRONT_END].last;

	return last[0].by > last[1].by ? last[0].by : last[1].by;
}

/* Let check->note say what was found in a session without a record. */
static void note_without_record(const struct vhu_check_context *check)
{
	*check->note = (struct vhu_annotation){
	    .vring = -1,
	    .state = check->state,
	    .context = check->state->context,
	    .finding = check->finding,
	    .findings = check->findings,
	};
}

bool vhu_sessions_hung(struct vhu_sessions *sessions, uint64_t now_ns, struct vhu_annotation *note)
{
	struct vhu_check_context check = {
	    .note = note,
	    .late_ns = sessions->late_ns,
	    .drain_ns = sessions->drain_ns,
	    .goes_on = true,
	    .finding = sessions->finding,
	};

	for (unsigned b = 0; b < BUCKETS; b++) {
		for (struct session *at = sessions->bucket[b]; at; at = at->next) {
			check.state = at->state;
			check.number = last_number(at->state);
			vhu_rules_hung(&check, now_ns);
			if (!check.findings)
				continue;
			note_without_record(&check);
			return true;
		}
	}
	return false;
}

bool vhu_session_finish(struct vhu_sessions *sessions, struct vhu_annotation *note)
{
	struct vhu_check_context check = {
	    .note = note,
	    .late_ns = sessions->late_ns,
	    .drain_ns = sessions->drain_ns,
	    .goes_on = sessions->go_on,
	    .finding = sessions->finding,
	};
	unsigned b = 0;

	forget_closed(sessions);
	while (b < BUCKETS && !sessions->bucket[b])
		b++;
	if (b == BUCKETS)
		return false;
	check.state = sessions->bucket[b]->state;
	/* What other sessions did later says nothing of this one: captures may be merged. */
	if (sessions->go_on)
		check.state->last_ns = sessions->latest_ns;
	check.whole = check.state->opened_ns && !check.state->begun_before;
	check.number = last_number(check.state);
	/* What is still to come may come there. */
	if (!sessions->continued)
		vhu_rules_end(&check, false);
	note_without_record(&check);
	forget(sessions, &sessions->bucket[b]);
	return true;
}
