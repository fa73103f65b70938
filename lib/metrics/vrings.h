/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was counted on the vrings of a pair, for Prometheus, whoever counts: the proxy, or the
 * probes of vhu latency. The metrics that both have are described here and written here, so that
 * they are the same.
 *
 * Memory is bounded: VHU_METRICS_VRINGS vrings and VHU_METRICS_VERDICTS verdicts.
 */
#ifndef VHU_METRICS_VRINGS_H
#define VHU_METRICS_VRINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/protocol/protocol.h"

/* Vrings that are counted one by one; those above share the last. */
#define VHU_METRICS_VRINGS   64
/* Verdicts of stalls, and room for a name. */
#define VHU_METRICS_VERDICTS 32
#define VHU_METRICS_VERDICT  8

/* Times, in buckets that hold all up to a bound: vhu_metrics_bound_ns. */
#define VHU_METRICS_BOUNDS 6
extern const uint64_t vhu_metrics_bound_ns[VHU_METRICS_BOUNDS];

struct vhu_metrics_times {
	uint64_t bucket[VHU_METRICS_BOUNDS + 1]; /* the last: above all bounds */
	uint64_t count, sum_ns;
};

struct vhu_metrics_vring {
	uint64_t signals[VHU_VRING_ROLES], lost[VHU_VRING_ROLES];
	struct vhu_metrics_times kick_to_call;
	/* What only probes see. */
	uint64_t wakes;
	struct vhu_metrics_times kick_to_wake, wake_to_call;
	uint64_t waiting, oldest_ns; /* kicks without a call, now */
};

struct vhu_metrics_vrings {
	struct vhu_metrics_vring *vring[VHU_METRICS_VRINGS]; /* NULL: no signal came */
	struct vhu_metrics_stall {
		char verdict[VHU_METRICS_VERDICT];
		uint64_t count;
	} stall[VHU_METRICS_VERDICTS];
};

/* Add @count times of @ns each. */
void vhu_metrics_times_add(struct vhu_metrics_times *times, uint64_t ns, uint64_t count);

/* Return what is counted of a vring, all 0 if it is counted first; NULL out of memory. */
struct vhu_metrics_vring *vhu_metrics_vring(struct vhu_metrics_vrings *vrings, uint32_t index);

/* Something has stalled. @verdict: its id; "" for a request without its reply. */
void vhu_metrics_vrings_stalled(struct vhu_metrics_vrings *vrings, const char *verdict);

/* Free what is counted. */
void vhu_metrics_vrings_free(struct vhu_metrics_vrings *vrings);

/* Name, without _total, type and help of what the proxy and the probes have both. */
#define VHU_METRICS_KICKS "vhu_kicks", "counter", "Kicks, by vring."
#define VHU_METRICS_CALLS "vhu_calls", "counter", "Calls, by vring."
#define VHU_METRICS_KICK_TO_CALL                                                                   \
	"vhu_kick_to_call_seconds", "histogram",                                                   \
	    "Time from the first kick after a call to the next call, by vring."
#define VHU_METRICS_STALLED "vhu_stalled", "counter", "Stalls found by --stall."
#define VHU_METRICS_STALLS  "vhu_stalls", "counter", "Stalls found by --stall, by verdict."

/* Their samples. @pair: the label, escaped. @open_metrics: in that format, else the older one. */
void vhu_metrics_put_signals(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings,
			     const char *name, enum vhu_vring_role role, bool lost);
void vhu_metrics_put_kick_to_call(FILE *to, const char *pair,
				  const struct vhu_metrics_vrings *vrings, bool open_metrics);
void vhu_metrics_put_stalled(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings);
void vhu_metrics_put_stalls(FILE *to, const char *pair, const struct vhu_metrics_vrings *vrings);

/* Write all metrics that the probes have, in the older format. */
struct vhu_metrics_pair {
	char *name; /* not escaped */
	struct vhu_metrics_vrings vrings;
};

/* Write them of @pairs pairs. */
void vhu_metrics_put_probes(FILE *to, struct vhu_metrics_pair *const *pair, unsigned pairs);

#endif
