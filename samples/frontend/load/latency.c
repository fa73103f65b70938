/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latencies. */
#include "samples/frontend/load/latency.h"

/* Bits of a number that its class keeps, besides the highest. */
#define BITS 5

/* Return a number's class: its magnitude, and its highest bits. */
static unsigned class_of(uint64_t number)
{
	unsigned magnitude;

	if (number < 1 << BITS)
		return (unsigned)number;
	magnitude = 63 - (unsigned)__builtin_clzll(number) - BITS;
	return (magnitude << BITS) + (unsigned)(number >> magnitude);
}

/* Return the largest number of a class. */
static uint64_t end_of(unsigned class)
{
	unsigned magnitude = class >> BITS;

	if (magnitude == 0)
		return class;
	magnitude--;
	return ((uint64_t)((class & ((1 << BITS) - 1)) + (1 << BITS) + 1) << magnitude) - 1;
}

void vhu_latency_add(struct vhu_latency *latency, uint64_t nanoseconds)
{
	if (latency->count == 0 || nanoseconds < latency->min)
		latency->min = nanoseconds;
	if (nanoseconds > latency->max)
		latency->max = nanoseconds;
	latency->count++;
	latency->sum += nanoseconds;
	latency->in_class[class_of(nanoseconds)]++;
}

uint64_t vhu_latency_percentile(const struct vhu_latency *latency, double percent)
{
	uint64_t wanted = (uint64_t)((double)latency->count * percent / 100 + 0.5), seen = 0;

	if (wanted == 0)
		return latency->min;
	for (unsigned i = 0; i < VHU_LATENCY_CLASSES; i++) {
		seen += latency->in_class[i];
		if (seen >= wanted)
			return end_of(i) < latency->max ? end_of(i) : latency->max;
	}
	return latency->max;
}

uint64_t vhu_latency_mean(const struct vhu_latency *latency)
{
	return latency->count > 0 ? latency->sum / latency->count : 0;
}
