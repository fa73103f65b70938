/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics as lines of JSON. docs/json/stats.json lists the keys. */
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
	static const char *const found[VHU_SEVERITIES] = {
	    [VHU_INFO] = "infos", [VHU_WARNING] = "warnings", [VHU_ERROR] = "errors"};

	vhu_json_unsigned(json, "begin_ns", stats->begin_ns);
	vhu_json_unsigned(json, "duration_ns", stats->end_ns - stats->begin_ns);
	vhu_json_unsigned(json, "clock_backs", stats->clock_backs);
	vhu_json_unsigned(json, "messages", stats->from[0] + stats->from[1]);
	vhu_json_unsigned(json, "from_front_end", stats->from[0]);
	vhu_json_unsigned(json, "from_back_end", stats->from[1]);
	vhu_json_unsigned(json, "unknown_messages", stats->unknown);
	vhu_json_unsigned(json, "earlier_messages", stats->earlier);
	for (int i = VHU_SEVERITIES - 1; i >= 0; i--)
		vhu_json_unsigned(json, found[i], stats->found[i]);
	vhu_json_unsigned(json, "snapshots", stats->snapshots);
	vhu_json_unsigned(json, "hanging_snapshots", stats->hangs);
	if (stats->hangs)
		vhu_json_string(json, "last_hang", stats->hang);
}

/* Write the parts of the set-up. */
static void put_setup(struct vhu_json *json, const struct vhu_stats *stats)
{
	const struct vhu_stats_setup *setup = &stats->setup;

	vhu_json_array(json, "setup");
	for (unsigned i = 0; i < VHU_PHASES; i++) {
		const struct vhu_stats_phase *phase = &setup->phase[i];

		if (!phase->first)
			continue;
		vhu_json_object(json, NULL);
		vhu_json_string(json, "part", vhu_stats_phase_name((enum vhu_stats_phase_id)i));
		vhu_json_unsigned(json, "after_ns",
				  vhu_elapsed_ns(stats->begin_ns, phase->begin_ns));
		vhu_json_unsigned(json, "duration_ns",
				  vhu_elapsed_ns(phase->begin_ns, phase->end_ns));
		vhu_json_unsigned(json, "waiting_ns", phase->waiting_ns);
		vhu_json_unsigned(json, "first_number", phase->first);
		vhu_json_unsigned(json, "last_number", phase->last);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
	if (!setup->first_kick)
		return;
	vhu_json_object(json, "first_kick");
	vhu_json_unsigned(json, "after_ns", vhu_elapsed_ns(stats->begin_ns, setup->first_kick_ns));
	vhu_json_unsigned(json, "number", setup->first_kick);
	vhu_json_object_end(json);
}

/* Write how often each message passed, and how long its answers took. */
static void put_messages(struct vhu_json *json, const struct vhu_stats *stats)
{
	vhu_json_array(json, "by_message");
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		if (!stats->requests[i] && !stats->replies[i])
			continue;
		vhu_json_object(json, NULL);
		vhu_json_string(json, "channel", vhu_channel_name(vhu_messages[i].channel));
		vhu_json_string(json, "message", vhu_messages[i].name);
		vhu_json_unsigned(json, "request_count", stats->requests[i]);
		vhu_json_unsigned(json, "reply_count", stats->replies[i]);
		if (stats->delay[i])
			vhu_histogram_times_json(json, "delay", stats->delay[i]);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write what was recorded of kicks, wakes and calls. */
static void put_events(struct vhu_json *json, const struct vhu_stats *stats)
{
	static const char *const time[VHU_STATS_TIMES] = {
	    [VHU_STATS_KICK_TO_WAKE] = "kick_to_wake",
	    [VHU_STATS_WAKE_TO_CALL] = "wake_to_call",
	    [VHU_STATS_KICK_TO_CALL] = "kick_to_call",
	};

	vhu_json_array(json, "by_vring");
	for (unsigned i = 0; i < VHU_STATS_VRINGS; i++) {
		const struct vhu_stats_vring *vring = stats->vring[i];

		if (!vring)
			continue;
		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "vring", i);
		vhu_json_unsigned(json, "kicks", vring->signals[VHU_ACT_KICK]);
		vhu_json_unsigned(json, "wakes", vring->signals[VHU_ACT_WAKE]);
		vhu_json_unsigned(json, "calls", vring->signals[VHU_ACT_CALL]);
		vhu_json_unsigned(json, "errors", vring->signals[VHU_ACT_ERR]);
		vhu_json_unsigned(json, "lost_kicks", vring->lost[VHU_ACT_KICK]);
		vhu_json_unsigned(json, "lost_calls", vring->lost[VHU_ACT_CALL]);
		for (unsigned j = 0; j < VHU_STATS_TIMES; j++)
			if (vring->time[j].count)
				vhu_histogram_times_json(json, time[j], &vring->time[j]);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
	if (stats->events_left_out)
		vhu_json_unsigned(json, "events_left_out", stats->events_left_out);
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

	vhu_json_document(&json, NULL, "stats/1");
	vhu_json_string(&json, "type", state ? "session" : "total");
	if (file)
		vhu_json_string(&json, "file", file);
	if (state)
		vhu_json_unsigned(&json, "session", state->id);
	else
		vhu_json_unsigned(&json, "session_count", stats->sessions);
	put_counts(&json, stats);
	put_messages(&json, stats);
	put_events(&json, stats);
	if (state)
		put_state(&json, stats, state);
	vhu_json_object_end(&json);
	putchar('\n');
}
