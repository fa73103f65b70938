/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child: a peer as a command of ours. It is started once, its end is an event of the loop, and
 * it does not outlive us.
 *
 * Ownership: a child that was started is to be ended by vhu_child_end; where we die without that,
 * the kernel sends it SIGTERM.
 */
#ifndef VHU_PROXY_CORE_CHILD_H
#define VHU_PROXY_CORE_CHILD_H

#include <sys/types.h>

#include "proxy/core/loop.h"

/* What a shell's exit status is for a command that is not found, and for one that cannot be run. */
#define VHU_CHILD_NOT_FOUND  127
#define VHU_CHILD_CANNOT_RUN 126

struct vhu_child {
	/* What is asked for. */
	char **argv;           /* ends with NULL; the first is looked for in PATH */
	int pass;              /* a descriptor that it is to inherit, -1 for none */
	bool quiet_output;     /* its standard output goes to standard error */
	void (*prepare)(void); /* called in it before it runs; NULL: nothing */

	pid_t pid;             /* 0: does not run */
	int status;            /* of its end, as waitpid tells */
	struct vhu_watch ends; /* ready when it has ended; `ready` is the owner's */
};

/*
 * Start @child, and watch for its end.
 * Returns 0; -errno where it cannot be run, -ENOENT where there is no such command.
 */
int vhu_child_start(struct vhu_child *child, struct vhu_loop *loop);

/*
 * Wait for the end of @child.
 * @patience_ms: how long at most. @hurry: a descriptor that, once readable, ends the wait; -1:
 * none. Returns whether it has ended.
 */
bool vhu_child_wait(struct vhu_child *child, int patience_ms, int hurry);

/*
 * Write how @child has ended: "killed by signal 11 (Segmentation fault)", "exited with status 3".
 * @patience_ms: how long to wait for its end if that has begun; the loop still gets its event.
 * Returns whether it has ended, and otherwise than with status 0.
 */
bool vhu_child_fate(const struct vhu_child *child, int patience_ms, char *to, size_t size);

/* Send @child a signal, if it runs. */
void vhu_child_signal(const struct vhu_child *child, int number);

/* End @child if it still runs, at once, and stop watching it. */
void vhu_child_end(struct vhu_child *child, struct vhu_loop *loop);

/* Return the exit status that a shell would have for how @child ended: 128 + n for signal n. */
int vhu_child_exit_status(const struct vhu_child *child);

#endif
