/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of it, for people and for programs. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/util/json.h"
#include "lib/util/util.h"
#include "samples/common/clock.h"
#include "samples/frontend/frontend.h"

/* The latencies in the report. */
static const struct {
	const char *key, *name;
	double percent;
} percentiles[] = {
    {"p50_ns", "50%", 50},
    {"p90_ns", "90%", 90},
    {"p99_ns", "99%", 99},
    {"p999_ns", "99.9%", 99.9},
};
#define PERCENTILES VHU_ARRAY_SIZE(percentiles)

/* Sums over all queues. */
struct sums {
	uint64_t kicks, calls;
};

/* Add up what all queues have counted. */
static struct sums sum(const struct vhu_frontend *frontend)
{
	struct sums sums = {0};

	for (unsigned i = 0; i < frontend->options.queues; i++) {
		sums.kicks += frontend->queue[i].kicks;
		sums.calls += frontend->queue[i].calls;
	}
	return sums;
}

/* Write the latencies as an object of the report. */
static void put_latency(struct vhu_json *json, const struct vhu_latency *latency)
{
	vhu_json_object(json, "latency");
	vhu_json_unsigned(json, "count", latency->count);
	if (latency->count) {
		vhu_json_unsigned(json, "min_ns", latency->min);
		vhu_json_unsigned(json, "mean_ns", vhu_latency_mean(latency));
		for (size_t i = 0; i < PERCENTILES; i++)
			vhu_json_unsigned(json, percentiles[i].key,
					  vhu_latency_percentile(latency, percentiles[i].percent));
		vhu_json_unsigned(json, "max_ns", latency->max);
	}
	vhu_json_object_end(json);
}

/* Write a report of one line of JSON. */
static void report_json(const struct vhu_frontend *frontend)
{
	struct vhu_json json = {.to = stdout};
	struct sums sums = sum(frontend);

	vhu_json_document(&json, NULL, "sample-frontend/1");
	vhu_json_string(&json, "device", frontend->kind->name);
	vhu_json_unsigned(&json, "queues", frontend->options.queues);
	vhu_json_unsigned(&json, "depth", frontend->options.depth);
	vhu_json_string(&json, "ring", frontend->options.packed ? "packed" : "split");
	vhu_json_bool(&json, "event_idx", frontend->options.event_idx);
	vhu_json_bool(&json, "indirect", frontend->options.indirect);
	vhu_json_unsigned(&json, "request_count", frontend->done);
	vhu_json_unsigned(&json, "byte_count", frontend->bytes);
	vhu_json_unsigned(&json, "elapsed_ns", frontend->end - frontend->start);
	vhu_json_unsigned(&json, "kicks", sums.kicks);
	vhu_json_unsigned(&json, "calls", sums.calls);
	vhu_json_unsigned(&json, "reconnects", frontend->reconnects);
	vhu_json_unsigned(&json, "config_changes", frontend->config_changes);
	put_latency(&json, &frontend->latency);
	vhu_json_object_end(&json);
	putchar('\n');
}

/* Return nanoseconds as microseconds. */
static double micro(uint64_t nanoseconds)
{
	return (double)nanoseconds / 1000;
}

/* Write a report of a few lines. */
static void report_text(const struct vhu_frontend *frontend)
{
	const struct vhu_latency *latency = &frontend->latency;
	double seconds = (double)(frontend->end - frontend->start) / (double)VHU_NS_PER_S;
	struct sums sums = sum(frontend);

	printf("%s: %u %s vring%s, depth %u, %" PRIu32 " bytes a request%s%s\n",
	       frontend->kind->name, frontend->options.queues,
	       frontend->options.packed ? "packed" : "split",
	       frontend->options.queues == 1 ? "" : "s", frontend->options.depth,
	       frontend->options.size, frontend->options.event_idx ? ", event index" : "",
	       frontend->options.indirect ? ", indirect" : "");
	printf("%" PRIu64 " requests in %.3f s: %.0f a second, %.1f MiB/s\n", frontend->done,
	       seconds, (double)frontend->done / seconds,
	       (double)frontend->bytes / seconds / (1 << 20));
	printf("%" PRIu64 " kicks, %" PRIu64 " calls", sums.kicks, sums.calls);
	if (frontend->reconnects)
		printf(", %" PRIu64 " reconnects", frontend->reconnects);
	if (frontend->config_changes)
		printf(", %" PRIu64 " changes of the configuration", frontend->config_changes);
	printf("\nlatency in us: least %.1f, mean %.1f", micro(latency->min),
	       micro(vhu_latency_mean(latency)));
	for (size_t i = 0; i < PERCENTILES; i++)
		printf(", %s %.1f", percentiles[i].name,
		       micro(vhu_latency_percentile(latency, percentiles[i].percent)));
	printf(", most %.1f\n", micro(latency->max));
}

void vhu_report(const struct vhu_frontend *frontend)
{
	if (frontend->options.json)
		report_json(frontend);
	else
		report_text(frontend);
}
