/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that vhu attach was given. The kernel gives the id of a process that has ended to
 * another one: a descriptor says whether it is still the same.
 *
 * Ownership: the descriptors are closed by vhu_attach_processes_close.
 */
#ifndef VHU_TOOLS_ATTACH_PROCESSES_H
#define VHU_TOOLS_ATTACH_PROCESSES_H

#include "lib/cli/options.h"
#include "tools/attach/request.h"

struct vhu_attach_processes {
	unsigned count; /* of those that have not ended */
	struct vhu_attach_process {
		uint32_t pid;
		int fd; /* readable when the process has ended */
	} process[VHU_ATTACH_PIDS_GIVEN];
};

/* Find the processes that are asked for. Returns an exit status; only with VHU_EXIT_DONE there is
 * something to close. */
int vhu_attach_processes_open(struct vhu_attach_processes *processes,
			      const struct vhu_command *command,
			      const struct vhu_attach_request *request);
void vhu_attach_processes_close(struct vhu_attach_processes *processes);

/* Return whether a process is one of them. */
bool vhu_attach_processes_have(const struct vhu_attach_processes *processes, uint32_t pid);

/* Take out one process that has ended. Returns its id; 0: none has ended. */
uint32_t vhu_attach_processes_take_ended(struct vhu_attach_processes *processes);

#endif
