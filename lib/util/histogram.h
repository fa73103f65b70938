/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-linear histograms: any number of values from 0 to 2^64 - 1 in bounded memory, and what of
 * them is asked for within 4 percent.
 *
 * Each power of two is divided into 16 buckets of one width, so a bucket is at most a sixteenth as
 * wide as the values in it are large, and its middle is at most 3.2 percent away from any of them.
 * Values below 32 have a bucket each. Memory spans the powers of two between the least and the
 * greatest value: 128 bytes for each, 7.6 KiB for all.
 *
 * Ownership: a histogram starts as all zero; vhu_histogram_free frees what it holds.
 */
#ifndef VHU_UTIL_HISTOGRAM_H
#define VHU_UTIL_HISTOGRAM_H

#include <stdint.h>

#include "lib/util/json.h"

/* Buckets in a power of two, and in all of them. */
#define VHU_HISTOGRAM_STEPS   16
#define VHU_HISTOGRAM_BUCKETS 976

struct vhu_histogram {
	uint64_t *bucket; /* how many values are in each, from bucket number `first` on */
	unsigned first, buckets;
	uint64_t count; /* of all values */
	uint64_t least, greatest;
	double sum;
};

/* Return the number of the bucket that @value falls into. */
unsigned vhu_histogram_bucket_of(uint64_t value);

/* Return the least value of bucket number @bucket, and in *@last the greatest. */
uint64_t vhu_histogram_range(unsigned bucket, uint64_t *last);

/* Add @count times @value. Returns 0; -ENOMEM, and the histogram is as it was. */
int vhu_histogram_add(struct vhu_histogram *histogram, uint64_t value, uint64_t count);

/* Add all that is in @from to @to. Returns 0; -ENOMEM, and @to is as it was. */
int vhu_histogram_merge(struct vhu_histogram *to, const struct vhu_histogram *from);

/*
 * Add to @part, which is empty, the values that @now has and @before, an earlier state of the same
 * histogram, has not. The greatest is exact if it is the greatest of all; else it is the end of its
 * bucket. Returns 0; -ENOMEM, and @part lacks some.
 */
int vhu_histogram_since(struct vhu_histogram *part, const struct vhu_histogram *now,
			const struct vhu_histogram *before);

/*
 * Return the least value that @permille of a thousand values do not exceed: 500 is the median, 0
 * the least value, 1000 the greatest; both of these are exact. 0 where the histogram is empty.
 */
uint64_t vhu_histogram_quantile(const struct vhu_histogram *histogram, unsigned permille);

/* Return the mean, rounded down; 0 where the histogram is empty. */
uint64_t vhu_histogram_mean(const struct vhu_histogram *histogram);

/* Write a histogram of nanoseconds as an object: count, and if that is not 0 min_ns, mean_ns,
 * p50_ns, p90_ns, p99_ns, p999_ns and max_ns. */
void vhu_histogram_times_json(struct vhu_json *json, const char *key,
			      const struct vhu_histogram *histogram);

/* Write the buckets that hold values as an array: for each its least value and how many it holds.
 */
void vhu_histogram_buckets_json(struct vhu_json *json, const char *key,
				const struct vhu_histogram *histogram);

/* Free what a histogram holds; it is empty then. */
void vhu_histogram_free(struct vhu_histogram *histogram);

#endif
