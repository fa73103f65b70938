/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading for a report: the captures are checked, and the report watches the check. Each record
 * becomes a row, each session is counted as vhu stats counts it and judged as vhu check judges it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/util.h"
#include "tools/by_session.h"
#include "tools/check/check.h"
#include "tools/report/gather/room.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* An open session. */
struct open_session {
	struct vhu_kept kept; /* first */
	uint32_t place;       /* in report->session */
};

/* A report as it is read. */
struct gathering {
	struct vhu_report *report;
	struct vhu_check check;
	struct vhu_by_session open;
};

/* Return the capture that is read. */
static struct vhu_report_capture *capture_of(struct vhu_report *report)
{
	return &report->capture[report->captures - 1];
}

uint32_t vhu_report_row_of(const struct vhu_report *report, unsigned capture, uint64_t number)
{
	uint32_t low = report->capture[capture].first_row;
	uint32_t high =
	    capture + 1 < report->captures ? report->capture[capture + 1].first_row : report->rows;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (report->row[middle].number == number)
			return middle;
		if (report->row[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return VHU_REPORT_NONE;
}

/* Return the place of the open session @id, new where it is seen first; VHU_REPORT_NONE out of
 * memory. */
static uint32_t session_of(struct gathering *gathering, uint64_t id)
{
	struct vhu_report *report = gathering->report;
	struct open_session *open =
	    (struct open_session *)vhu_by_session_find(&gathering->open, id);

	if (open)
		return open->place;
	if (vhu_report_room(&report->session, report->sessions, &report->session_room,
			    sizeof(*report->session)))
		return VHU_REPORT_NONE;
	open = calloc(1, sizeof(*open));
	if (!open)
		return VHU_REPORT_NONE;
	if (gathering->open.count == VHU_BY_SESSION_MAX) {
		struct vhu_kept *oldest = vhu_by_session_oldest(&gathering->open, id);

		vhu_by_session_remove(&gathering->open, oldest);
		free(oldest);
	}
	open->kept.session = id;
	open->place = report->sessions++;
	vhu_by_session_add(&gathering->open, &open->kept);
	report->session[open->place] = (struct vhu_report_session){
	    .id = id, .capture = report->captures - 1, .first_row = report->rows};
	return open->place;
}

/* Forget that a session is open. */
static void close_session(struct gathering *gathering, uint64_t id)
{
	struct vhu_kept *kept = vhu_by_session_find(&gathering->open, id);

	if (kept)
		vhu_by_session_remove(&gathering->open, kept);
	free(kept);
}

/* Join a reply's row to its request's. */
static void join(struct vhu_report *report, uint32_t reply, uint64_t request_number)
{
	uint32_t request = vhu_report_row_of(report, report->captures - 1, request_number);

	report->row[reply].pair = request;
	if (request != VHU_REPORT_NONE)
		report->row[request].pair = reply;
}

/* Return the flags of a record. */
static uint8_t flags_of(const struct vhu_record *record, const struct vhu_annotation *note)
{
	unsigned flags = 0;

	if (record->from_back_end)
		flags |= VHU_ROW_FROM_BACK_END;
	if (note->reply)
		flags |= VHU_ROW_REPLY;
	if (note->unanswered == VHU_UNANSWERED_NEVER)
		flags |= VHU_ROW_NEVER_ANSWERED;
	if (note->unanswered == VHU_UNANSWERED_STILL)
		flags |= VHU_ROW_NOT_YET_ANSWERED;
	if (record->marks & VHU_MARK_EARLIER)
		flags |= VHU_ROW_EARLIER;
	return (uint8_t)flags;
}

/* Return which vring a record is about; -1: none. */
static int16_t vring_of(const struct vhu_record *record, const struct vhu_annotation *note)
{
	if (record->type == VHU_RECORD_VRING)
		return record->vring.vring < VHU_VRINGS_MAX ? (int16_t)record->vring.vring : -1;
	if (record->type == VHU_RECORD_SNAPSHOT)
		return record->snapshot.vring < VHU_VRINGS_MAX ? (int16_t)record->snapshot.vring
							       : -1;
	return record->type == VHU_RECORD_MESSAGE ? (int16_t)note->vring : -1;
}

/* Keep a record as a row. Returns 0 or -ENOMEM. */
static int keep_row(struct vhu_report *report, const struct vhu_record *record, uint64_t number,
		    const struct vhu_annotation *note, uint32_t session)
{
	const struct vhu_vring_event *event = &record->vring;
	struct vhu_report_row *row;
	char text[1024];
	uint32_t at;

	if (report->rows >= report->most_rows) {
		report->left_out++;
		return 0;
	}
	if (vhu_report_room(&report->row, report->rows, &report->row_room, sizeof(*report->row)) ||
	    vhu_details_add(&report->details, record, number, note))
		return -ENOMEM;
	row = &report->row[report->rows];
	*row = (struct vhu_report_row){
	    .number = number,
	    .time_ns = record->time_ns,
	    .delay_ns = note->delay_ns,
	    .session = session,
	    .pair = VHU_REPORT_NONE,
	    .vring = vring_of(record, note),
	    .type = (uint8_t)record->type,
	    .channel = (uint8_t)record->channel,
	    .act = (uint8_t)event->act,
	    .flags = flags_of(record, note),
	};
	if (record->type == VHU_RECORD_VRING && event->has & VHU_VRING_HAS_KICK_TO_CALL)
		row->delay_ns = event->kick_to_call;
	vhu_annotation_text(note, record, text, sizeof(text));
	if (vhu_texts_keep(&report->texts, text, &row->text))
		return -ENOMEM;
	at = report->rows++;
	if (note->reply && note->request_number)
		join(report, at, note->request_number);
	return 0;
}

/* Learn from a record about its session. Returns 0 or -ENOMEM. */
static int see_session(struct vhu_report_session *session, const struct vhu_record *record,
		       uint64_t number, const struct vhu_annotation *note)
{
	const struct vhu_state *state = note->state;
	int error = vhu_stats_see(&session->stats, record, number, note);

	if (!error && record)
		error = vhu_report_vrings_see(&session->vrings, record, number, note);
	if (!error && record && state && !session->running_ns)
		for (unsigned i = 0; i < state->vrings; i++)
			if (state->vring[i].started.value && state->vring[i].enabled.value)
				session->running_ns = record->time_ns;
	if (state) {
		session->device = state->context.device;
		session->dialect = state->context.dialect;
		session->features = state->features;
		session->protocol_features = state->protocol_features;
	}
	return error;
}

/* See one record, or the end of a session, as the check gives it. Returns 0 or -ENOMEM. */
static int see(void *with, const struct vhu_record *record, uint64_t number,
	       const struct vhu_annotation *note)
{
	struct gathering *gathering = with;
	struct vhu_report *report = gathering->report;
	uint64_t id = record ? record->session : note->state->id;
	uint32_t session = VHU_REPORT_NONE;
	int error = 0;

	if (id && report->only_session && id != report->only_session)
		return 0;
	if (id) {
		session = session_of(gathering, id);
		if (session == VHU_REPORT_NONE)
			return -ENOMEM;
		error = see_session(&report->session[session], record, number, note);
	}
	if (error || !record)
		return error;
	report->messages +=
	    record->type == VHU_RECORD_MESSAGE && !(record->marks & VHU_MARK_EARLIER);
	return keep_row(report, record, number, note, session);
}

/* Keep how a session ended. */
static void judged(void *with, const struct vhu_state *state, enum vhu_cause_verdict verdict,
		   const char *text)
{
	struct gathering *gathering = with;
	struct vhu_report *report = gathering->report;
	struct vhu_report_session *session;
	uint32_t place;

	if (report->only_session && state->id != report->only_session)
		return;
	place = session_of(gathering, state->id);
	if (place == VHU_REPORT_NONE) {
		report->error = -ENOMEM;
		return;
	}
	session = &report->session[place];
	session->verdict = verdict;
	session->cause = strdup(text);
	if (report->states[verdict == VHU_CAUSE_WELL] < VHU_REPORT_SECTIONS) {
		report->states[verdict == VHU_CAUSE_WELL]++;
		session->state = vhu_html_state(state);
		report->error = session->state ? report->error : -ENOMEM;
	}
	report->error = session->cause ? report->error : -ENOMEM;
	close_session(gathering, state->id);
}

/* Keep a finding, as the check gives it. */
static void found(struct vhu_check *check, const struct vhu_finding *finding)
{
	struct gathering *gathering = vhu_container_of(check, struct gathering, check);
	struct vhu_report *report = gathering->report;
	uint32_t row = vhu_report_row_of(report, report->captures - 1, finding->number);
	uint8_t severity = (uint8_t)(finding->rule->severity + 1);

	report->found[finding->rule->severity]++;
	if (row != VHU_REPORT_NONE && report->row[row].severity < severity)
		report->row[row].severity = severity;
	if (report->findings == VHU_REPORT_FINDINGS)
		return;
	if (vhu_report_room(&report->finding, report->findings, &report->finding_room,
			    sizeof(*report->finding))) {
		report->error = -ENOMEM;
		return;
	}
	report->finding[report->findings++] = (struct vhu_report_finding){
	    .finding = *finding, .session = session_of(gathering, finding->session)};
}

/* Begin a capture. */
static void begin_file(struct vhu_check *check)
{
	struct vhu_report *report = vhu_container_of(check, struct gathering, check)->report;

	report->capture[report->captures++] = (struct vhu_report_capture){
	    .path = check->path, .first_row = report->rows, .first_session = report->sessions};
}

/* Keep what is wrong with a capture. */
static void broken(struct vhu_check *check, const char *text)
{
	struct vhu_report *report = vhu_container_of(check, struct gathering, check)->report;

	capture_of(report)->error = strdup(text);
}

/* End a capture: its sessions have nothing to do with those of the next. */
static void end_file(struct vhu_check *check)
{
	struct gathering *gathering = vhu_container_of(check, struct gathering, check);

	for (unsigned b = 0; b < VHU_BY_SESSION_BUCKETS; b++)
		while (gathering->open.bucket[b])
			close_session(gathering, gathering->open.bucket[b]->session);
}

/* Return an earlier session with a section whose cause is like that of session @at. */
static uint32_t like(const struct vhu_report *report, uint32_t at)
{
	const char *cause = report->session[at].cause;

	for (uint32_t i = 0, left = VHU_REPORT_SECTIONS; cause && *cause && i < at && left; i++) {
		const struct vhu_report_session *other = &report->session[i];

		if (!other->section)
			continue;
		if (other->cause && vhu_check_causes_alike(other->cause, cause))
			return i;
		left--;
	}
	return VHU_REPORT_NONE;
}

/* Choose the sessions that have a section of their own. */
static void choose_sections(struct vhu_report *report)
{
	unsigned left = VHU_REPORT_SECTIONS;

	for (uint32_t i = 0; i < report->sessions; i++)
		report->session[i].like = VHU_REPORT_NONE;
	for (int well = 0; well < 2; well++)
		for (uint32_t i = 0; i < report->sessions; i++) {
			struct vhu_report_session *session = &report->session[i];

			if ((session->verdict == VHU_CAUSE_WELL) != well)
				continue;
			session->like = like(report, i);
			if (!session->state || !left || session->like != VHU_REPORT_NONE)
				continue;
			session->section = true;
			left--;
		}
}

int vhu_report_gather(struct vhu_report *report, char **paths, int count)
{
	static const struct vhu_check_form form = {
	    .begin_file = begin_file, .finding = found, .broken = broken, .end_file = end_file};
	struct gathering gathering = {.report = report};
	const struct vhu_check_watcher watcher = {.see = see, .judged = judged, .with = &gathering};
	struct vhu_check *check = &gathering.check;

	report->capture = calloc((size_t)count, sizeof(*report->capture));
	if (!report->capture)
		return vhu_fail(report->command, "%s", strerror(ENOMEM));
	check->command = report->command;
	check->form = &form;
	check->to = stdout;
	check->least = VHU_INFO;
	check->session = report->only_session;
	check->choice = report->choice;
	check->watcher = &watcher;
	memset(check->chosen, true, sizeof(check->chosen));
	vhu_check_run(check, paths, count, false);
	if (!report->error)
		report->error = vhu_details_end(&report->details);
	choose_sections(report);
	if (report->error)
		return vhu_fail(report->command, "%s", strerror(-report->error));
	return check->broken ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}

void vhu_report_free(struct vhu_report *report)
{
	for (uint32_t i = 0; i < report->sessions; i++) {
		vhu_stats_free(&report->session[i].stats);
		vhu_report_vrings_free(&report->session[i].vrings);
		free(report->session[i].cause);
		free(report->session[i].state);
	}
	for (unsigned i = 0; i < report->captures; i++)
		free(report->capture[i].error);
	free(report->capture);
	free(report->session);
	free(report->row);
	free(report->finding);
	vhu_texts_free(&report->texts);
	vhu_details_free(&report->details);
	*report = (struct vhu_report){0};
}
