/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single events: slow calls as lines, all of them as a capture. */
#ifndef VHU_TOOLS_LATENCY_EVENTS_H
#define VHU_TOOLS_LATENCY_EVENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/capture/record.h"
#include "lib/cli/options.h"
#include "tools/latency/vrings/vrings.h"

struct vhu_pcapng_writer;

struct vhu_latency_events {
	struct vhu_latency_vrings *vrings;
	FILE *slow; /* where slow calls are printed; NULL: nowhere */
	/* Take a record of each event; NULL: not needed. */
	void (*give)(void *with, const struct vhu_record *record);
	void *with;
	int fd; /* of the capture, -1 none */
	struct vhu_pcapng_writer *writer;
	const struct vhu_command *command;
	const char *path; /* of the capture */
	bool loses;       /* it could not be written at some time */
	int64_t epoch_ns; /* what CLOCK_MONOTONIC lacks to the time of day */
};

/* Learn what time of day CLOCK_MONOTONIC stands for. */
void vhu_latency_events_epoch(struct vhu_latency_events *events);
/*
 * Begin a capture in @path. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said.
 */
int vhu_latency_events_open(struct vhu_latency_events *events, const struct vhu_command *command,
			    const char *path);
/* Tell once that the oldest kick of a vring has waited for longer than @limit_ns, if it has. The
 * vring's counts were read at @now_ns. Needs the vrings' lock. */
void vhu_latency_events_waits(const struct vhu_latency_events *events,
			      struct vhu_latency_vring *vring, uint64_t limit_ns, uint64_t now_ns);

/* Take an event. */
void vhu_latency_events_see(struct vhu_latency_events *events, const struct vhu_bpf_event *event);
/* End the capture. Returns how many events it lacks; *@written is how many it has. */
uint64_t vhu_latency_events_close(struct vhu_latency_events *events, uint64_t *written);

#endif
