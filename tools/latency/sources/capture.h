/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vrings as a capture tells them, also one that is still being written. */
#ifndef VHU_TOOLS_LATENCY_CAPTURE_H
#define VHU_TOOLS_LATENCY_CAPTURE_H

#include "lib/cli/options.h"
#include "tools/latency/sources/told.h"

struct vhu_latency_capture;

struct vhu_latency_capture_choice {
	/* Go on reading, and watch the vrings, in a thread of its own until the capture is closed.
	 */
	bool follow;
	bool keep;        /* what verdicts on vrings need */
	int64_t epoch_ns; /* what CLOCK_MONOTONIC lacks to the time of day */
};

/*
 * Read @path and say in @vrings which eventfds the vrings of its open sessions have.
 * Returns VHU_EXIT_DONE and *@capture; VHU_EXIT_FAILED with what is wrong said.
 */
int vhu_latency_capture_open(struct vhu_latency_capture **capture,
			     const struct vhu_command *command, struct vhu_latency_vrings *vrings,
			     const char *path, const struct vhu_latency_capture_choice *choice);
/* Return what is kept of the records; it needs the vrings' lock. */
struct vhu_latency_told *vhu_latency_capture_told(struct vhu_latency_capture *capture);
/* Return a descriptor that is readable when vrings are to be watched yet; -1: none will. */
int vhu_latency_capture_fd(const struct vhu_latency_capture *capture);
/* Return whether nothing more will come of it. */
bool vhu_latency_capture_ended(const struct vhu_latency_capture *capture);
void vhu_latency_capture_close(struct vhu_latency_capture *capture);

#endif
