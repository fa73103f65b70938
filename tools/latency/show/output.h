/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted, as people and programs read it. */
#ifndef VHU_TOOLS_LATENCY_OUTPUT_H
#define VHU_TOOLS_LATENCY_OUTPUT_H

#include <stdio.h>

#include "tools/latency/sources/learn.h"
#include "tools/latency/vrings/vrings.h"

/* Write a table, a line a vring, of what was counted in the last @interval_ns; 0: since the start.
 */
void vhu_latency_table(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
		       uint64_t interval_ns);
/* Write all there is about each vring. @histogram: with bars. */
void vhu_latency_summary(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
			 bool histogram);
/* Write the eventfds that are signalled and never read. @learn: NULL: none. */
void vhu_latency_unread(FILE *to, const struct vhu_learn *learn);

/* Return how often something happened in a second; @ns 0: @count. */
uint64_t vhu_latency_rate(uint64_t count, uint64_t ns);

/* Lines of JSON. That the watch has begun: */
void vhu_latency_json_start(FILE *to, const struct vhu_latency_vrings *vrings);
/* One for each vring, with what was counted in the last @interval_ns. */
void vhu_latency_json_interval(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
			       uint64_t interval_ns);
/* All there is about each vring, counted from the start. @learn: NULL: no vring is to be learnt. */
void vhu_latency_json(FILE *to, const struct vhu_latency_vrings *vrings,
		      const struct vhu_learn *learn, uint64_t now_ns);

#endif
