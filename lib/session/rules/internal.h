/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules share among themselves. */
#ifndef VHU_SESSION_RULES_INTERNAL_H
#define VHU_SESSION_RULES_INTERNAL_H

#include "lib/session/rules/check.h"
#include "lib/util/util.h"

/* "Within a moment": what closes so soon after a message most likely closed because of it. */
#define VHU_MOMENT_NS UINT64_C(10000000)

#define VHU_RING_SIZE_MAX 32768

/* report.c: how rules report. */

/* Report that a rule is broken. @other: the number of a record that has to do with it, or 0. */
void vhu_report(struct vhu_check_context *check, enum vhu_rule_at rule, uint64_t other,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Return true the first time that it is asked of a rule in a session. */
bool vhu_report_first(struct vhu_check_context *check, enum vhu_rule_at rule);

/* Return how many nanoseconds before this record @time_ns was; 0 if it was not. */
static inline uint64_t vhu_check_since(const struct vhu_check_context *check, uint64_t time_ns)
{
	return vhu_elapsed_ns(time_ns,
			      check->record ? check->record->time_ns : check->state->last_ns);
}

/* inflight.c */

/* Look at a vring that was just started against the area that tracks its requests. */
void vhu_rules_inflight_start(struct vhu_check_context *check, int index,
			      const struct vhu_vring *vring);

/* reply.c */

/* Return how long a request may wait for its answer, in nanoseconds. */
uint64_t vhu_reply_limit(const struct vhu_check_context *check, const struct vhu_message *message);

/* vring.c: what several rules say about vrings. */

/* Return whether the queues that a back-end tells of are pairs of vrings: for all that is known. */
bool vhu_check_counts_pairs(const struct vhu_state *state);

/* Return how many vrings there can be, by what the back-end told. */
uint64_t vhu_check_vring_limit(const struct vhu_check_context *check);

/* Report how often a running vring's call was replaced. */
void vhu_report_replaced(struct vhu_check_context *check, unsigned index,
			 const struct vhu_vring_fd *call);

#endif
