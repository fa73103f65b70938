/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is measured between a kick and its call, in the order of the output. */
#ifndef VHU_TOOLS_LATENCY_STAGES_H
#define VHU_TOOLS_LATENCY_STAGES_H

#include "lib/util/histogram.h"
#include "tools/latency/vrings/vrings.h"

/* A stage. Those inside wake to call are not always watched. */
struct vhu_latency_stage {
	const char *name, *key;
	bool inside;
	unsigned number; /* enum vhu_bpf_inner where inside, else enum vhu_bpf_stage */
};

#define VHU_LATENCY_STAGES 6
extern const struct vhu_latency_stage vhu_latency_stage[VHU_LATENCY_STAGES];

/* Return whether a stage is watched. */
bool vhu_latency_stage_is_watched(const struct vhu_latency_vrings *vrings,
				  const struct vhu_latency_stage *which);

/* Return a stage's buckets as the probes counted, and in *@greatest the greatest value. */
const uint64_t *vhu_latency_stage_buckets(const struct vhu_latency_vring *vring,
					  const struct vhu_latency_stage *which,
					  uint64_t *greatest);

/* Make a histogram of what the probes counted, to be freed. Out of memory it lacks some. */
struct vhu_histogram vhu_latency_stage_histogram(const struct vhu_latency_vring *vring,
						 const struct vhu_latency_stage *which);

#endif
