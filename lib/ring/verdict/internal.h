/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the judges share. A judge knows one group of causes: it returns true if it has found one,
 * with the verdict made out. verdict.c asks them in order, the surest first.
 */
#ifndef VHU_RING_VERDICT_INTERNAL_H
#define VHU_RING_VERDICT_INTERNAL_H

#include "lib/protocol/line.h"
#include "lib/ring/verdict/verdict.h"

/* A verdict that is being made. */
struct vhu_judgement {
	const struct vhu_ring_evidence *evidence;
	const struct vhu_ring_snapshot *ring; /* of the newer sample */
	struct vhu_ring_verdict *verdict;
	struct vhu_line text;
	bool readable; /* both rings were read */
	bool still;    /* nothing moved from the older sample to the newer */
};

/* control.c: D14, D9, D10, D19: what the sockets, the mappings and the session say. */
bool vhu_judge_control(struct vhu_judgement *judgement);
bool vhu_judge_mappings(struct vhu_judgement *judgement);
bool vhu_judge_stopped(struct vhu_judgement *judgement);
bool vhu_judge_dead(struct vhu_judgement *judgement);

/* memory.c: D9 by views, D11, D17, D18, D12: what the memory says. */
bool vhu_judge_views(struct vhu_judgement *judgement);
bool vhu_judge_indexes(struct vhu_judgement *judgement);
bool vhu_judge_restart(struct vhu_judgement *judgement);
bool vhu_judge_chains(struct vhu_judgement *judgement);
bool vhu_judge_inflight(struct vhu_judgement *judgement);

/* kick.c: D16, D3, D15, D2, D4, D2b, D1: something waits. */
bool vhu_judge_busy_loop(struct vhu_judgement *judgement);
bool vhu_judge_deaf(struct vhu_judgement *judgement);
bool vhu_judge_waiting(struct vhu_judgement *judgement);

/* call.c: D7, D6, D5, D8, D13: everything is used. */
bool vhu_judge_call(struct vhu_judgement *judgement);
bool vhu_judge_idle(struct vhu_judgement *judgement);

/* Begin a verdict. Returns true, so that a judge can end with it. */
bool vhu_judge_as(struct vhu_judgement *judgement, enum vhu_ring_verdict_id id, bool hangs);

/* Add a cause that the evidence fits as well. */
void vhu_judge_or(struct vhu_judgement *judgement, enum vhu_ring_verdict_id id);

/* Add to the text: "3 buffers wait", "3 descriptors wait for 5.30 s". */
void vhu_judge_waits(struct vhu_judgement *judgement);

/* Add to the text what state a process is in, if that is worth saying: ", the back-end (pid 7) is
 * stopped (T)". */
void vhu_judge_process(struct vhu_judgement *judgement, const char *who,
		       const struct vhu_ring_process *process);

/* Return whether an eventfd was signalled and not read. At rest the older sample says the same. */
bool vhu_judge_pending(const struct vhu_ring_counter *counter);

/* Return what the vring's buffers are for, as far as the device and the buffers themselves say. */
enum vhu_ring_role vhu_judge_role(const struct vhu_judgement *judgement);

#endif
