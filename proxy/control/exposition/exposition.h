/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the proxy has counted, in the text format that Prometheus reads: all samples of a metric
 * together, one metric after another. It is made a little at a time, for there may be thousands of
 * pairs, and what passes must not wait.
 *
 * Labels are stable: a pair is called by its FRONT, and no sample has a session's number.
 * docs/fleet.md lists the metrics.
 */
#ifndef VHU_PROXY_CONTROL_EXPOSITION_H
#define VHU_PROXY_CONTROL_EXPOSITION_H

#include <limits.h>
#include <stdio.h>

#include "proxy/session/pair.h"

/* Once the text is longer, metrics are left out that have a sample for each message or vring. */
#define VHU_EXPOSITION_MAX (64 << 20)

/* What is recorded, by all files together. */
struct vhu_exposition_capture {
	uint64_t records, lost, bytes, files;
	uint64_t dumps; /* of the flight recorder */
};

/* An exposition as it grows; zero but for what it is made of. */
struct vhu_exposition {
	FILE *to; /* the part that is written; its user takes it away */
	const struct vhu_proxy *proxy;
	struct vhu_exposition_capture capture;
	bool open_metrics;           /* OpenMetrics 1.0, else the older format */
	unsigned family;             /* the metric that is written */
	uint64_t pairs;              /* that have been written */
	const struct vhu_pair *next; /* the pair that comes then, unless others have left since: */
	uint64_t left;               /* pairs that had left the proxy */
	uint64_t written;            /* bytes, before the part in `to` */
	uint64_t left_out;           /* metrics */
	char pair[3 * PATH_MAX];     /* the label of the pair at hand, escaped */
};

/* A metric. */
struct vhu_exposition_family {
	const char *name; /* without _total */
	const char *type; /* "counter", "gauge", "histogram" */
	const char *help;
	bool detailed; /* is left out once the text is too long */
	/* Write the samples: of a pair, or, without pairs, of the proxy. */
	void (*of_pair)(struct vhu_exposition *exposition, const struct vhu_pair *pair);
	void (*of_proxy)(struct vhu_exposition *exposition);
};

/* All of them; ends with a zeroed row. */
extern const struct vhu_exposition_family vhu_exposition_families[];

/* Write some more. Returns whether there is more. */
bool vhu_exposition_go_on(struct vhu_exposition *exposition);

#endif
