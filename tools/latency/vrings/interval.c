/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted on a vring since the table before. */
#include "tools/latency/vrings/interval.h"

#include <stdlib.h>

#include "lib/util/histogram.h"

/* Take from a stage what there was before, and find its greatest value. */
static void subtract(uint64_t *bucket, const uint64_t *before, uint64_t *greatest,
		     uint64_t greatest_before)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < VHU_HISTOGRAM_BUCKETS; i++) {
		bucket[i] -= before[i];
		if (bucket[i])
			vhu_histogram_range(i, &last);
	}
	if (*greatest == greatest_before && last < *greatest)
		*greatest = last;
}

void vhu_latency_interval(struct vhu_latency_vring *interval, const struct vhu_latency_vring *vring)
{
	const struct vhu_latency_before *before = vring->before;
	struct vhu_bpf_vring *counts = &interval->counts;
	struct vhu_bpf_inside *inside = &interval->inside;

	*interval = *vring;
	if (!before)
		return;
	counts->kicks -= before->counts.kicks;
	counts->wakes -= before->counts.wakes;
	counts->coalesced -= before->counts.coalesced;
	counts->calls -= before->counts.calls;
	inside->pops -= before->inside.pops;
	inside->pushes -= before->inside.pushes;
	for (unsigned i = 0; i < VHU_BPF_STAGES; i++)
		subtract(counts->bucket[i], before->counts.bucket[i], &counts->greatest[i],
			 before->counts.greatest[i]);
	for (unsigned i = 0; i < VHU_BPF_INNER; i++)
		subtract(inside->bucket[i], before->inside.bucket[i], &inside->greatest[i],
			 before->inside.greatest[i]);
}

void vhu_latency_interval_end(struct vhu_latency_vring *vring)
{
	if (!vring->before)
		vring->before = malloc(sizeof(*vring->before));
	if (vring->before)
		*vring->before = (struct vhu_latency_before){vring->counts, vring->inside};
}
