/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of vhu top as JSON. */
#include "tools/top/table/json.h"

#include <inttypes.h>

#include "lib/util/json.h"
#include "lib/util/util.h"

/* Write a text that is known. */
static void put_text(struct vhu_json *json, const char *key, const char *text)
{
	if (*text)
		vhu_json_string(json, key, text);
}

/* Write what is known of a session. */
static void put_session(struct vhu_json *json, const struct vhu_top_row *row)
{
	if (row->numbered)
		vhu_json_unsigned(json, "session", row->session);
	vhu_json_object(json, "front_end");
	if (row->has_path)
		put_text(json, "path", row->name);
	if (row->front_pid) {
		vhu_json_unsigned(json, "pid", row->front_pid);
		put_text(json, "comm", row->front_end);
	}
	vhu_json_object_end(json);
	put_text(json, "device", row->device);
	vhu_json_object(json, "back_end");
	if (row->back_pid) {
		vhu_json_unsigned(json, "pid", row->back_pid);
		put_text(json, "comm", row->back_end);
	}
	if (row->cpu_known)
		vhu_json_decimal(json, "cpu_percent", row->cpu);
	vhu_json_object_end(json);
	if (row->messages_known)
		vhu_json_decimal(json, "messages_per_s", row->messages_per_s);
	if (!*row->request)
		return;
	vhu_json_object(json, "waiting_request");
	vhu_json_string(json, "message", row->request);
	vhu_json_unsigned(json, "for_ns", row->request_ns);
	vhu_json_object_end(json);
}

/* Write how a vring or a session is. */
static void put_state(struct vhu_json *json, const struct vhu_top_row *row)
{
	vhu_json_string(json, "state", vhu_top_state_name(row->state));
	if (*row->verdict) {
		vhu_json_object(json, "verdict");
		vhu_json_string(json, "id", row->verdict);
		vhu_json_object_end(json);
	}
}

/* Write what is known of a session without vrings. */
static void put_silence(struct vhu_json *json, const struct vhu_top_row *row)
{
	const struct vhu_top_silence *silence = &row->silence;

	if (!silence->known)
		return;
	put_state(json, row);
	vhu_json_unsigned(json, "silent_ns", silence->for_ns);
	vhu_json_unsigned(json, "signalled_eventfds", silence->signalled);
	if (silence->signalled)
		vhu_json_unsigned(json, "signalled_ns", silence->signalled_ns);
}

/* Write what is known of a vring. */
static void put_vring(struct vhu_json *json, const struct vhu_top_row *row)
{
	vhu_json_unsigned(json, "vring", (uint64_t)row->vring);
	put_state(json, row);
	if (row->rated) {
		vhu_json_decimal(json, "kicks_per_s", row->kicks_per_s);
		vhu_json_decimal(json, "calls_per_s", row->calls_per_s);
	}
	if (row->timed) {
		vhu_json_unsigned(json, "p50_ns", row->p50_ns);
		vhu_json_unsigned(json, "p99_ns", row->p99_ns);
		vhu_json_unsigned(json, "max_ns", row->max_ns);
	}
	if (row->counted) {
		vhu_json_unsigned(json, "waiting", row->waiting);
		vhu_json_unsigned(json, "waiting_ns", row->waiting_ns);
	}
}

void vhu_top_json(FILE *to, const struct vhu_top_view *view)
{
	char time[24];

	snprintf(time, sizeof(time), "%" PRIu64, vhu_realtime_ns());
	for (unsigned i = 0; i < view->rows; i++) {
		const struct vhu_top_row *row = view->row[i];
		struct vhu_json json = {.to = to};

		vhu_json_document(&json, NULL, "top/1");
		vhu_json_string(&json, "time_ns", time);
		vhu_json_string(&json, "source", row->path);
		if (row->note)
			vhu_json_string(&json, "note", row->name);
		else
			put_session(&json, row);
		if (row->vring >= 0)
			put_vring(&json, row);
		else if (!row->note)
			put_silence(&json, row);
		put_text(&json, "hint", row->hint);
		vhu_json_object_end(&json);
		fputc('\n', to);
	}
}
