/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was recorded of kicks, wakes and calls, vring by vring. */
#include <errno.h>
#include <stdlib.h>

#include "tools/stats/stats.h"

/* Return what is counted of a vring, made if it is new; NULL out of memory. */
static struct vhu_stats_vring *vring_of(struct vhu_stats *stats, unsigned index)
{
	if (!stats->vring[index])
		stats->vring[index] = calloc(1, sizeof(*stats->vring[index]));
	return stats->vring[index];
}

int vhu_stats_vring_see(struct vhu_stats *stats, const struct vhu_vring_event *event)
{
	const struct {
		uint16_t has;
		uint64_t ns;
	} time[VHU_STATS_TIMES] = {
	    [VHU_STATS_KICK_TO_WAKE] = {VHU_VRING_HAS_KICK_TO_WAKE, event->kick_to_wake},
	    [VHU_STATS_WAKE_TO_CALL] = {VHU_VRING_HAS_WAKE_TO_CALL, event->wake_to_call},
	    [VHU_STATS_KICK_TO_CALL] = {VHU_VRING_HAS_KICK_TO_CALL, event->kick_to_call},
	};
	const uint64_t signals = event->has & VHU_VRING_HAS_FATE ? event->signals : 1;
	struct vhu_stats_vring *vring;
	int error = 0;

	if (event->vring >= VHU_STATS_VRINGS || (unsigned)event->act >= VHU_ACTS) {
		stats->events_left_out++;
		return 0;
	}
	vring = vring_of(stats, event->vring);
	if (!vring)
		return -ENOMEM;
	vring->signals[event->act] += signals;
	if (event->has & VHU_VRING_HAS_FATE && event->fate == VHU_FATE_LOST)
		vring->lost[event->act] += signals;
	for (unsigned i = 0; i < VHU_STATS_TIMES && !error; i++)
		if (event->has & time[i].has)
			error = vhu_histogram_add(&vring->time[i], time[i].ns, 1);
	return error;
}

int vhu_stats_vrings_add(struct vhu_stats *to, const struct vhu_stats *from)
{
	to->events_left_out += from->events_left_out;
	for (unsigned i = 0; i < VHU_STATS_VRINGS; i++) {
		struct vhu_stats_vring *vring;

		if (!from->vring[i])
			continue;
		vring = vring_of(to, i);
		if (!vring)
			return -ENOMEM;
		for (unsigned act = 0; act < VHU_ACTS; act++) {
			vring->signals[act] += from->vring[i]->signals[act];
			vring->lost[act] += from->vring[i]->lost[act];
		}
		for (unsigned j = 0; j < VHU_STATS_TIMES; j++)
			if (vhu_histogram_merge(&vring->time[j], &from->vring[i]->time[j]))
				return -ENOMEM;
	}
	return 0;
}

void vhu_stats_vrings_free(struct vhu_stats *stats)
{
	for (unsigned i = 0; i < VHU_STATS_VRINGS; i++) {
		if (!stats->vring[i])
			continue;
		for (unsigned j = 0; j < VHU_STATS_TIMES; j++)
			vhu_histogram_free(&stats->vring[i]->time[j]);
		free(stats->vring[i]);
		stats->vring[i] = NULL;
	}
}
