/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted on the vrings of a pair. */
#include "lib/metrics/vrings.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/metrics/text.h"
#include "lib/util/util.h"

const uint64_t vhu_metrics_bound_ns[VHU_METRICS_BOUNDS] = {
    VHU_NS_PER_MS / 100, VHU_NS_PER_MS / 10,  VHU_NS_PER_MS,
    10 * VHU_NS_PER_MS,  100 * VHU_NS_PER_MS, VHU_NS_PER_S,
};

void vhu_metrics_times_add(struct vhu_metrics_times *times, uint64_t ns, uint64_t count)
{
	unsigned at = 0;

	while (at < VHU_METRICS_BOUNDS && ns > vhu_metrics_bound_ns[at])
		at++;
	times->bucket[at] += count;
	times->count += count;
	times->sum_ns += ns * count;
}

struct vhu_metrics_vring *vhu_metrics_vring(struct vhu_metrics_vrings *vrings, uint32_t index)
{
	unsigned at = index < VHU_METRICS_VRINGS ? index : VHU_METRICS_VRINGS - 1;

	if (!vrings->vring[at])
		vrings->vring[at] = calloc(1, sizeof(*vrings->vring[at]));
	return vrings->vring[at];
}

void vhu_metrics_vrings_stalled(struct vhu_metrics_vrings *vrings, const char *verdict)
{
	if (!*verdict)
		verdict = "request";
	for (unsigned i = 0; i < VHU_METRICS_VERDICTS; i++) {
		if (!vrings->stall[i].count)
			snprintf(vrings->stall[i].verdict, VHU_METRICS_VERDICT, "%s", verdict);
		if (strcmp(vrings->stall[i].verdict, verdict) != 0)
			continue;
		vrings->stall[i].count++;
		return;
	}
}

void vhu_metrics_vrings_free(struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		free(vrings->vring[i]);
}

/* The labels of a vring. */
struct vring_labels {
	const char *pair;
	unsigned vring;
};

/* Write them. */
static void put_labels(FILE *to, const void *with)
{
	const struct vring_labels *labels = with;

	fprintf(to, "{pair=\"%s\",vring=\"%u\"", labels->pair, labels->vring);
}

/* Write a number of a vring. */
static void put_number(FILE *to, const char *name, const char *pair, unsigned vring, uint64_t value)
{
	fprintf(to, "%s{pair=\"%s\",vring=\"%u\"} %" PRIu64 "\n", name, pair, vring, value);
}

/* Write times of a vring, if it has had any. */
static void put_times(FILE *to, const char *name, const char *pair, unsigned vring,
		      const struct vhu_metrics_times *times, bool open_metrics)
{
	const struct vring_labels with = {pair, vring};
	const struct vhu_metrics_labels labels = {put_labels, &with};

	if (times->count)
		vhu_metrics_put_times(to, name, times, &labels, open_metrics);
}

void vhu_metrics_put_signals(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings,
			     const char *name, enum vhu_vring_role role, bool lost)
{
	char total[64];

	snprintf(total, sizeof(total), "%s_total", name);
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++) {
		const struct vhu_metrics_vring *vring = vrings->vring[i];

		if (vring)
			put_number(to, total, pair, i,
				   lost ? vring->lost[role] : vring->signals[role]);
	}
}

void vhu_metrics_put_kick_to_call(FILE *to, const char *pair,
				  const struct vhu_metrics_vrings *vrings, bool open_metrics)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		if (vrings->vring[i])
			put_times(to, "vhu_kick_to_call_seconds", pair, i,
				  &vrings->vring[i]->kick_to_call, open_metrics);
}

void vhu_metrics_put_stalled(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < VHU_METRICS_VERDICTS; i++)
		count += vrings->stall[i].count;
	fprintf(to, "vhu_stalled_total{pair=\"%s\"} %" PRIu64 "\n", pair, count);
}

void vhu_metrics_put_stalls(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VERDICTS && vrings->stall[i].count; i++)
		fprintf(to, "vhu_stalls_total{pair=\"%s\",verdict=\"%s\"} %" PRIu64 "\n", pair,
			vrings->stall[i].verdict, vrings->stall[i].count);
}

static void kicks(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	vhu_metrics_put_signals(to, pair, vrings, "vhu_kicks", VHU_KICK, false);
}

static void calls(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	vhu_metrics_put_signals(to, pair, vrings, "vhu_calls", VHU_CALL, false);
}

static void kick_to_call(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	vhu_metrics_put_kick_to_call(to, pair, vrings, false);
}

static void wakes(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		if (vrings->vring[i])
			put_number(to, "vhu_wakes_total", pair, i, vrings->vring[i]->wakes);
}

static void kick_to_wake(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		if (vrings->vring[i])
			put_times(to, "vhu_kick_to_wake_seconds", pair, i,
				  &vrings->vring[i]->kick_to_wake, false);
}

static void wake_to_call(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		if (vrings->vring[i])
			put_times(to, "vhu_wake_to_call_seconds", pair, i,
				  &vrings->vring[i]->wake_to_call, false);
}

static void waiting(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		if (vrings->vring[i])
			put_number(to, "vhu_kicks_waiting", pair, i, vrings->vring[i]->waiting);
}

static void oldest(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		if (vrings->vring[i])
			fprintf(to, "vhu_oldest_kick_seconds{pair=\"%s\",vring=\"%u\"} %.6f\n",
				pair, i, (double)vrings->vring[i]->oldest_ns / 1e9);
}

void vhu_metrics_put_probes(FILE *to, struct vhu_metrics_pair *const *pair, unsigned pairs)
{
	static const struct {
		const char *name, *type, *help;
		void (*put)(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings);
	} family[] = {
	    {VHU_METRICS_KICKS, kicks},
	    {"vhu_wakes", "counter", "Times that a back-end read its kick, by vring.", wakes},
	    {VHU_METRICS_CALLS, calls},
	    {"vhu_kick_to_wake_seconds", "histogram",
	     "Time from a kick until the back-end reads it, by vring.", kick_to_wake},
	    {"vhu_wake_to_call_seconds", "histogram",
	     "Time from a back-end's reading of a kick to the next call, by vring.", wake_to_call},
	    {VHU_METRICS_KICK_TO_CALL, kick_to_call},
	    {"vhu_kicks_waiting", "gauge", "Kicks that no call has followed, by vring.", waiting},
	    {"vhu_oldest_kick_seconds", "gauge",
	     "How long the oldest of these has waited, by vring; 0: none has.", oldest},
	    {VHU_METRICS_STALLED, vhu_metrics_put_stalled},
	    {VHU_METRICS_STALLS, vhu_metrics_put_stalls},
	};
	char label[3 * PATH_MAX];

	for (size_t f = 0; f < VHU_ARRAY_SIZE(family); f++) {
		vhu_metrics_put_head(to, family[f].name, family[f].type, family[f].help, false);
		for (unsigned i = 0; i < pairs; i++) {
			vhu_metrics_escape(pair[i]->name, label, sizeof(label));
			family[f].put(to, label, &pair[i]->vrings);
		}
	}
}
