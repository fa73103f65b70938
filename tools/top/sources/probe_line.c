/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu latency says of vrings, for the model. docs/json/latency.json has the keys. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/top/sources/answer.h"
#include "tools/top/sources/probe.h"

/* Say who is at both sides of a session, as far as that is certain. */
static void tell_peers(const struct vhu_top_probe *probe, struct vhu_top_session *session)
{
	const struct vhu_top_probes *among = probe->among;
	const struct vhu_top_pair *found = NULL;
	unsigned fitting = 0;

	for (unsigned i = 0; among && i < among->pairs; i++) {
		const struct vhu_top_pair *pair = &among->pair[i];

		if (probe->pid ? pair->peer[VHU_TOP_BACK].pid != probe->pid
			       : strcmp(pair->socket, probe->socket) != 0)
			continue;
		found = pair;
		fitting++;
	}
	snprintf(session->peer[VHU_TOP_FRONT].path, VHU_TOP_NAME, "%s",
		 found ? found->socket : probe->socket);
	session->peer[VHU_TOP_BACK].pid = probe->pid;
	if (!found)
		return;
	session->peer[VHU_TOP_BACK] = found->peer[VHU_TOP_BACK];
	if (fitting > 1)
		return;
	session->peer[VHU_TOP_FRONT].pid = found->peer[VHU_TOP_FRONT].pid;
	memcpy(session->peer[VHU_TOP_FRONT].comm, found->peer[VHU_TOP_FRONT].comm, VHU_TOP_WORD);
}

void vhu_top_probe_flush(struct vhu_top_probe *probe, uint64_t now_ns)
{
	for (unsigned i = 0; i < probe->source->sessions; i++) {
		struct vhu_top_session *session = probe->source->session[i];

		if (!session->seen)
			continue;
		tell_peers(probe, session);
		vhu_top_session_end(session);
	}
	vhu_top_source_end(probe->source, now_ns);
	probe->batch_ns = 0;
}

/* Return the session of a line, begun if it is the first line about it at this time. */
static struct vhu_top_session *session_of(struct vhu_top_probe *probe, uint64_t number)
{
	for (unsigned i = 0; i < probe->source->sessions; i++)
		if (probe->source->session[i]->number == number && probe->source->session[i]->seen)
			return probe->source->session[i];
	return vhu_top_session_begin(probe->source, number, probe->batch_ns);
}

/* Take what a line says of a vring. Returns 0 or -ENOMEM. */
static int take_vring(struct vhu_top_probe *probe, const json_t *line)
{
	const json_t *delay = json_object_get(line, "kick_to_call");
	const double seconds = (double)vhu_top_answer_number(line, "interval_ns") / 1e9;
	struct vhu_top_session *session;
	struct vhu_top_told told = {
	    .index = (unsigned)vhu_top_answer_number(line, "vring"),
	    .started = true,
	    .counted = true,
	    .worked_out = true,
	    .polling = json_is_true(json_object_get(line, "polled")),
	    .waiting = vhu_top_answer_number(line, "waiting"),
	    .waiting_ns = vhu_top_answer_number(line, "oldest_ns"),
	};

	if (json_is_true(json_object_get(line, "ended")) || seconds <= 0)
		return 0;
	session = session_of(probe, vhu_top_answer_number(line, "session"));
	if (!session)
		return -ENOMEM;
	told.untaken = told.waiting > vhu_top_answer_number(line, "waiting_taken");
	told.kicks_per_s = (double)vhu_top_answer_number(line, "kicks") / seconds;
	told.calls_per_s = (double)vhu_top_answer_number(line, "calls") / seconds;
	told.timed = vhu_top_answer_number(delay, "count") > 0;
	told.p50_ns = vhu_top_answer_number(delay, "p50_ns");
	told.p99_ns = vhu_top_answer_number(delay, "p99_ns");
	told.max_ns = vhu_top_answer_number(delay, "max_ns");
	return vhu_top_session_vring(session, &told);
}

int vhu_top_probe_take(struct vhu_top_probe *probe, const json_t *line, uint64_t now_ns)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	const uint64_t time_ns = vhu_top_answer_number(line, "time_ns");

	if (!type)
		return -EBADMSG;
	if (!strcmp(type, "start"))
		vhu_top_source_end(probe->source, now_ns);
	if (strcmp(type, "interval") != 0)
		return 0;
	if (!time_ns)
		return -EBADMSG;
	if (probe->batch_ns && probe->batch_ns != time_ns)
		vhu_top_probe_flush(probe, now_ns);
	probe->batch_ns = time_ns;
	probe->taken_ns = now_ns;
	return take_vring(probe, line);
}
