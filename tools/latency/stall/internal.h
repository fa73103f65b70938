/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the watchdog of vhu latency share. */
#ifndef VHU_TOOLS_LATENCY_STALL_INTERNAL_H
#define VHU_TOOLS_LATENCY_STALL_INTERNAL_H

#include "lib/ringwatch/record.h"
#include "lib/ringwatch/stall.h"
#include "tools/latency/stall/stall.h"
#include "tools/rings/target/target.h"

/* What is known of a vring from look to look. */
struct vhu_latency_stall_vring {
	uint64_t session; /* 0: without one */
	uint32_t index;
	bool seen; /* at this look */
	struct vhu_ringwatch_vring watched;
	/* At this look; NULL: the memory is not known, or the probes do not watch the vring. */
	struct vhu_rings_target *target;
	struct vhu_latency_vring *vring;
};

/* The request of a session that waits. */
struct vhu_latency_stall_request {
	uint64_t session;
	bool seen;
	struct vhu_stall_pending pending;
};

struct vhu_latency_stall {
	struct vhu_latency_stall_choice choice;
	uint64_t next_ns;
	/* The sessions, and their memory as it is open, when that was looked for last. */
	struct vhu_rings_sessions sessions;
	struct vhu_rings_targets targets;
	uint64_t opened_ns; /* 0: never */
	struct vhu_latency_stall_vring **vring;
	unsigned vrings;
	struct vhu_latency_stall_request *request;
	unsigned requests;
	struct vhu_ringwatch_room room;
};

/* memory.c */

/* Open the sessions' memory again if a session may have changed since, or if it must be fresh
 * (@again). */
void vhu_latency_stall_open(struct vhu_latency_stall *stall, const struct vhu_latency_told *told,
			    bool again);

/* sight.c */

/* Look at all vrings. Needs the vrings' lock, and counts that were just read. */
void vhu_latency_stall_see(struct vhu_latency_stall *stall);
/* Return the request of a session that waits, with how long it has by now. */
struct vhu_ring_pending vhu_latency_stall_pending(const struct vhu_latency_stall *stall,
						  const struct vhu_rings_session *session);

/* tell.c */

/* Say that a vring hangs, record it, and have the command run. */
void vhu_latency_stall_tell_vring(struct vhu_latency_stall *stall,
				  struct vhu_latency_stall_vring *vring,
				  const struct vhu_ring_verdict *verdict);
/* The same of a request that gets no reply. */
void vhu_latency_stall_tell_request(struct vhu_latency_stall *stall,
				    const struct vhu_rings_memory *memory,
				    const struct vhu_ring_pending *pending);

#endif
