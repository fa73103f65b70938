/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted, as people and programs read it. */
#ifndef VHU_TOOLS_LATENCY_OUTPUT_H
#define VHU_TOOLS_LATENCY_OUTPUT_H

#include <stdio.h>

#include "tools/latency/vrings/vrings.h"

/* Write a table, a line a vring, of what was counted in the last @interval_ns; 0: since the start.
 */
void vhu_latency_table(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
		       uint64_t interval_ns);
/* Write all there is about each vring. @histogram: with bars. */
void vhu_latency_summary(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
			 bool histogram);
/* Write the same as a line of JSON. */
void vhu_latency_json(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns);

#endif
