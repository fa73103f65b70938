/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report as a trace.
 *
 * Slices on one track must not overlap unless one is inside the other: a message has no length, so
 * it is drawn 1 us long, or up to the next one of its track. How a vring stands is a track of its
 * own, beside that of its kicks and calls.
 */
#include "tools/report/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/json.h"
#include "lib/util/util.h"
#include "tools/report/report.h"

/* Rows that are looked through for the next one of a track, or for a kick. */
#define NEAR 256

/* Tracks of a session: channels, and two for each vring. */
enum { TRACK_CHANNEL = 1, TRACK_VRING = 10 };

struct trace {
	const struct vhu_report *report;
	struct vhu_json json;
	uint64_t begin_ns;
};

/* Return the track of a row. */
static unsigned track_of(const struct vhu_report_row *row)
{
	if ((row->type == VHU_RECORD_VRING || row->type == VHU_RECORD_SNAPSHOT) && row->vring >= 0)
		return TRACK_VRING + 2 * (unsigned)row->vring;
	return TRACK_CHANNEL + row->channel;
}

/* Begin an event at a time, on a track of the session @session. */
static void begin(struct trace *trace, const char *phase, const char *name, uint32_t session,
		  unsigned track)
{
	vhu_json_object(&trace->json, NULL);
	vhu_json_string(&trace->json, "ph", phase);
	vhu_json_string(&trace->json, "name", name);
	vhu_json_unsigned(&trace->json, "pid", session == VHU_REPORT_NONE ? 0 : session + 1);
	vhu_json_unsigned(&trace->json, "tid", track);
}

