/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How rules report what breaks them. */
#ifndef VHU_SESSION_RULES_REPORT_H
#define VHU_SESSION_RULES_REPORT_H

#include "lib/session/check_context.h"
#include "lib/session/rules/table.h"
#include "lib/util/util.h"

/* "Within a moment": what closes so soon after a message most likely closed because of it. */
#define VHU_MOMENT_NS UINT64_C(10000000)

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

#endif
