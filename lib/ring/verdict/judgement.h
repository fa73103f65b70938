/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the judges of a vring share: a verdict that is being made, and how it is made out. */
#ifndef VHU_RING_VERDICT_JUDGEMENT_H
#define VHU_RING_VERDICT_JUDGEMENT_H

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

/* Begin a verdict. Returns true, so that a judge can end with it. */
bool vhu_judge_as(struct vhu_judgement *judgement, enum vhu_ring_verdict_id id, bool hangs);

/* Add a cause that the evidence fits as well. */
void vhu_judge_or(struct vhu_judgement *judgement, enum vhu_ring_verdict_id id);

/* Add to the text: "3 buffers wait", "3 descriptors wait for 5.30 s". */
void vhu_judge_waits(struct vhu_judgement *judgement);

/* What to do if a fault of the proxy lost a signal. */
#define VHU_JUDGE_REMOVE_FAULT                                                                     \
	"`vhu ctl faults` lists the proxy's faults, and `vhu ctl faults remove` ends one; "        \
	"`vhu ctl kick` and `vhu ctl call` signal again"

/* Add to the text what state a process is in, if that is worth saying: ", the back-end (pid 7) is
 * stopped (T)"; and say what to do about it. */
void vhu_judge_process(struct vhu_judgement *judgement, const char *who,
		       const struct vhu_ring_process *process);

/* Return whether an eventfd was signalled and not read. At rest the older sample says the same. */
bool vhu_judge_pending(const struct vhu_ring_counter *counter);

/* Return whether kicks and calls took turns, each kick with a call of its own, until the last
 * kicks, which have none. */
bool vhu_judge_took_turns(const struct vhu_judgement *judgement);

/*
 * Return whether the requests that were completed last were under way one at a time. With several
 * under way turns prove nothing: a call may answer a request whose kick follows, if the back-end
 * found it while it worked on another one.
 */
bool vhu_judge_one_at_a_time(const struct vhu_judgement *judgement);

/* Return what the vring's buffers are for, as far as the device and the buffers themselves say. */
enum vhu_ring_role vhu_judge_role(const struct vhu_judgement *judgement);

#endif