/* Write a time in us. */
static void put_us(struct trace *trace, const char *key, uint64_t ns)
{
	fprintf(trace->json.to, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void end(struct trace *trace)
{
	vhu_json_object_end(&trace->json);
	fputc('\n', trace->json.to);
}

/* Name a process or a track, and say where it stands among the others. */
static void put_name(struct trace *trace, const char *what, const char *name, uint32_t session,
		     unsigned track)
{
	begin(trace, "M", what, session, track);
	vhu_json_object(&trace->json, "args");
	vhu_json_string(&trace->json, "name", name);
	vhu_json_object_end(&trace->json);
	end(trace);
	if (strcmp(what, "thread_name") != 0)
		return;
	begin(trace, "M", "thread_sort_index", session, track);
	vhu_json_object(&trace->json, "args");
	vhu_json_unsigned(&trace->json, "sort_index", track);
	vhu_json_object_end(&trace->json);
	end(trace);
}

/* Name a session and its tracks. */
static void put_names(struct trace *trace, uint32_t at)
{
	const struct vhu_report_session *session = &trace->report->session[at];
	char name[256];

	snprintf(name, sizeof(name), "session %" PRIu64 ": %s, %s", session->id,
		 session->stats.peer[0].known ? session->stats.peer[0].comm : "front-end",
		 session->stats.peer[1].known ? session->stats.peer[1].comm : "back-end");
	put_name(trace, "process_name", name, at, 0);
	for (unsigned channel = 0; channel < VHU_CHANNELS; channel++) {
		snprintf(name, sizeof(name), "%s channel",
			 vhu_channel_name((enum vhu_channel)channel));
		put_name(trace, "thread_name", name, at, TRACK_CHANNEL + channel);
	}
	for (unsigned i = 0; i < session->vrings.vrings; i++) {
		snprintf(name, sizeof(name), "vring %u", i);
		put_name(trace, "thread_name", name, at, TRACK_VRING + 2 * i);
		snprintf(name, sizeof(name), "vring %u stands", i);
		put_name(trace, "thread_name", name, at, TRACK_VRING + 2 * i + 1);
	}
}

/* Write how a session's vrings stood. */
static void put_lives(struct trace *trace, uint32_t at)
{
	static const char *const life[VHU_LIVES] = {
	    [VHU_LIFE_SET_UP] = "set up",
	    [VHU_LIFE_STARTED] = "started, not enabled",
	    [VHU_LIFE_RUNNING] = "running",
	};
	const struct vhu_report_session *session = &trace->report->session[at];
	const struct vhu_report_vrings *vrings = &session->vrings;

	for (uint32_t i = 0; i < vrings->changes; i++) {
		const struct vhu_report_change *change = &vrings->change[i];
		uint64_t until = session->stats.end_ns;

		if (!life[change->life])
			continue;
		for (uint32_t j = i + 1; j < vrings->changes; j++)
			if (vrings->change[j].vring == change->vring) {
				until = vrings->change[j].time_ns;
				break;
			}
		begin(trace, "X", life[change->life], at, TRACK_VRING + 2u * change->vring + 1);
		put_us(trace, "ts", vhu_elapsed_ns(trace->begin_ns, change->time_ns));
		put_us(trace, "dur", vhu_elapsed_ns(change->time_ns, until));
		end(trace);
	}
}

/* Return how long a row is drawn: 1 us, or up to the next one of its track. */
static uint64_t length_of(const struct vhu_report *report, uint32_t at)
{
	const struct vhu_report_row *row = &report->row[at];

	for (uint32_t i = at + 1; i < report->rows && i <= at + NEAR; i++) {
		const struct vhu_report_row *next = &report->row[i];

		if (next->session == row->session && track_of(next) == track_of(row)) {
			uint64_t gap = vhu_elapsed_ns(row->time_ns, next->time_ns);

			return gap < 1000 ? gap : 1000;
		}
	}
	return 1000;
}

/* Write an end of an arrow: "s" begins it, "f" ends it. */
static void put_arrow(struct trace *trace, const char *phase, const char *name, uint32_t id,
		      uint32_t at)
{
	const struct vhu_report_row *row = &trace->report->row[at];

	begin(trace, phase, name, row->session, track_of(row));
	vhu_json_string(&trace->json, "cat", name);
	vhu_json_unsigned(&trace->json, "id", id);
	if (*phase == 'f')
		vhu_json_string(&trace->json, "bp", "e");
	put_us(trace, "ts", vhu_elapsed_ns(trace->begin_ns, row->time_ns));
	end(trace);
}

/* Return the row of the kick that a call answers: the one that is nearest to when it was. */
static uint32_t kick_of(const struct vhu_report *report, uint32_t call)
{
	const struct vhu_report_row *row = &report->row[call];
	const uint64_t wanted = row->time_ns - row->delay_ns;
	uint64_t nearest = UINT64_MAX;
	uint32_t kick = VHU_REPORT_NONE;

	for (uint32_t i = call; i-- > 0 && call - i <= NEAR;) {
		const struct vhu_report_row *other = &report->row[i];
		uint64_t away =
		    other->time_ns > wanted ? other->time_ns - wanted : wanted - other->time_ns;

		if (other->type != VHU_RECORD_VRING || other->act != VHU_ACT_KICK ||
		    other->session != row->session || other->vring != row->vring || away >= nearest)
			continue;
		nearest = away;
		kick = i;
	}
	return kick;
}

/* Write what a row is called: a message's name, and whether it is a reply. */
static void name_of(const struct vhu_report *report, const struct vhu_report_row *row, char *to,
		    size_t size)
{
	const char *text = report->texts.text[row->text];
	size_t length = row->type == VHU_RECORD_MESSAGE ? strcspn(text, " ,") : strcspn(text, ",");

	snprintf(to, size, "%.*s%s", (int)(length < size ? length : size - 1), text,
		 row->type == VHU_RECORD_MESSAGE && row->flags & VHU_ROW_REPLY ? " reply" : "");
}

/* Write a row as a slice, and the arrow that ends at it. */
static void put_row(struct trace *trace, uint32_t at)
{
	const struct vhu_report *report = trace->report;
	const struct vhu_report_row *row = &report->row[at];
	uint32_t from = VHU_REPORT_NONE;
	char name[128];

	name_of(report, row, name, sizeof(name));
	begin(trace, "X", name, row->session, track_of(row));
	put_us(trace, "ts", vhu_elapsed_ns(trace->begin_ns, row->time_ns));
	put_us(trace, "dur", length_of(report, at));
	vhu_json_object(&trace->json, "args");
	vhu_json_unsigned(&trace->json, "number", row->number);
	vhu_json_string(&trace->json, "text", report->texts.text[row->text]);
	if (row->delay_ns)
		vhu_json_unsigned(&trace->json, "after_ns", row->delay_ns);
	vhu_json_object_end(&trace->json);
	end(trace);
	if (row->flags & VHU_ROW_REPLY && row->pair < at)
		from = row->pair;
	else if (row->type == VHU_RECORD_VRING && row->act == VHU_ACT_CALL && row->delay_ns)
		from = kick_of(report, at);
	if (from == VHU_REPORT_NONE)
		return;
	put_arrow(trace, "s", row->type == VHU_RECORD_VRING ? "call" : "reply", at, from);
	put_arrow(trace, "f", row->type == VHU_RECORD_VRING ? "call" : "reply", at, at);
}

void vhu_report_trace(FILE *to, const struct vhu_report *report)
{
	struct trace trace = {.report = report, .json = {.to = to}, .begin_ns = UINT64_MAX};

	for (uint32_t i = 0; i < report->rows; i++)
		if (report->row[i].time_ns < trace.begin_ns)
			trace.begin_ns = report->row[i].time_ns;
	vhu_json_object(&trace.json, NULL);
	vhu_json_string(&trace.json, "displayTimeUnit", "ns");
	vhu_json_object(&trace.json, "otherData");
	vhu_json_string(&trace.json, "made by", "vhu " VHU_VERSION);
	vhu_json_object_end(&trace.json);
	vhu_json_array(&trace.json, "traceEvents");
	for (uint32_t i = 0; i < report->sessions; i++) {
		put_names(&trace, i);
		put_lives(&trace, i);
	}
	for (uint32_t i = 0; i < report->rows; i++)
		put_row(&trace, i);
	vhu_json_array_end(&trace.json);
	vhu_json_object_end(&trace.json);
	fputc('\n', to);
}
