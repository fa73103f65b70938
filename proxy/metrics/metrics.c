/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts that outlive sessions. */
#include "proxy/metrics/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/util.h"

const uint64_t vhu_metrics_bound_ns[VHU_METRICS_BOUNDS] = {
    VHU_NS_PER_MS / 100, VHU_NS_PER_MS / 10,  VHU_NS_PER_MS,
    10 * VHU_NS_PER_MS,  100 * VHU_NS_PER_MS, VHU_NS_PER_S,
};

struct vhu_metrics *vhu_metrics_new(void)
{
	return calloc(1, sizeof(struct vhu_metrics));
}

void vhu_metrics_free(struct vhu_metrics *metrics)
{
	if (!metrics)
		return;
	for (unsigned channel = 0; channel < VHU_CHANNELS; channel++)
		for (unsigned i = 0; i <= VHU_METRICS_IDS; i++)
			free(metrics->message[channel][i].waited);
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		free(metrics->vring[i]);
	free(metrics->found);
	free(metrics);
}

/* Add a time. */
static void add_time(struct vhu_metrics_times *times, uint64_t ns)
{
	unsigned at = 0;

	while (at < VHU_METRICS_BOUNDS && ns > vhu_metrics_bound_ns[at])
		at++;
	times->bucket[at]++;
	times->count++;
	times->sum_ns += ns;
}

void vhu_metrics_ended(struct vhu_metrics *metrics, enum vhu_metrics_end how)
{
	if (metrics)
		metrics->ended[how]++;
}

void vhu_metrics_passed(struct vhu_metrics *metrics, enum vhu_channel channel, uint32_t request,
			bool reply, uint64_t asked_ns, uint64_t now_ns)
{
	struct vhu_metrics_message *message;

	if (!metrics)
		return;
	message = &metrics->message[channel][request < VHU_METRICS_IDS ? request : VHU_METRICS_IDS];
	if (!reply) {
		message->requests++;
		return;
	}
	message->replies++;
	if (!asked_ns)
		return;
	if (!message->waited)
		message->waited = calloc(1, sizeof(*message->waited));
	if (message->waited)
		add_time(message->waited, now_ns - asked_ns);
}

void vhu_metrics_signals(struct vhu_metrics *metrics, uint32_t vring, enum vhu_vring_role role,
			 uint64_t signals, uint64_t lost, uint64_t kick_to_call_ns)
{
	unsigned at = vring < VHU_METRICS_VRINGS ? vring : VHU_METRICS_VRINGS - 1;

	if (!metrics)
		return;
	if (!metrics->vring[at])
		metrics->vring[at] = calloc(1, sizeof(*metrics->vring[at]));
	if (!metrics->vring[at])
		return;
	metrics->vring[at]->signals[role] += signals;
	metrics->vring[at]->lost[role] += lost;
	if (kick_to_call_ns)
		add_time(&metrics->vring[at]->kick_to_call, kick_to_call_ns);
}

void vhu_metrics_found(struct vhu_metrics *metrics, enum vhu_rule_at rule)
{
	if (!metrics)
		return;
	if (!metrics->found)
		metrics->found = calloc(VHU_RULES, sizeof(*metrics->found));
	if (metrics->found)
		metrics->found[rule]++;
}

void vhu_metrics_stalled(struct vhu_metrics *metrics, const char *verdict)
{
	if (!metrics)
		return;
	if (!*verdict)
		verdict = "request";
	for (unsigned i = 0; i < VHU_METRICS_VERDICTS; i++) {
		if (!metrics->stall[i].count)
			snprintf(metrics->stall[i].verdict, VHU_METRICS_VERDICT, "%s", verdict);
		if (strcmp(metrics->stall[i].verdict, verdict) != 0)
			continue;
		metrics->stall[i].count++;
		return;
	}
}
