/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The check itself: captures are read one after the other, what is found is given to the form, and
 * what has to be known of a session when it ends is kept while it is open.
 *
 * A session may have a predecessor: the one that ended before on the same back-end's socket, which
 * it is held against when it ends itself. Of a socket only the last session that ended is kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cause/cause.h"
#include "tools/by_session.h"
#include "tools/check/check.h"
#include "tools/check/fingerprint.h"

/* An open session. */
struct vhu_check_session {
	struct vhu_kept kept; /* first */
	struct vhu_fingerprint *fingerprint;
	struct vhu_fingerprint *before; /* its predecessor's, or NULL */
	struct vhu_cause cause;
	char *told; /* the cause of a hang that was shown while it lasted, or NULL */
};

/* Which session of a socket is kept to be held against one of another capture. */
enum keep { KEEP_NONE, KEEP_FIRST, KEEP_LAST };

/* One capture as it is read. */
struct capture {
	struct vhu_check *check;
	struct vhu_by_session open;
	struct vhu_fingerprints ended; /* each waits for its successor */
	struct vhu_fingerprints kept;
	enum keep keep;
	const struct vhu_reading *reading;
	bool continued; /* it goes on elsewhere, as its latest record says */
};

/* Return whether a session is to be shown. */
static bool is_wanted(const struct vhu_check *check, uint64_t session)
{
	return !check->session || session == check->session;
}

void vhu_check_found(struct vhu_check *check, const struct vhu_finding *finding)
{
	if (!vhu_check_wants(check, finding->rule) || !is_wanted(check, finding->session))
		return;
	check->found[finding->rule->severity]++;
	if (check->form->repeated && vhu_check_is_repeated(check, finding))
		return;
	check->form->finding(check, finding);
	if (check->at_once)
		fflush(check->to);
}

/* The same, as vhu_fingerprint_compare wants it. */
static void found(void *with, const struct vhu_finding *finding)
{
	vhu_check_found(with, finding);
}

/* Forget an open session. */
static void session_free(struct capture *capture, struct vhu_check_session *session)
{
	vhu_by_session_remove(&capture->open, &session->kept);
	vhu_fingerprint_free(session->before);
	vhu_fingerprint_free(session->fingerprint);
	free(session->told);
	free(session);
}

/* Forget all open sessions and what is kept of those that ended; not what is kept to compare. */
static void capture_free(struct capture *capture)
{
	for (unsigned b = 0; b < VHU_BY_SESSION_BUCKETS; b++)
		while (capture->open.bucket[b])
			session_free(capture, (struct vhu_check_session *)capture->open.bucket[b]);
	vhu_fingerprints_free(&capture->ended);
}

/* Return the open session @id, new where it is seen first; NULL out of memory. */
static struct vhu_check_session *session_of(struct capture *capture, uint64_t id)
{
	struct vhu_check_session *session =
	    (struct vhu_check_session *)vhu_by_session_find(&capture->open, id);

	if (session)
		return session;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->fingerprint = calloc(1, sizeof(*session->fingerprint));
	if (!session->fingerprint) {
		free(session);
		return NULL;
	}
	if (capture->open.count == VHU_BY_SESSION_MAX)
		session_free(capture,
			     (struct vhu_check_session *)vhu_by_session_oldest(&capture->open, id));
	session->kept.session = id;
	vhu_by_session_add(&capture->open, &session->kept);
	capture->check->sessions += is_wanted(capture->check, id);
	return session;
}

/* Keep a session that ended to be held against one of another capture: the first or last whose
 * driver took features, or, without any such, that was offered some. Returns 0 or -ENOMEM. */
static int keep_to_compare(struct capture *capture, const struct vhu_fingerprint *fingerprint)
{
	const struct vhu_fingerprint *before =
	    vhu_fingerprints_find(&capture->kept, fingerprint->back_path);
	struct vhu_fingerprint *copy;

	if (before &&
	    (capture->keep == KEEP_FIRST ? before->first_taken_by || !fingerprint->first_taken_by
					 : before->first_taken_by && !fingerprint->first_taken_by))
		return 0;
	copy = vhu_fingerprint_copy(fingerprint);
	if (!copy)
		return -ENOMEM;
	vhu_fingerprints_put(&capture->kept, copy);
	return 0;
}

