/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules share among themselves. */
#ifndef VHU_SESSION_RULES_INTERNAL_H
#define VHU_SESSION_RULES_INTERNAL_H

#include "lib/session/rules/check.h"

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
	const uint64_t now = check->record ? check->record->time_ns : check->state->last_ns;

	return now > time_ns ? now - time_ns : 0;
}

/* vring.c: what several rules say about vrings. */

/* Return whether the queues that a back-end tells of are pairs of vrings: for all that is known. */
bool vhu_check_counts_pairs(const struct vhu_state *state);

/* Return how many vrings there can be, by what the back-end told. */
uint64_t vhu_check_vring_limit(const struct vhu_check_context *check);

/* Report how often a running vring's call was replaced. */
void vhu_report_replaced(struct vhu_check_context *check, unsigned index,
			 const struct vhu_vring_fd *call);

/* Report that a vring's first kick may be lost. */
void vhu_report_kick_lost(struct vhu_check_context *check, unsigned index);

#endif
