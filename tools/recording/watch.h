/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who watches records go by for sessions that end badly, as vhu check would say it of a capture. */
#ifndef VHU_TOOLS_RECORDING_WATCH_H
#define VHU_TOOLS_RECORDING_WATCH_H

#include "lib/cause/cause.h"
#include "lib/session/session.h"
#include "tools/by_session.h"

struct vhu_recording_watch {
	struct vhu_sessions *sessions;
	struct vhu_by_session open;
	uint64_t records;
	unsigned bad;                 /* sessions that ended badly */
	uint64_t session;             /* the first of them */
	char why[VHU_CAUSE_TEXT_MAX]; /* what there is to say of it; its numbers count records */
};

/* Begin to watch, with nothing known. Returns 0 or -ENOMEM; after 0 vhu_recording_watch_end ends
 * it. */
int vhu_recording_watch_start(struct vhu_recording_watch *watch);
void vhu_recording_watch_end(struct vhu_recording_watch *watch);

/* See a record. Returns whether a session has ended badly with it. */
bool vhu_recording_watch_see(struct vhu_recording_watch *watch, const struct vhu_record *record);

/* See what a flight recorder writes, for vhu_flight_write. @context: the watch. */
void vhu_recording_watch_written(void *context, const struct vhu_record *record);

#endif
