/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics of a session as its records come. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/util.h"
#include "tools/stats/stats.h"

/* Learn who is at one side. */
static void see_peer(struct vhu_stats_peer *to, const struct vhu_peer *peer)
{
	to->known = peer->known;
	to->pid = peer->pid;
	snprintf(to->comm, sizeof(to->comm), "%s", peer->comm ? peer->comm : "");
	snprintf(to->path, sizeof(to->path), "%s", peer->path ? peer->path : "");
}

/* Return the histogram of a message's replies, made if it is new; NULL out of memory. */
static struct vhu_histogram *delays_of(struct vhu_stats *stats, enum vhu_message_id id)
{
	if (!stats->delay[id])
		stats->delay[id] = calloc(1, sizeof(*stats->delay[id]));
	return stats->delay[id];
}

/* Count a message. Returns 0 or -ENOMEM. */
static int see_message(struct vhu_stats *stats, const struct vhu_record *record,
		       const struct vhu_annotation *note)
{
	struct vhu_histogram *delays;

	stats->from[record->from_back_end]++;
	if (!note->message) {
		stats->unknown++;
		return 0;
	}
	if (!note->reply) {
		stats->requests[note->message->id]++;
		return 0;
	}
	stats->replies[note->message->id]++;
	if (!note->request_number || note->clock_back)
		return 0;
	delays = delays_of(stats, note->message->id);
	return delays ? vhu_histogram_add(delays, note->delay_ns, 1) : -ENOMEM;
}

/* See what passed before the capture, or this part of it, began: it counts for nothing, but for who
 * is there. */
static void see_earlier(struct vhu_stats *stats, const struct vhu_record *record)
{
	if (record->type == VHU_RECORD_MESSAGE)
		stats->earlier++;
	if (record->type != VHU_RECORD_OPENED || record->channel != VHU_FRONT_END)
		return;
	see_peer(&stats->peer[0], &record->front_end);
	see_peer(&stats->peer[1], &record->back_end);
}

/* Count a snapshot. */
static void see_snapshot(struct vhu_stats *stats, const struct vhu_vring_snapshot *snapshot)
{
	stats->snapshots++;
	if (!snapshot->hangs)
		return;
	stats->hangs++;
	vhu_snapshot_text(snapshot, stats->hang, sizeof(stats->hang));
}

int vhu_stats_see(struct vhu_stats *stats, const struct vhu_record *record, uint64_t number,
		  const struct vhu_annotation *note)
{
	for (unsigned i = 0; i < note->findings; i++)
		stats->found[note->finding[i].rule->severity]++;
	stats->sessions = 1;
	if (!record)
		return 0;
	if (record->marks & VHU_MARK_EARLIER) {
		see_earlier(stats, record);
		return 0;
	}
	/* Channels are read one by one: a record may be a little older than the one before it. */
	if (vhu_elapsed_ns(record->time_ns, stats->last_ns) > VHU_NS_PER_MS)
		stats->clock_backs++;
	stats->last_ns = record->time_ns;
	if (!stats->begin_ns || record->time_ns < stats->begin_ns)
		stats->begin_ns = record->time_ns;
	if (record->time_ns > stats->end_ns)
		stats->end_ns = record->time_ns;
	if (record->channel == VHU_FRONT_END && record->type == VHU_RECORD_OPENED) {
		see_peer(&stats->peer[0], &record->front_end);
		see_peer(&stats->peer[1], &record->back_end);
	}
	if (record->channel == VHU_FRONT_END && record->type == VHU_RECORD_CLOSED) {
		stats->closed = true;
		snprintf(stats->reason, sizeof(stats->reason), "%s",
			 record->text ? record->text : "");
	}
	if (record->type == VHU_RECORD_SNAPSHOT)
		see_snapshot(stats, &record->snapshot);
	if (record->type == VHU_RECORD_VRING)
		return vhu_stats_vring_see(stats, &record->vring);
	if (record->type != VHU_RECORD_MESSAGE)
		return 0;
	/* The timing of a set-up that began before the capture is not known. */
	if (!stats->earlier)
		vhu_stats_setup_see(&stats->setup, record, number, note);
	return see_message(stats, record, note);
}

int vhu_stats_add(struct vhu_stats *to, const struct vhu_stats *from)
{
	to->sessions += from->sessions;
	if (!to->begin_ns || (from->begin_ns && from->begin_ns < to->begin_ns))
		to->begin_ns = from->begin_ns;
	if (from->end_ns > to->end_ns)
		to->end_ns = from->end_ns;
	for (unsigned i = 0; i < 2; i++)
		to->from[i] += from->from[i];
	for (unsigned i = 0; i < VHU_SEVERITIES; i++)
		to->found[i] += from->found[i];
	to->unknown += from->unknown;
	to->clock_backs += from->clock_backs;
	to->earlier += from->earlier;
	to->snapshots += from->snapshots;
	to->hangs += from->hangs;
	if (from->hangs)
		memcpy(to->hang, from->hang, sizeof(to->hang));
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		struct vhu_histogram *delays;

		to->requests[i] += from->requests[i];
		to->replies[i] += from->replies[i];
		if (!from->delay[i])
			continue;
		delays = delays_of(to, (enum vhu_message_id)i);
		if (!delays || vhu_histogram_merge(delays, from->delay[i]))
			return -ENOMEM;
	}
	return vhu_stats_vrings_add(to, from);
}

void vhu_stats_free(struct vhu_stats *stats)
{
	vhu_stats_vrings_free(stats);
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		if (stats->delay[i])
			vhu_histogram_free(stats->delay[i]);
		free(stats->delay[i]);
		stats->delay[i] = NULL;
	}
}