/* Hold a session that ended against its predecessor, and keep it. Returns 0 or -ENOMEM. */
static int compare_and_keep(struct capture *capture, struct vhu_check_session *session,
			    const struct vhu_state *state)
{
	struct vhu_fingerprint *fingerprint = session->fingerprint, *before = session->before;

	if (vhu_fingerprint_finish(fingerprint, state))
		return -ENOMEM;
	/* One that told nothing of its device has none before it and hides none from the next. */
	if (!fingerprint->features.offered.by) {
		if (before)
			vhu_fingerprints_put(&capture->ended, before);
		session->before = NULL;
		return 0;
	}
	if (before)
		vhu_fingerprint_compare(before, fingerprint,
					fingerprint->front_pid &&
						fingerprint->front_pid == before->front_pid
					    ? VHU_FINGERPRINT_RECONNECT
					    : VHU_FINGERPRINT_OFFER,
					NULL, found, capture->check);
	if (capture->keep != KEEP_NONE && keep_to_compare(capture, fingerprint))
		return -ENOMEM;
	if (*fingerprint->back_path) {
		vhu_fingerprints_put(&capture->ended, fingerprint);
		session->fingerprint = NULL;
	}
	return 0;
}

/* Judge how a session ended, and show why if it ended badly. @record: what closed it; NULL: the
 * capture ends. */
static void judge(struct capture *capture, const struct vhu_check_session *session,
		  const struct vhu_record *record, const struct vhu_state *state)
{
	struct vhu_check *check = capture->check;
	const struct vhu_cause_ending ending = {
	    .record = record,
	    .now_ns = record ? record->time_ns : state->last_ns,
	    .goes_on = !record && capture->reading->now_ns,
	    .goes_elsewhere = !record && capture->continued,
	};
	char text[VHU_CAUSE_TEXT_MAX];
	uint64_t times = 1;
	enum vhu_cause_verdict verdict = vhu_cause_judge(&session->cause, state, &ending, text);

	if (check->watcher)
		check->watcher->judged(check->watcher->with, state, verdict,
				       verdict == VHU_CAUSE_WELL ? "" : text);
	if (verdict == VHU_CAUSE_WELL || (verdict == VHU_CAUSE_UNSURE && check->least > VHU_INFO))
		return;
	/* One that lasts was shown when it was found. */
	if (*text && !(session->told && vhu_check_causes_alike(session->told, text)))
		times = vhu_check_cause(check, state->id, text);
	check->sessions += times - 1;
	*(ending.goes_on || ending.goes_elsewhere ? &check->hanging : &check->badly) +=
	    verdict == VHU_CAUSE_BADLY ? times : 0;
}

/* Show requests that have waited for too long, as vhu_reading_run finds them, and why. */
static void hung(void *with, uint64_t now_ns, const struct vhu_annotation *note)
{
	struct capture *capture = with;
	struct vhu_check *check = capture->check;
	const struct vhu_cause_ending ending = {
	    .now_ns = now_ns, .goes_on = true, .hung_ns = check->choice.late_ns};
	struct vhu_check_session *session =
	    (struct vhu_check_session *)vhu_by_session_find(&capture->open, note->state->id);
	char text[VHU_CAUSE_TEXT_MAX];

	for (unsigned i = 0; i < note->findings; i++)
		vhu_check_found(check, &note->finding[i]);
	if (session &&
	    vhu_cause_judge(&session->cause, note->state, &ending, text) == VHU_CAUSE_BADLY &&
	    *text && !(session->told && vhu_check_causes_alike(session->told, text))) {
		vhu_check_cause(check, note->state->id, text);
		free(session->told);
		session->told = strdup(text);
	}
	fflush(check->to);
}

/* A session has ended. @record: what closed it; NULL: the capture ends. Returns 0 or -ENOMEM. */
static int session_ended(struct capture *capture, struct vhu_check_session *session,
			 const struct vhu_record *record, const struct vhu_state *state)
{
	int error = compare_and_keep(capture, session, state);

	if (is_wanted(capture->check, state->id))
		judge(capture, session, record, state);
	else if (capture->check->watcher)
		capture->check->watcher->judged(capture->check->watcher->with, state,
						VHU_CAUSE_WELL, "");
	session_free(capture, session);
	return error;
}

