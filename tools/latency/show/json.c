/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted, as lines of JSON. */
#include "lib/util/json.h"

#include "bpf/vring/counts.h"
#include "bpf/vring/events.h"
#include "lib/util/util.h"
#include "tools/latency/show/output.h"
#include "tools/latency/show/stages.h"
#include "tools/latency/vrings/interval.h"

/* Begin a line. @type: what it is about. */
static void begin(struct vhu_json *json, const char *type)
{
	vhu_json_document(json, NULL, "latency/1");
	vhu_json_string(json, "type", type);
}

/* Write one stage. */
static void json_stage(struct vhu_json *json, const struct vhu_latency_vring *vring,
		       const struct vhu_latency_stage *which)
{
	struct vhu_histogram histogram = vhu_latency_stage_histogram(vring, which);

	vhu_histogram_times_json(json, which->key, &histogram);
	vhu_histogram_free(&histogram);
}

/* Write the kicks that wait. */
static void put_waiting(struct vhu_json *json, const struct vhu_latency_waiting *waiting)
{
	vhu_json_unsigned(json, "waiting", waiting->untaken + waiting->taken);
	vhu_json_unsigned(json, "waiting_taken", waiting->taken);
	vhu_json_unsigned(json, "oldest_ns", waiting->for_ns);
}

/* Write one vring. */
static void json_vring(struct vhu_json *json, const struct vhu_latency_vrings *vrings,
		       const struct vhu_latency_vring *vring, uint64_t now_ns)
{
	const struct vhu_bpf_vring *counts = &vring->counts;
	const struct vhu_latency_waiting waiting = vhu_latency_vring_waiting(vring, now_ns);

	vhu_json_object(json, NULL);
	vhu_json_unsigned(json, "session", vring->session);
	vhu_json_unsigned(json, "vring", vring->index);
	if (vring->fd[VHU_KICK].had)
		vhu_json_unsigned(json, "kick_eventfd_id", vring->fd[VHU_KICK].id);
	if (vring->fd[VHU_CALL].had)
		vhu_json_unsigned(json, "call_eventfd_id", vring->fd[VHU_CALL].id);
	vhu_json_bool(json, "ended", !vhu_latency_vring_is_wired(vring));
	vhu_json_bool(json, "polled", vring->polled);
	if (vring->left_known)
		vhu_json_unsigned(json, "buffers_left", vring->left);
	if (vring->seen)
		vhu_json_unsigned(json, "sure_percent", vring->sure);
	if (vring->kvm)
		vhu_json_bool(json, "kick_by_kvm", true);
	if (vring->session) {
		vhu_json_unsigned(json, "eventfds", vring->taken_up);
		vhu_json_unsigned(json, "unwatched_ns", vring->unwatched_ns);
		vhu_json_unsigned(json, "unwatched_most_ns", vring->unwatched_most_ns);
	}
	vhu_json_unsigned(json, "kicks", counts->kicks);
	vhu_json_unsigned(json, "wakes", counts->wakes);
	vhu_json_unsigned(json, "calls", counts->calls);
	vhu_json_unsigned(json, "coalesced", counts->coalesced);
	vhu_json_unsigned(json, "wakes_without_kick", counts->wakes_without_kick);
	vhu_json_unsigned(json, "calls_without_kick", counts->calls_without_kick);
	put_waiting(json, &waiting);
	if (vhu_probes_has_inside(vrings->probes)) {
		vhu_json_unsigned(json, "pops", vring->inside.pops);
		vhu_json_unsigned(json, "pushes", vring->inside.pushes);
	}
	for (size_t i = 0; i < VHU_LATENCY_STAGES; i++)
		if (vhu_latency_stage_is_watched(vrings, &vhu_latency_stage[i]))
			json_stage(json, vring, &vhu_latency_stage[i]);
	vhu_json_object_end(json);
}

void vhu_latency_json_start(FILE *to, const struct vhu_latency_vrings *vrings)
{
	struct vhu_json json = {.to = to};

	begin(&json, "start");
	vhu_json_string(&json, "hooks", vhu_hooks_name(vhu_probes_hooks(vrings->probes)));
	vhu_json_string(&json, "blind", vhu_probes_blind(vrings->probes));
	vhu_json_object_end(&json);
	fputc('\n', to);
}

