/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run of vhu latency: what is watched is found, watched until there is an end, and shown.
 *
 * Ownership: a run owns its probes, vrings, capture and all else that it opens.
 */
#ifndef VHU_TOOLS_LATENCY_RUN_H
#define VHU_TOOLS_LATENCY_RUN_H

#include "tools/latency/metrics/metrics.h"
#include "tools/latency/request.h"
#include "tools/latency/show/events.h"
#include "tools/latency/sources/capture.h"
#include "tools/latency/sources/learn.h"
#include "tools/latency/sources/sessions.h"
#include "tools/latency/stall/stall.h"
#include "tools/latency/vrings/vrings.h"
#include "tools/stall/on_stall.h"

struct vhu_latency_run {
	const struct vhu_command *command;
	const struct vhu_latency_request *request;
	struct vhu_probes *probes;
	struct vhu_latency_vrings vrings;
	struct vhu_latency_events events;
	struct vhu_latency_capture *capture;
	struct vhu_learn *learn;
	struct vhu_latency_sessions sessions;
	struct vhu_on_stall on_stall;
	struct vhu_latency_stall *stall;     /* NULL: without --stall */
	struct vhu_latency_metrics *metrics; /* NULL: without --metrics */
	char pair[VHU_ATTACH_PATH_MAX + 2];  /* what vrings without a session are said to be of */
	int signals;
	uint64_t table_ns; /* when the last table was written */
	/* When things were shown and vrings looked for last, and when metrics are due. */
	uint64_t shown_ns, looked_ns, metrics_ns;
	bool said_empty;   /* that there is no vring to watch yet, if so */
	bool said_lost;    /* why no vring is watched, if so */
	const char *ended; /* why it ends by itself */
};

/* Do what was asked for. Returns an exit status. */
int vhu_latency_run(const struct vhu_command *command, const struct vhu_latency_request *request);

/* find.c */

/* Look whether the processes to watch are there. Returns an exit status. */
int vhu_latency_find_processes(const struct vhu_latency_run *run);
/* Look whether the files can be read and written, before the probes are loaded. Returns an exit
 * status. */
int vhu_latency_find_files(const struct vhu_latency_run *run);
/* Return whether sessions without a proxy are to be recorded. */
bool vhu_latency_needs_sessions(const struct vhu_latency_request *request);
/* Find the vrings to watch. Returns an exit status. */
int vhu_latency_find_vrings(struct vhu_latency_run *run);
/* Watch what is wanted. Returns how many vrings are watched, or -errno. */
int vhu_latency_wire(struct vhu_latency_run *run);

/* watch.c */

/* Watch until there is an end. */
void vhu_latency_watch(struct vhu_latency_run *run);
/* Show how things stand; @last: how they stood. */
void vhu_latency_show(struct vhu_latency_run *run, bool last);

#endif
