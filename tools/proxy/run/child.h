/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The COMMAND of vhu proxy: one side of its one pair, started by us.
 *
 * The proxy fills the meeting point into its arguments: {} is the path of a socket, in a folder of
 * our own unless the pair names one; {fd} a connected descriptor, and {listen-fd} a listening one,
 * that it inherits. When it ends, the proxy ends with its exit status; when the proxy ends, it
 * sends COMMAND a SIGTERM.
 *
 * Ownership: the folder with what is in it, and the descriptors until they are passed on.
 */
#ifndef VHU_TOOLS_PROXY_RUN_CHILD_H
#define VHU_TOOLS_PROXY_RUN_CHILD_H

#include "proxy/core/child.h"
#include "proxy/proxy.h"

struct vhu_proxy_run;

struct vhu_proxy_child {
	struct vhu_child child;
	struct vhu_timer linger; /* for sessions to end by themselves after it has */
	unsigned lingered;
	enum vhu_side side;
	char *folder; /* NULL: none was made */
	int folder_fd;
};

/* Make what COMMAND, if there is one, is met by, and fill that in. Returns VHU_EXIT_DONE; the exit
 * status with what is wrong said. */
int vhu_proxy_child_prepare(struct vhu_proxy_run *run);

/* Start COMMAND, if there is one. Returns as vhu_proxy_child_prepare does. */
int vhu_proxy_child_start(struct vhu_proxy_run *run);

/*
 * See COMMAND, if there is one, to its end: it is given a moment, unless a signal has ended us,
 * then told to end, then made to.
 * @status: of a run without it. Returns the exit status of the run, which is COMMAND's.
 */
int vhu_proxy_child_finish(struct vhu_proxy_run *run, int status);

/* Remove what was made. */
void vhu_proxy_child_free(struct vhu_proxy_run *run);

#endif
