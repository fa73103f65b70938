/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latencies: counted in classes that are at most 1/32 wide, however many and however long. */
#ifndef VHU_SAMPLES_FRONTEND_LOAD_LATENCY_H
#define VHU_SAMPLES_FRONTEND_LOAD_LATENCY_H

#include <stdint.h>

#define VHU_LATENCY_CLASSES (64 * 32)

struct vhu_latency {
	uint64_t count, sum, min, max; /* nanoseconds, exact */
	uint64_t in_class[VHU_LATENCY_CLASSES];
};

/* Count one; the latencies begin all zero. */
void vhu_latency_add(struct vhu_latency *latency, uint64_t nanoseconds);

/* Return the latency that @percent of all are not above; 0 without any. */
uint64_t vhu_latency_percentile(const struct vhu_latency *latency, double percent);

/* Return the mean; 0 without any. */
uint64_t vhu_latency_mean(const struct vhu_latency *latency);

#endif
