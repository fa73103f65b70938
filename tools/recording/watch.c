/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who watches records go by for sessions that end badly. */
#include "tools/recording/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An open session. */
struct watched {
	struct vhu_kept kept; /* first */
	struct vhu_cause cause;
};

/* Forget a session. */
static void watched_free(struct vhu_recording_watch *watch, struct vhu_kept *kept)
{
	vhu_by_session_remove(&watch->open, kept);
	free(kept);
}

/* Return what is known of session @id, made if it is new; NULL out of memory. */
static struct watched *watched_get(struct vhu_recording_watch *watch, uint64_t id)
{
	struct watched *session = (struct watched *)vhu_by_session_find(&watch->open, id);

	if (session)
		return session;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	if (watch->open.count == VHU_BY_SESSION_MAX)
		watched_free(watch, vhu_by_session_oldest(&watch->open, id));
	session->kept.session = id;
	vhu_by_session_add(&watch->open, &session->kept);
	return session;
}

/* Say why a session has ended badly. Returns whether it has. */
static bool ended_badly(const struct watched *session, const struct vhu_annotation *note,
			const struct vhu_record *record, char why[VHU_CAUSE_TEXT_MAX])
{
	const struct vhu_cause_ending ending = {.record = record, .now_ns = record->time_ns};
	const struct vhu_finding *worst = &session->cause.worst;

	if (vhu_cause_judge(&session->cause, note->state, &ending, why) != VHU_CAUSE_BADLY)
		return false;
	if (!*why)
		snprintf(why, VHU_CAUSE_TEXT_MAX, "V%u %s: %s", worst->rule->id, worst->rule->name,
			 worst->text);
	return true;
}

bool vhu_recording_watch_see(struct vhu_recording_watch *watch, const struct vhu_record *record)
{
	char why[VHU_CAUSE_TEXT_MAX];
	bool bad;
	struct watched *session;
	struct vhu_annotation note;

	watch->records++;
	if (!record->session || vhu_session_feed(watch->sessions, record, watch->records, &note))
		return false;
	session = watched_get(watch, record->session);
	if (!session)
		return false;
	vhu_cause_see(&session->cause, record, watch->records, &note, NULL);
	if (record->type != VHU_RECORD_CLOSED || record->channel != VHU_FRONT_END)
		return false;
	bad = ended_badly(session, &note, record, why);
	watched_free(watch, &session->kept);
	if (bad && !watch->bad++) {
		watch->session = record->session;
		memcpy(watch->why, why, sizeof(why));
	}
	return bad;
}

int vhu_recording_watch_start(struct vhu_recording_watch *watch)
{
	memset(watch, 0, sizeof(*watch));
	watch->sessions = vhu_sessions_new(false);
	return watch->sessions ? 0 : -ENOMEM;
}

void vhu_recording_watch_end(struct vhu_recording_watch *watch)
{
	for (unsigned b = 0; b < VHU_BY_SESSION_BUCKETS; b++) {
		while (watch->open.bucket[b])
			watched_free(watch, watch->open.bucket[b]);
	}
	vhu_sessions_free(watch->sessions);
	watch->sessions = NULL;
}

void vhu_recording_watch_written(void *context, const struct vhu_record *record)
{
	struct vhu_recording_watch *written = context;

	if (record) {
		if (written->sessions)
			vhu_recording_watch_see(written, record);
		return;
	}
	/* A file begins. Without memory it is written without a word on why. */
	vhu_recording_watch_end(written);
	vhu_recording_watch_start(written);
}
