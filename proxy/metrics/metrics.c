/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts that outlive sessions. */
#include "proxy/metrics/metrics.h"

#include <stdlib.h>

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
	vhu_metrics_vrings_free(&metrics->vrings);
	free(metrics->found);
	free(metrics);
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
		vhu_metrics_times_add(message->waited, now_ns - asked_ns, 1);
}

void vhu_metrics_signals(struct vhu_metrics *metrics, uint32_t vring, enum vhu_vring_role role,
			 uint64_t signals, uint64_t lost, uint64_t kick_to_call_ns)
{
	struct vhu_metrics_vring *counted =
	    metrics ? vhu_metrics_vring(&metrics->vrings, vring) : NULL;

	if (!counted)
		return;
	counted->signals[role] += signals;
	counted->lost[role] += lost;
	if (kick_to_call_ns)
		vhu_metrics_times_add(&counted->kick_to_call, kick_to_call_ns, 1);
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
	if (metrics)
		vhu_metrics_vrings_stalled(&metrics->vrings, verdict);
}
