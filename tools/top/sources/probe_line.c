/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu latency says of vrings. docs/json/latency.json has the keys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/array.h"
#include "tools/top/sources/answer.h"
#include "tools/top/sources/probe.h"

/* Take what a line says of a vring. Returns 0 or -ENOMEM. */
static int take_vring(struct vhu_top_probe_lines *batch, const json_t *line)
{
	const json_t *delay = json_object_get(line, "kick_to_call");
	const double seconds = (double)vhu_top_answer_number(line, "interval_ns") / 1e9;
	struct vhu_top_probe_line *grown;
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
	told.untaken = told.waiting > vhu_top_answer_number(line, "waiting_taken");
	told.kicks_per_s = (double)vhu_top_answer_number(line, "kicks") / seconds;
	told.calls_per_s = (double)vhu_top_answer_number(line, "calls") / seconds;
	told.timed = vhu_top_answer_number(delay, "count") > 0;
	told.p50_ns = vhu_top_answer_number(delay, "p50_ns");
	told.p99_ns = vhu_top_answer_number(delay, "p99_ns");
	told.max_ns = vhu_top_answer_number(delay, "max_ns");
	grown = vhu_array_more(batch->line, &batch->count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	batch->line = grown;
	grown[batch->count - 1] = (struct vhu_top_probe_line){
	    .session = vhu_top_answer_number(line, "session"),
	    .kick = (uint32_t)vhu_top_answer_number(line, "kick_eventfd_id"),
	    .told = told,
	};
	return 0;
}

void vhu_top_probe_whole(struct vhu_top_probe *probe)
{
	free(probe->now.line);
	probe->now = probe->batch;
	probe->batch = (struct vhu_top_probe_lines){0};
	probe->batch_ns = 0;
}

int vhu_top_probe_take(struct vhu_top_probe *probe, const json_t *line, uint64_t now_ns)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	const uint64_t time_ns = vhu_top_answer_number(line, "time_ns");

	if (!type)
		return -EBADMSG;
	if (!strcmp(type, "start")) {
		probe->down = false;
		probe->listens_ns = now_ns;
	}
	if (strcmp(type, "interval") != 0)
		return 0;
	if (!time_ns)
		return -EBADMSG;
	if (probe->batch_ns && probe->batch_ns != time_ns)
		vhu_top_probe_whole(probe);
	probe->batch_ns = time_ns;
	probe->taken_ns = now_ns;
	return take_vring(&probe->batch, line);
}