/* See one record, as vhu_reading_run gives it, or the end of a session. Returns 0 or -ENOMEM. */
static int see(void *with, const struct vhu_record *record, uint64_t number,
	       const struct vhu_annotation *note)
{
	struct capture *capture = with;
	struct vhu_check *check = capture->check;
	uint64_t id = record ? record->session : note->state->id;
	struct vhu_check_session *session;
	int error = 0;

	if (record)
		capture->continued = record->type == VHU_RECORD_CONTINUED;
	if (check->watcher)
		error = check->watcher->see(check->watcher->with, record, number, note);
	if (error)
		return error;
	/* What goes for the whole capture is of no session. */
	if (id == 0)
		return 0;
	session = session_of(capture, id);
	if (!session)
		return -ENOMEM;
	check->messages += is_wanted(check, id) && record && record->type == VHU_RECORD_MESSAGE &&
			   !(record->marks & VHU_MARK_EARLIER);
	for (unsigned i = 0; i < note->findings; i++)
		vhu_check_found(check, &note->finding[i]);
	vhu_cause_see(&session->cause, record, number, note, check->chosen);
	if (record)
		error = vhu_fingerprint_see(session->fingerprint, record, number, note);
	if (record && record->type == VHU_RECORD_OPENED && record->channel == VHU_FRONT_END &&
	    !session->before && *session->fingerprint->back_path)
		session->before =
		    vhu_fingerprints_take(&capture->ended, session->fingerprint->back_path);
	if (!error &&
	    (!record || (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END)))
		error = session_ended(capture, session, record, note->state);
	if (check->at_once)
		fflush(check->to);
	return error;
}

/* Hold what is kept of one capture against what is kept of another: sessions of the same socket,
 * the others in their order. */
static void compare_captures(struct vhu_check *check, struct capture *before, struct capture *now,
			     const char *file)
{
	struct vhu_fingerprint *was, *is;
	unsigned i = 0;

	if (!before->kept.count || !now->kept.count) {
		vhu_fail(check->command, "%s: no session to compare: none tells its features",
			 before->kept.count ? check->path : file);
		check->broken++;
		return;
	}
	while (i < now->kept.count) {
		was = vhu_fingerprints_take(&before->kept, now->kept.at[i]->back_path);
		if (!was) {
			i++;
			continue;
		}
		is = vhu_fingerprints_take(&now->kept, was->back_path);
		vhu_fingerprint_compare(was, is, VHU_FINGERPRINT_MIGRATION, file, found, check);
		vhu_fingerprint_free(was);
		vhu_fingerprint_free(is);
	}
	for (i = 0; i < now->kept.count && i < before->kept.count; i++)
		vhu_fingerprint_compare(before->kept.at[i], now->kept.at[i],
					VHU_FINGERPRINT_MIGRATION, file, found, check);
}

/* Read one capture: the first of the files at @paths and those that continue it. Returns the
 * number of files. */
static int read_capture(struct vhu_check *check, struct capture *capture, char **paths, int count)
{
	struct vhu_reading reading = {
	    .command = check->command,
	    .paths = paths,
	    .count = count,
	    .follow = check->follow,
	    .choice = check->choice,
	    .see = see,
	    .hung = hung,
	    .with = capture,
	};
	int status;

	capture->reading = &reading;
	check->path = paths[0];
	if (check->form->begin_file)
		check->form->begin_file(check);
	status = vhu_reading_run(&reading);
	vhu_check_causes_end(check);
	if (status != VHU_EXIT_DONE) {
		check->broken++;
		if (check->form->broken)
			check->form->broken(check, reading.error);
	}
	capture_free(capture);
	check->files += (unsigned)reading.files;
	return reading.files;
}

void vhu_check_run(struct vhu_check *check, char **paths, int count, bool compare)
{
	struct capture capture[2] = {
	    {.check = check, .keep = compare ? KEEP_LAST : KEEP_NONE},
	    {.check = check, .keep = compare ? KEEP_FIRST : KEEP_NONE},
	};

	if (check->form->begin)
		check->form->begin(check);
	for (int i = 0, files; i < count; i += files) {
		struct capture *at = &capture[compare && i == 1];

		at->continued = false;
		/* The two to compare are two, whether or not the first goes on in the second. */
		files = read_capture(check, at, paths + i, compare ? 1 : count - i);
		if (compare && i == 1)
			compare_captures(check, &capture[0], &capture[1], paths[0]);
		vhu_check_repeated_end(check);
		if (check->form->end_file)
			check->form->end_file(check);
	}
	vhu_fingerprints_free(&capture[0].kept);
	vhu_fingerprints_free(&capture[1].kept);
}
