/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu top does from its beginning to its end. */
#ifndef VHU_TOOLS_TOP_RUN_H
#define VHU_TOOLS_TOP_RUN_H

#include "lib/cli/options.h"

struct vhu_top_request {
	const struct vhu_command *command;
	const char **control; /* control sockets, and folders of them */
	unsigned controls;
	uint32_t *pid; /* back-ends to watch by probes */
	unsigned pids;
	const char **socket; /* sockets whose sessions are to be watched by probes */
	unsigned sockets;
	bool all; /* every back-end of the host */
	bool json;
	uint64_t count; /* times that JSON is written; 0: for ever */
	uint64_t delay_ns, stall_ns;
	unsigned sort; /* the column */
	const char *filter;
};

/* Do what was asked for. Returns the exit status. */
int vhu_top_run(const struct vhu_top_request *request);

#endif
