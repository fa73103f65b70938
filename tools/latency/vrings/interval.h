/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted on a vring since the table before. */
#ifndef VHU_TOOLS_LATENCY_INTERVAL_H
#define VHU_TOOLS_LATENCY_INTERVAL_H

#include "tools/latency/vrings/vrings.h"

/* What had been counted when the interval began. */
struct vhu_latency_before {
	struct vhu_bpf_vring counts;
	struct vhu_bpf_inside inside;
};

/* Make *@interval a copy of @vring that holds what was counted since vhu_latency_interval_end; all
 * that there is if there was none. The greatest time is exact if it is the greatest of all; else it
 * is the end of the histogram's bucket. */
void vhu_latency_interval(struct vhu_latency_vring *interval,
			  const struct vhu_latency_vring *vring);

/* Begin the next interval of a vring with what is counted now. Out of memory it goes on. */
void vhu_latency_interval_end(struct vhu_latency_vring *vring);

#endif
