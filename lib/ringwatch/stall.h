/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What counts as stalled: a vring that hangs, a request that gets no reply, and how that is said.
 */
#ifndef VHU_RINGWATCH_STALL_H
#define VHU_RINGWATCH_STALL_H

#include "lib/protocol/line.h"
#include "lib/ringwatch/vring.h"
#include "lib/util/util.h"

/* The shortest time after which something may count as stalled. */
#define VHU_STALL_LEAST_NS  (200 * VHU_NS_PER_MS)
/* What is said of a shorter one, for printf. */
#define VHU_STALL_TOO_SHORT "%s: too short for a stall: 200ms or more"

/* Return how long to wait from one look to the next if what has waited for @stall_ns is stalled. */
uint64_t vhu_stall_look_every(uint64_t stall_ns);

/* Return whether a vring was at rest for @stall_ns by the latest look, and nothing was said of it
 * since: it is to be judged. */
bool vhu_stall_is_due(const struct vhu_ringwatch_vring *vring, uint64_t stall_ns);

/* Return whether a verdict on a vring that was at rest means that it has stalled. */
bool vhu_stall_is_one(const struct vhu_ring_verdict *verdict);

/* The request of a session that has waited longest, from look to look; begins as all 0. */
struct vhu_stall_pending {
	uint64_t number;   /* of the request; 0: none */
	uint64_t since_ns; /* since when it is known to wait, by the clock of looks */
	bool said;
};

/* See which request waits at a look. Returns whether it has waited for @stall_ns, once for each. */
bool vhu_stall_pending_look(struct vhu_stall_pending *known, const struct vhu_ring_pending *pending,
			    uint64_t stall_ns);

/* Write that a request waits: "the back-end has not answered GET_CONFIG for 5.02 s (pid 7, state T)
 * (D14)". @why: is added to that; "" nothing. @process: who should answer. */
void vhu_stall_pending_text(struct vhu_line *line, const struct vhu_ring_pending *pending,
			    const char *why, const struct vhu_ring_process *process);

#endif
