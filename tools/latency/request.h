/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu latency is asked for: its options.
 *
 * Ownership: a request borrows from the command line, but for the places in a back-end's code,
 * which it has a copy of.
 */
#ifndef VHU_TOOLS_LATENCY_REQUEST_H
#define VHU_TOOLS_LATENCY_REQUEST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/vring/probes.h"
#include "lib/cli/options.h"
#include "tools/latency/vrings/vrings.h"

#define VHU_LATENCY_VRINGS_GIVEN 64
#define VHU_LATENCY_PIDS         2

struct vhu_latency_request {
	const char *capture, *socket, *write_to;
	bool follow, histogram, json, cumulative;
	uint32_t pid[VHU_LATENCY_PIDS];
	unsigned pids;
	struct {
		bool set[VHU_LATENCY_ROLES];
		uint32_t id[VHU_LATENCY_ROLES];
	} given[VHU_LATENCY_VRINGS_GIVEN];
	unsigned vrings_given;
	uint64_t interval_ns, duration_ns, slow_ns;
	uint64_t stall_ns;    /* 0: nothing counts as stalled */
	const char *on_stall; /* NULL: nothing is run */
	const char *metrics;  /* file for them; NULL: none */
	int hooks;
	struct vhu_latency_place {
		char text[PATH_MAX];
		struct vhu_uprobes_place place; /* borrows from text */
	} place[VHU_UPROBES_PLACES];
};

/* The options that there are. */
extern const struct vhu_option vhu_latency_option[];

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
int vhu_latency_request_take(const struct vhu_command *command, struct vhu_latency_request *request,
			     int key, const char *argument);

/* Complete a request. Returns VHU_EXIT_DONE if it makes sense, VHU_EXIT_USAGE with what is wrong
 * said. */
int vhu_latency_request_check(const struct vhu_command *command,
			      struct vhu_latency_request *request);

#endif
