/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the records of sessions tell of vrings: which eventfds they have. */
#ifndef VHU_TOOLS_LATENCY_TOLD_H
#define VHU_TOOLS_LATENCY_TOLD_H

#include "lib/session/session.h"
#include "tools/latency/vrings/vrings.h"

/*
 * Take one record: say in @vrings which eventfds its session's vrings have from now on.
 * @number: of the record. @time_ns: its time, by CLOCK_MONOTONIC.
 * Needs the lock of @vrings. Returns 0; -ENOMEM: out of memory or of vrings.
 */
int vhu_latency_told_take(struct vhu_latency_vrings *vrings, struct vhu_sessions *sessions,
			  const struct vhu_record *record, uint64_t number, uint64_t time_ns);

#endif
