/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back-end as a command of ours: started, and started again where it has ended, as those do
 * that serve one front-end.
 *
 * Ownership: a child that was started is ended by vhu_probe_child_end; where we die, the kernel
 * ends it.
 */
#ifndef VHU_TOOLS_PROBE_CONNECTION_CHILD_H
#define VHU_TOOLS_PROBE_CONNECTION_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vhu_probe_child {
	char **argv;      /* NULL: we did not start the back-end */
	const char *path; /* of its socket */
	bool verbose;     /* what it says is let through, to standard error */
	pid_t pid;        /* 0: does not run */
	int status;       /* of the one that ended last, as in waitpid */
	bool ended_by_us; /* that one, so that its status says nothing of it */
	unsigned started; /* how many times */
};

/* Start the command unless it runs. Returns 0 or -errno. */
int vhu_probe_child_start(struct vhu_probe_child *child);

/* Return whether the command does not run, after waiting for its end for @patience_ms at most. */
bool vhu_probe_child_has_ended(struct vhu_probe_child *child, unsigned patience_ms);

/* Write how the command ended: "ended with status 1", "died of signal 11 (Segmentation fault)". */
void vhu_probe_child_text(const struct vhu_probe_child *child, char *to, size_t size);

/* End the command if it runs. */
void vhu_probe_child_end(struct vhu_probe_child *child);

#endif
