/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu attach is asked for: its options.
 *
 * Ownership: a request borrows from the command line.
 */
#ifndef VHU_TOOLS_ATTACH_REQUEST_H
#define VHU_TOOLS_ATTACH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cli/options.h"
#include "tools/recording/files.h"

#define VHU_ATTACH_SOCKETS_GIVEN 64
#define VHU_ATTACH_PIDS_GIVEN    64

struct vhu_attach_request {
	const char *file; /* NULL: messages are shown, "-": standard output */
	uint32_t snaplen; /* 0: the default */
	struct vhu_recording_files files;
	const char *socket[VHU_ATTACH_SOCKETS_GIVEN];
	unsigned sockets;
	uint32_t pid[VHU_ATTACH_PIDS_GIVEN];
	unsigned pids;
	bool all, list, json, verbose, quiet, with_keys, latency;
	const char *qmp;      /* path of QEMU's monitor, NULL: it is not asked */
	bool refresh;         /* the virtual machine is to be stopped and to go on */
	uint64_t duration_ns; /* 0: until a signal */
	uint64_t stall_ns;    /* 0: nothing counts as stalled */
	const char *on_stall; /* NULL: nothing is run */
	int hooks;            /* a set of hooks, -1: the best that there is */
};

/* The options that there are. */
extern const struct vhu_option vhu_attach_option[];

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
int vhu_attach_request_take(const struct vhu_command *command, struct vhu_attach_request *request,
			    int key, const char *argument);

/* Return VHU_EXIT_DONE if a request makes sense; VHU_EXIT_USAGE with what is wrong said. */
int vhu_attach_request_check(const struct vhu_command *command, struct vhu_attach_request *request);

#endif
