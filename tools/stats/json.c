/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics as lines of JSON. docs/vhu-stats.1 lists the keys. */
#include <stdio.h>

#include "lib/show/state.h"
#include "lib/util/util.h"
#include "tools/stats/stats.h"

/* Write who is at one side. */
static void put_peer(struct vhu_json *json, const char *key, const struct vhu_stats_peer *peer)
{
	vhu_json_object(json, key);
	if (peer->known) {
		vhu_json_unsigned(json, "pid", peer->pid);
		vhu_json_string(json, "comm", peer->comm);
	}
	vhu_json_string(json, "path", peer->path);
	vhu_json_object_end(json);
}

/* Write how much there is, and when it was. */
static void put_counts(struct vhu_json *json, const struct vhu_stats *stats)
{
	vhu_json_unsigned(json, "begin_ns", stats->begin_ns);
	vhu_json_unsigned(json, "duration_ns", stats->end_ns - stats->begin_ns);
	vhu_json_unsigned(json, "clock_backs", stats->clock_backs);
	vhu_json_object(json, "messages");
	vhu_json_unsigned(json, "front_end", stats->from[0]);
	vhu_json_unsigned(json, "back_end", stats->from[1]);
	vhu_json_unsigned(json, "unknown", stats->unknown);
	vhu_json_unsigned(json, "earlier", stats->earlier);
	vhu_json_object_end(json);
	vhu_json_object(json, "findings");
	for (int i = VHU_SEVERITIES - 1; i >= 0; i--)
		vhu_json_unsigned(json, vhu_severity_name((enum vhu_severity)i), stats->found[i]);
	vhu_json_object_end(json);
	vhu_json_object(json, "snapshots");
	vhu_json_unsigned(json, "vrings", stats->snapshots);
	vhu_json_unsigned(json, "hangs", stats->hangs);
	if (stats->hangs)
		vhu_json_string(json, "last_hang", stats->hang);
	vhu_json_object_end(json);
}

/* Write the parts of the set-up. */
static void put_setup(struct vhu_json *json, const struct vhu_stats *stats)
{
	const struct vhu_stats_setup *setup = &stats->setup;

	vhu_json_object(json, "setup");
	for (unsigned i = 0; i < VHU_PHASES; i++) {
		const struct vhu_stats_phase *phase = &setup->phase[i];

		if (!phase->first)
			continue;
		vhu_json_object(json, vhu_stats_phase_name((enum vhu_stats_phase_id)i));
		vhu_json_unsigned(json, "begin_ns",
				  vhu_elapsed_ns(stats->begin_ns, phase->begin_ns));
		vhu_json_unsigned(json, "duration_ns",
				  vhu_elapsed_ns(phase->begin_ns, phase->end_ns));
		vhu_json_unsigned(json, "waiting_ns", phase->waiting_ns);
		vhu_json_unsigned(json, "first", phase->first);
		vhu_json_unsigned(json, "last", phase->last);
		vhu_json_object_end(json);
	}
	if (setup->first_kick) {
		vhu_json_object(json, "first_kick");
		vhu_json_unsigned(json, "begin_ns",
				  vhu_elapsed_ns(stats->begin_ns, setup->first_kick_ns));
		vhu_json_unsigned(json, "number", setup->first_kick);
		vhu_json_object_end(json);
	}
	vhu_json_object_end(json);
}

/* Write how often each message passed, and how long its answers took. */
static void put_messages(struct vhu_json *json, const struct vhu_stats *stats)
{
	vhu_json_array(json, "by_message");
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		const struct vhu_histogram *delay = stats->delay[i];

		if (!stats->requests[i] && !stats->replies[i])
			continue;
		vhu_json_object(json, NULL);
		vhu_json_string(json, "channel", vhu_channel_name(vhu_messages[i].channel));
		vhu_json_string(json, "message", vhu_messages[i].name);
		vhu_json_unsigned(json, "requests", stats->requests[i]);
		vhu_json_unsigned(json, "replies", stats->replies[i]);
		if (delay) {
			vhu_json_object(json, "reply_ns");
			vhu_json_unsigned(json, "min", delay->least);
			vhu_json_unsigned(json, "mean", vhu_histogram_mean(delay));
			vhu_json_unsigned(json, "p50", vhu_histogram_quantile(delay, 500));
			vhu_json_unsigned(json, "p90", vhu_histogram_quantile(delay, 900));
			vhu_json_unsigned(json, "p99", vhu_histogram_quantile(delay, 990));
			vhu_json_unsigned(json, "max", delay->greatest);
			vhu_json_object_end(json);
		}
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write what is known of a session as it ended. */
static void put_state(struct vhu_json *json, const struct vhu_stats *stats,
		      const struct vhu_state *state)
{
	put_peer(json, "front_end", &stats->peer[0]);
	put_peer(json, "back_end", &stats->peer[1]);
	vhu_show_device_json(json, state);
	vhu_json_bool(json, "closed", stats->closed);
	if (stats->closed)
		vhu_json_string(json, "reason", stats->reason);
	if (!stats->earlier)
		put_setup(json, stats);
	vhu_show_state_json(json, state);
}

void vhu_stats_json(const struct vhu_stats *stats, const struct vhu_state *state, const char *file)
{
	struct vhu_json json = {.to = stdout};

	vhu_json_object(&json, NULL);
	if (file)
		vhu_json_string(&json, "file", file);
	if (state)
		vhu_json_unsigned(&json, "session", state->id);
	else
		vhu_json_unsigned(&json, "sessions", stats->sessions);
	put_counts(&json, stats);
	put_messages(&json, stats);
	if (state)
		put_state(&json, stats, state);
	vhu_json_object_end(&json);
	putchar('\n');
}
