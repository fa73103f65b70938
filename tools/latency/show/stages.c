/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is measured between a kick and its call. */
#include "tools/latency/show/stages.h"

#include "bpf/vring/counts.h"

_Static_assert(VHU_HISTOGRAM_BUCKETS <= VHU_BPF_BUCKETS, "the probes have all buckets");

const struct vhu_latency_stage vhu_latency_stage[VHU_LATENCY_STAGES] = {
    {"kick to wake", "kick_to_wake", false, VHU_KICK_TO_WAKE},
    {"wake to call", "wake_to_call", false, VHU_WAKE_TO_CALL},
    {"wake to pop", "wake_to_pop", true, VHU_WAKE_TO_POP},
    {"pop to push", "pop_to_push", true, VHU_POP_TO_PUSH},
    {"push to call", "push_to_call", true, VHU_PUSH_TO_CALL},
    {"kick to call", "kick_to_call", false, VHU_KICK_TO_CALL},
};

bool vhu_latency_stage_is_watched(const struct vhu_latency_vrings *vrings,
				  const struct vhu_latency_stage *which)
{
	return !which->inside || vhu_probes_has_inside(vrings->probes);
}

const uint64_t *vhu_latency_stage_buckets(const struct vhu_latency_vring *vring,
					  const struct vhu_latency_stage *which, uint64_t *greatest)
{
	*greatest = which->inside ? vring->inside.greatest[which->number]
				  : vring->counts.greatest[which->number];
	return which->inside ? vring->inside.bucket[which->number]
			     : vring->counts.bucket[which->number];
}

struct vhu_histogram vhu_latency_stage_histogram(const struct vhu_latency_vring *vring,
						 const struct vhu_latency_stage *which)
{
	struct vhu_histogram histogram = {0};
	uint64_t greatest;
	const uint64_t *bucket = vhu_latency_stage_buckets(vring, which, &greatest);

	for (unsigned i = 0; i < VHU_HISTOGRAM_BUCKETS; i++) {
		uint64_t last, least;

		if (!bucket[i])
			continue;
		least = vhu_histogram_range(i, &last);
		vhu_histogram_add(&histogram, least + (last - least) / 2, bucket[i]);
	}
	/* The greatest is known exactly. */
	if (histogram.count)
		histogram.greatest = greatest;
	return histogram;
}
