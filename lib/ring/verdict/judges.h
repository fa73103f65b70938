/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judges of a vring. A judge knows one group of causes: it returns true if it has found one,
 * with the verdict made out. verdict.c asks them in order, the surest first.
 */
#ifndef VHU_RING_VERDICT_JUDGES_H
#define VHU_RING_VERDICT_JUDGES_H

#include "lib/ring/verdict/judgement.h"

/* control.c: D14, D9, D10, D19, D21: what the sockets, the mappings, the session and the processes
 * say. */
bool vhu_judge_control(struct vhu_judgement *judgement);
bool vhu_judge_proxy(struct vhu_judgement *judgement);
bool vhu_judge_mappings(struct vhu_judgement *judgement);
bool vhu_judge_stopped(struct vhu_judgement *judgement);
bool vhu_judge_dead(struct vhu_judgement *judgement);

/* memory.c: D9 by views, D11, D17, D18, D12: what the memory says. */
bool vhu_judge_views(struct vhu_judgement *judgement);
bool vhu_judge_indexes(struct vhu_judgement *judgement);
bool vhu_judge_restart(struct vhu_judgement *judgement);
bool vhu_judge_chains(struct vhu_judgement *judgement);
bool vhu_judge_inflight(struct vhu_judgement *judgement);

/* kick.c: D16, D3, D15, D2, D4, D2b, D1: something waits. D3 also without the memory. */
bool vhu_judge_not_read(struct vhu_judgement *judgement);
bool vhu_judge_busy_loop(struct vhu_judgement *judgement);
bool vhu_judge_deaf(struct vhu_judgement *judgement);
bool vhu_judge_waiting(struct vhu_judgement *judgement);

/* call.c: D7, D6, D5, D8, D13: everything is used. */
bool vhu_judge_call(struct vhu_judgement *judgement);
bool vhu_judge_idle(struct vhu_judgement *judgement);

#endif
