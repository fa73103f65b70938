/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log-linear histograms. */
#include "lib/util/histogram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* VHU_HISTOGRAM_STEPS is two to the power of this. */
#define STEP_BITS 4

_Static_assert(VHU_HISTOGRAM_STEPS == 1 << STEP_BITS, "steps are counted by bits");
_Static_assert(VHU_HISTOGRAM_BUCKETS == (64 - STEP_BITS + 1) * VHU_HISTOGRAM_STEPS,
	       "the values below 16, and 60 powers of two");

unsigned vhu_histogram_bucket_of(uint64_t value)
{
	unsigned power;

	if (value < VHU_HISTOGRAM_STEPS)
		return (unsigned)value;
	power = 63 - (unsigned)__builtin_clzll(value);
	/* The bits below the highest one say which step it is. */
	return (power - STEP_BITS + 1) * VHU_HISTOGRAM_STEPS +
	       (unsigned)(value >> (power - STEP_BITS) & (VHU_HISTOGRAM_STEPS - 1));
}

uint64_t vhu_histogram_range(unsigned bucket, uint64_t *last)
{
	unsigned shift;
	uint64_t least;

	if (bucket < VHU_HISTOGRAM_STEPS) {
		*last = bucket;
		return bucket;
	}
	shift = bucket / VHU_HISTOGRAM_STEPS - 1;
	least = (uint64_t)(VHU_HISTOGRAM_STEPS + bucket % VHU_HISTOGRAM_STEPS) << shift;
	*last = least + ((UINT64_C(1) << shift) - 1);
	return least;
}

/* Have buckets for the numbers from @from to before @to. Returns 0 or -ENOMEM. */
static int make_room(struct vhu_histogram *histogram, unsigned from, unsigned to)
{
	unsigned first = from - from % VHU_HISTOGRAM_STEPS;
	unsigned end = to + (VHU_HISTOGRAM_STEPS - 1) - (to - 1) % VHU_HISTOGRAM_STEPS;
	uint64_t *bucket;

	if (histogram->buckets) {
		first = first < histogram->first ? first : histogram->first;
		end = end > histogram->first + histogram->buckets
			  ? end
			  : histogram->first + histogram->buckets;
	}
	if (end - first == histogram->buckets)
		return 0;
	bucket = calloc(end - first, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	if (histogram->buckets)
		memcpy(bucket + (histogram->first - first), histogram->bucket,
		       histogram->buckets * sizeof(*bucket));
	free(histogram->bucket);
	histogram->bucket = bucket;
	histogram->first = first;
	histogram->buckets = end - first;
	return 0;
}

int vhu_histogram_add(struct vhu_histogram *histogram, uint64_t value, uint64_t count)
{
	unsigned bucket = vhu_histogram_bucket_of(value);

	if (!count)
		return 0;
	if ((bucket < histogram->first || bucket - histogram->first >= histogram->buckets) &&
	    make_room(histogram, bucket, bucket + 1))
		return -ENOMEM;
	histogram->bucket[bucket - histogram->first] += count;
	if (!histogram->count || value < histogram->least)
		histogram->least = value;
	if (value > histogram->greatest)
		histogram->greatest = value;
	histogram->count += count;
	histogram->sum += (double)value * (double)count;
	return 0;
}

int vhu_histogram_merge(struct vhu_histogram *to, const struct vhu_histogram *from)
{
	if (!from->count)
		return 0;
	if (make_room(to, from->first, from->first + from->buckets))
		return -ENOMEM;
	for (unsigned i = 0; i < from->buckets; i++)
		to->bucket[from->first - to->first + i] += from->bucket[i];
	if (!to->count || from->least < to->least)
		to->least = from->least;
	if (from->greatest > to->greatest)
		to->greatest = from->greatest;
	to->count += from->count;
	to->sum += from->sum;
	return 0;
}

int vhu_histogram_since(struct vhu_histogram *part, const struct vhu_histogram *now,
			const struct vhu_histogram *before)
{
	uint64_t last = 0;
	int ret = 0;

	for (unsigned i = 0; i < now->buckets && !ret; i++) {
		const unsigned bucket = now->first + i;
		uint64_t count = now->bucket[i], least;

		if (bucket >= before->first && bucket - before->first < before->buckets)
			count -= before->bucket[bucket - before->first];
		if (!count)
			continue;
		least = vhu_histogram_range(bucket, &last);
		ret = vhu_histogram_add(part, least + (last - least) / 2, count);
	}
	if (part->count)
		part->greatest = now->greatest != before->greatest || last > now->greatest
				     ? now->greatest
				     : last;
	/* The middle of a bucket may be above the greatest value in it. */
	if (part->least > part->greatest)
		part->least = part->greatest;
	return ret;
}

/* Return the middle of a bucket, as far as it lies between the least and the greatest value. */
static uint64_t middle_of(const struct vhu_histogram *histogram, unsigned bucket)
{
	uint64_t last, least = vhu_histogram_range(bucket, &last);
	uint64_t middle = least + (last - least) / 2;

	if (middle < histogram->least)
		return histogram->least;
	return middle > histogram->greatest ? histogram->greatest : middle;
}

uint64_t vhu_histogram_quantile(const struct vhu_histogram *histogram, unsigned permille)
{
	/* The rank is count * permille / 1000, rounded up, without a product that overflows. */
	uint64_t rank =
	    histogram->count / 1000 * permille + (histogram->count % 1000 * permille + 999) / 1000;
	uint64_t passed = 0;

	if (!histogram->count)
		return 0;
	if (rank <= 1)
		return histogram->least;
	for (unsigned i = 0; i < histogram->buckets && rank < histogram->count; i++) {
		passed += histogram->bucket[i];
		if (passed >= rank)
			return middle_of(histogram, histogram->first + i);
	}
	return histogram->greatest;
}

uint64_t vhu_histogram_mean(const struct vhu_histogram *histogram)
{
	double mean = histogram->count ? histogram->sum / (double)histogram->count : 0;

	/* Sums of large values are rounded; 2^64 as a double is the first that does not fit. */
	return mean >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)mean;
}

