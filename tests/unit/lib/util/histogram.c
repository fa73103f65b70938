/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms, against the sorted values themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/util/histogram.h"

#include "lib/util/util.h"

#define VALUES 20000

/* Return the next of a fixed row of values of all magnitudes, each power of two as likely. */
static uint64_t next_value(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> (*seed * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Hold a histogram's quantiles against those of @count sorted values. */
static void assert_quantiles(const struct vhu_histogram *histogram, const uint64_t *value,
			     size_t count)
{
	for (unsigned permille = 1; permille <= 1000; permille++) {
		uint64_t exact = value[(count * permille + 999) / 1000 - 1];
		uint64_t told = vhu_histogram_quantile(histogram, permille);
		uint64_t off = told > exact ? told - exact : exact - told;

		assert_true(off <= exact / 25);
		assert_true(told >= value[0] && told <= value[count - 1]);
	}
	assert_int_equal(vhu_histogram_quantile(histogram, 0), value[0]);
	assert_int_equal(vhu_histogram_quantile(histogram, 1000), value[count - 1]);
}

static void buckets_follow_each_other_and_hold_every_value(void **state)
{
	uint64_t last, before = 0;

	(void)state;
	for (unsigned bucket = 0; bucket < VHU_HISTOGRAM_BUCKETS; bucket++) {
		uint64_t least = vhu_histogram_range(bucket, &last);

		assert_int_equal(least, bucket ? before + 1 : 0);
		assert_int_equal(vhu_histogram_bucket_of(least), bucket);
		assert_int_equal(vhu_histogram_bucket_of(last), bucket);
		before = last;
	}
	assert_int_equal(last, UINT64_MAX);
}

static void quantiles_are_within_4_percent(void **state)
{
	struct vhu_histogram histogram = {0};
	uint64_t *value = calloc(VALUES, sizeof(*value)), seed = 1;

	(void)state;
	assert_non_null(value);
	for (size_t i = 0; i < VALUES; i++) {
		value[i] = next_value(&seed);
		assert_int_equal(vhu_histogram_add(&histogram, value[i], 1), 0);
	}
	qsort(value, VALUES, sizeof(*value), compare);
	assert_quantiles(&histogram, value, VALUES);
	vhu_histogram_free(&histogram);
	free(value);
}

static void few_values_have_quantiles_too(void **state)
{
	/* At the ends of a bucket, in one, in several. */
	static const uint64_t row[][4] = {
	    {983040, 983040, 983041, 983041},
	    {1015806, 1015807, 1015807, 1015807},
	    {1048576, 1048577, 1114110, 1114111},
	    {3, 1000, 1000, 4000000},
	};

	(void)state;
	for (size_t r = 0; r < VHU_ARRAY_SIZE(row); r++) {
		for (size_t count = 1; count <= 4; count++) {
			struct vhu_histogram histogram = {0};

			for (size_t i = 0; i < count; i++)
				assert_int_equal(vhu_histogram_add(&histogram, row[r][i], 1), 0);
			assert_quantiles(&histogram, row[r], count);
			vhu_histogram_free(&histogram);
		}
	}
}

static void merging_equals_adding_to_one(void **state)
{
	struct vhu_histogram part[3] = {{0}}, merged = {0}, one = {0};
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < VALUES; i++) {
		uint64_t value = next_value(&seed) >> 20 | UINT64_C(16) << (i % 3 * 8);

		assert_int_equal(vhu_histogram_add(&part[i % 3], value, 1), 0);
		assert_int_equal(vhu_histogram_add(&one, value, 1), 0);
	}
	/* The first begins above the second and the third between the two. */
	assert_int_equal(vhu_histogram_merge(&merged, &part[2]), 0);
	assert_int_equal(vhu_histogram_merge(&merged, &part[0]), 0);
	assert_int_equal(vhu_histogram_merge(&merged, &part[1]), 0);
	assert_int_equal(merged.count, VALUES);
	assert_int_equal(merged.least, one.least);
	assert_int_equal(merged.greatest, one.greatest);
	for (unsigned permille = 0; permille <= 1000; permille++)
		assert_int_equal(vhu_histogram_quantile(&merged, permille),
				 vhu_histogram_quantile(&one, permille));
	for (unsigned i = 0; i < 3; i++)
		vhu_histogram_free(&part[i]);
	vhu_histogram_free(&merged);
	vhu_histogram_free(&one);
}

static void memory_is_that_of_the_powers_between(void **state)
{
	struct vhu_histogram histogram = {0};

	(void)state;
	assert_int_equal(vhu_histogram_add(&histogram, 1000000, 1), 0);
	assert_int_equal(histogram.buckets, VHU_HISTOGRAM_STEPS);
	assert_int_equal(vhu_histogram_add(&histogram, 300000, 1), 0);
	assert_int_equal(histogram.buckets, 2 * VHU_HISTOGRAM_STEPS);
	for (uint64_t value = 0; value < 100000; value++)
		assert_int_equal(vhu_histogram_add(&histogram, value << 47 | value, 1), 0);
	assert_int_equal(histogram.first, 0);
	assert_int_equal(histogram.buckets, VHU_HISTOGRAM_BUCKETS);
	vhu_histogram_free(&histogram);
}

static void great_counts_and_values_do_not_overflow(void **state)
{
	struct vhu_histogram histogram = {0};

	(void)state;
	assert_int_equal(vhu_histogram_add(&histogram, 20, UINT64_C(1) << 60), 0);
	assert_int_equal(vhu_histogram_add(&histogram, UINT64_MAX, UINT64_C(1) << 61), 0);
	assert_int_equal(vhu_histogram_quantile(&histogram, 333), 20);
	assert_true(vhu_histogram_quantile(&histogram, 334) > UINT64_MAX / 25 * 24);
	assert_int_equal(vhu_histogram_quantile(&histogram, 1000), UINT64_MAX);
	assert_true(vhu_histogram_mean(&histogram) > UINT64_MAX / 100 * 66);
	assert_true(vhu_histogram_mean(&histogram) < UINT64_MAX / 100 * 67);
	vhu_histogram_free(&histogram);
	assert_int_equal(vhu_histogram_add(&histogram, UINT64_MAX, 3), 0);
	assert_int_equal(vhu_histogram_mean(&histogram), UINT64_MAX);
	vhu_histogram_free(&histogram);
}

static void an_empty_histogram_says_0(void **state)
{
	struct vhu_histogram histogram = {0}, other = {0};

	(void)state;
	assert_int_equal(vhu_histogram_add(&histogram, 5, 0), 0);
	assert_int_equal(vhu_histogram_merge(&histogram, &other), 0);
	assert_int_equal(histogram.count, 0);
	assert_int_equal(vhu_histogram_quantile(&histogram, 500), 0);
	assert_int_equal(vhu_histogram_quantile(&histogram, 1000), 0);
	assert_int_equal(vhu_histogram_mean(&histogram), 0);
	vhu_histogram_free(&histogram);
}

static void what_came_since_is_told_apart(void **state)
{
	struct vhu_histogram now = {0}, before = {0}, part = {0};
	uint64_t last;

	(void)state;
	vhu_histogram_add(&now, 5000, 10);
	vhu_histogram_merge(&before, &now);
	vhu_histogram_add(&now, 100, 3);
	vhu_histogram_add(&now, 3000, 1);
	assert_int_equal(vhu_histogram_since(&part, &now, &before), 0);
	assert_int_equal(part.count, 4);
	assert_int_equal(vhu_histogram_bucket_of(vhu_histogram_quantile(&part, 500)),
			 vhu_histogram_bucket_of(100));
	/* The greatest of all came before: of this one only the bucket is known. */
	assert_int_equal(vhu_histogram_bucket_of(part.greatest), vhu_histogram_bucket_of(3000));
	vhu_histogram_free(&part);

	vhu_histogram_add(&now, 7001, 1);
	assert_int_equal(vhu_histogram_since(&part, &now, &before), 0);
	assert_int_equal(part.greatest, 7001);
	vhu_histogram_free(&part);

	assert_int_equal(vhu_histogram_since(&part, &now, &now), 0);
	assert_int_equal(part.count, 0);
	vhu_histogram_free(&part);

	/* One value at the beginning of its bucket: no quantile is above it. */
	vhu_histogram_free(&before);
	assert_int_equal(vhu_histogram_merge(&before, &now), 0);
	vhu_histogram_add(&now, vhu_histogram_range(vhu_histogram_bucket_of(900000), &last), 1);
	assert_int_equal(vhu_histogram_since(&part, &now, &before), 0);
	assert_int_equal(part.count, 1);
	assert_true(vhu_histogram_quantile(&part, 500) <= part.greatest);
	vhu_histogram_free(&part);
	vhu_histogram_free(&now);
	vhu_histogram_free(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buckets_follow_each_other_and_hold_every_value),
	    cmocka_unit_test(quantiles_are_within_4_percent),
	    cmocka_unit_test(few_values_have_quantiles_too),
	    cmocka_unit_test(merging_equals_adding_to_one),
	    cmocka_unit_test(memory_is_that_of_the_powers_between),
	    cmocka_unit_test(great_counts_and_values_do_not_overflow),
	    cmocka_unit_test(an_empty_histogram_says_0),
	    cmocka_unit_test(what_came_since_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
