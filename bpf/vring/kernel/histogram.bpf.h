/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms in the kernel, with the buckets that lib/util/histogram.h has. */
#ifndef VHU_BPF_HISTOGRAM_BPF_H
#define VHU_BPF_HISTOGRAM_BPF_H

#include "bpf/vring/kernel/maps.bpf.h"

/* Return the number of the bucket that @value falls into, as vhu_histogram_bucket_of does. */
static __always_inline __u32 bucket_of(__u64 value)
{
	__u64 rest = value >> 4;
	__u32 shift = 0;

	/* shift: the power of two below value, less 4; BPF has no instruction for it. */
	if (rest >> 32) {
		rest >>= 32;
		shift += 32;
	}
	if (rest >> 16) {
		rest >>= 16;
		shift += 16;
	}
	if (rest >> 8) {
		rest >>= 8;
		shift += 8;
	}
	if (rest >> 4) {
		rest >>= 4;
		shift += 4;
	}
	if (rest >> 2) {
		rest >>= 2;
		shift += 2;
	}
	if (rest >> 1)
		shift += 1;
	return 16 * shift + (__u32)(value >> shift);
}

/* Add to a histogram how long it is from @from to @to. */
static __always_inline void count(__u64 *bucket, __u64 *greatest, __u64 from, __u64 to)
{
	__u64 value = to > from ? to - from : 0;
	__u32 at = bucket_of(value);

	barrier_var(at);
	at &= VHU_BPF_BUCKETS - 1;
	__sync_fetch_and_add(&bucket[at], 1);
	if (value > *greatest)
		*greatest = value;
}

#endif