/* Write what a vring counted in an interval. @vring: with the counts of that; @now: as it is. */
static void put_interval(struct vhu_json *json, const struct vhu_latency_vrings *vrings,
			 const struct vhu_latency_vring *vring,
			 const struct vhu_latency_waiting *waiting, uint64_t interval_ns)
{
	const struct vhu_bpf_vring *counts = &vring->counts;

	vhu_json_unsigned(json, "session", vring->session);
	vhu_json_unsigned(json, "vring", vring->index);
	if (vring->fd[VHU_KICK].wanted)
		vhu_json_unsigned(json, "kick_eventfd_id", vring->fd[VHU_KICK].id);
	vhu_json_unsigned(json, "interval_ns", interval_ns);
	vhu_json_bool(json, "ended", !vhu_latency_vring_is_wired(vring));
	vhu_json_bool(json, "polled", vring->polled);
	vhu_json_unsigned(json, "kicks", counts->kicks);
	vhu_json_unsigned(json, "wakes", counts->wakes);
	vhu_json_unsigned(json, "calls", counts->calls);
	vhu_json_unsigned(json, "coalesced", counts->coalesced);
	vhu_json_unsigned(json, "kicks_per_second", vhu_latency_rate(counts->kicks, interval_ns));
	vhu_json_unsigned(json, "wakes_per_second", vhu_latency_rate(counts->wakes, interval_ns));
	vhu_json_unsigned(json, "calls_per_second", vhu_latency_rate(counts->calls, interval_ns));
	put_waiting(json, waiting);
	for (size_t i = 0; i < VHU_LATENCY_STAGES; i++)
		if (vhu_latency_stage_is_watched(vrings, &vhu_latency_stage[i]))
			json_stage(json, vring, &vhu_latency_stage[i]);
}

void vhu_latency_json_interval(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
			       uint64_t interval_ns)
{
	const uint64_t time_ns = vhu_realtime_ns();
	static struct vhu_latency_vring part;

	for (unsigned i = 0; i < vrings->count; i++) {
		const struct vhu_latency_vring *vring = vrings->vring[i];
		const struct vhu_latency_waiting waiting = vhu_latency_vring_waiting(vring, now_ns);
		struct vhu_json json = {.to = to};

		/* One that ended has a last line, with what it counted until then. */
		if (!vring->ever_wired ||
		    (vring->ended_ns && vring->ended_ns + interval_ns < now_ns))
			continue;
		vhu_latency_interval(&part, vring);
		begin(&json, "interval");
		vhu_json_unsigned(&json, "time_ns", time_ns);
		put_interval(&json, vrings, &part, &waiting, interval_ns);
		vhu_json_object_end(&json);
		fputc('\n', to);
	}
}

/* Write which eventfds are kicked and not read. */
static void put_unread(struct vhu_json *json, const struct vhu_learn *learn)
{
	struct vhu_learn_unread list[VHU_LEARN_MAX];
	unsigned count = vhu_learn_unread(learn, list, VHU_LEARN_MAX);

	vhu_json_array(json, "unread_eventfds");
	for (unsigned i = 0; i < count; i++) {
		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "eventfd_id", list[i].id);
		if (list[i].kvm)
			vhu_json_unsigned(json, "vring", list[i].vring);
		vhu_json_unsigned(json, "kicks", list[i].kicks);
		if (list[i].count_known)
			vhu_json_unsigned(json, "count", list[i].count);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

void vhu_latency_json(FILE *to, const struct vhu_latency_vrings *vrings,
		      const struct vhu_learn *learn, uint64_t now_ns)
{
	struct vhu_json json = {.to = to};

	begin(&json, "counts");
	vhu_json_string(&json, "hooks", vhu_hooks_name(vhu_probes_hooks(vrings->probes)));
	vhu_json_string(&json, "blind", vhu_probes_blind(vrings->probes));
	vhu_json_unsigned(&json, "dropped", vhu_probes_dropped(vrings->probes));
	if (vhu_probes_has_inside(vrings->probes))
		vhu_json_unsigned(&json, "unplaced", vhu_probes_unplaced(vrings->probes));
	vhu_json_array(&json, "rings");
	for (unsigned i = 0; i < vrings->count; i++)
		if (vrings->vring[i]->ever_wired)
			json_vring(&json, vrings, vrings->vring[i], now_ns);
	vhu_json_array_end(&json);
	if (learn)
		put_unread(&json, learn);
	vhu_json_object_end(&json);
	fputc('\n', to);
}