void vhu_histogram_times_json(struct vhu_json *json, const char *key,
			      const struct vhu_histogram *histogram)
{
	static const struct {
		const char *key;
		unsigned permille;
	} row[] = {{"p50_ns", 500}, {"p90_ns", 900}, {"p99_ns", 990}, {"p999_ns", 999}};

	vhu_json_object(json, key);
	vhu_json_unsigned(json, "count", histogram->count);
	if (histogram->count) {
		vhu_json_unsigned(json, "min_ns", histogram->least);
		vhu_json_unsigned(json, "mean_ns", vhu_histogram_mean(histogram));
		for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
			vhu_json_unsigned(json, row[i].key,
					  vhu_histogram_quantile(histogram, row[i].permille));
		vhu_json_unsigned(json, "max_ns", histogram->greatest);
	}
	vhu_json_object_end(json);
}

void vhu_histogram_buckets_json(struct vhu_json *json, const char *key,
				const struct vhu_histogram *histogram)
{
	vhu_json_array(json, key);
	for (unsigned i = 0; i < histogram->buckets; i++) {
		uint64_t last;

		if (!histogram->bucket[i])
			continue;
		vhu_json_array(json, NULL);
		vhu_json_unsigned(json, NULL, vhu_histogram_range(histogram->first + i, &last));
		vhu_json_unsigned(json, NULL, histogram->bucket[i]);
		vhu_json_array_end(json);
	}
	vhu_json_array_end(json);
}

void vhu_histogram_free(struct vhu_histogram *histogram)
{
	free(histogram->bucket);
	*histogram = (struct vhu_histogram){0};
}
