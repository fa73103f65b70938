/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was counted, as a file that the textfile collector of Prometheus's node-exporter reads: the
 * families and labels of vhu ctl metrics that are about vrings, and those that only probes can
 * have. docs/fleet.md lists them.
 *
 * Labels are stable: a pair is called by the socket of its front-end, or that of its back-end,
 * whatever its session. What sessions that ended had counted stays counted.
 *
 * Ownership: the metrics own what they count, from opening to closing.
 */
#ifndef VHU_TOOLS_LATENCY_METRICS_H
#define VHU_TOOLS_LATENCY_METRICS_H

#include "lib/cli/options.h"
#include "tools/latency/vrings/vrings.h"

struct vhu_latency_metrics;

struct vhu_latency_metrics_choice {
	const struct vhu_command *command; /* whose name errors begin with */
	const char *path;                  /* of the file */
	const char *pair;                  /* what vrings without a session are said to be of */
};

/* Begin to count for a file, and write it. Returns VHU_EXIT_DONE and *@metrics, VHU_EXIT_FAILED
 * with what is wrong said. */
int vhu_latency_metrics_open(struct vhu_latency_metrics **metrics,
			     const struct vhu_latency_metrics_choice *choice);

/* Add what was counted since the last time. Needs the vrings' lock, and counts that were just read.
 */
void vhu_latency_metrics_count(struct vhu_latency_metrics *metrics,
			       const struct vhu_latency_vrings *vrings, uint64_t now_ns);

/* Something has stalled. @pair: whose it is, NULL: of no session. @verdict: its id. */
void vhu_latency_metrics_stalled(struct vhu_latency_metrics *metrics, const char *pair,
				 const char *verdict);

/* Replace the file with what is counted. What is wrong is said once, until it is right again.
 * Returns VHU_EXIT_DONE or VHU_EXIT_FAILED. */
int vhu_latency_metrics_write(struct vhu_latency_metrics *metrics);

void vhu_latency_metrics_close(struct vhu_latency_metrics *metrics);

#endif
