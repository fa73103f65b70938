/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that runs when something has stalled (--on-stall).
 *
 * The proxy's sandbox lets it start no process. So a helper is split off before the sandbox is
 * entered. It holds no socket, descriptor or memory of the proxy's, and can gain no rights; by a
 * pipe it gets numbers and a text, never what to run. The command is run by sh -c, once for each
 * stall, one at a time; what has stalled is in its environment:
 *
 *	VHU_SESSION	number of the session
 *	VHU_VRING	number of the vring; empty: a request has no reply
 *	VHU_VERDICT	id of the verdict, as D3
 *	VHU_TEXT	what was said, without control characters
 *	VHU_FRONT_PID	process of the front-end, VHU_BACK_PID of the back-end; empty: not known
 *	VHU_CAPTURE	file of the capture, or of the flight recorder; empty: none
 */
#ifndef VHU_TOOLS_PROXY_STALL_ON_STALL_H
#define VHU_TOOLS_PROXY_STALL_ON_STALL_H

#include <limits.h>
#include <stdint.h>

#include "proxy/proxy.h"

/* What the helper gets; less than a pipe takes at once (PIPE_BUF). */
struct vhu_on_stall_message {
	uint64_t session;
	int32_t vring;
	uint32_t pid[2]; /* by side; 0: not known */
	char verdict[8];
	char text[1024];
	char capture[2048];
};

struct vhu_on_stall {
	int pipe; /* to the helper; -1: there is none */
};

/* Start the helper that runs @command. @prepare: is called in the helper, before anything runs, to
 * give back what the proxy changed for itself: signals, limits. Returns 0 or -errno. */
int vhu_on_stall_start(struct vhu_on_stall *on_stall, const char *command, void (*prepare)(void));

/* Have the command run. Returns 0; -EAGAIN: too many stalls wait for it; -errno. */
int vhu_on_stall_run(const struct vhu_on_stall *on_stall,
		     const struct vhu_on_stall_message *message);

/* Let the helper end when it has run what it was asked for. */
void vhu_on_stall_end(struct vhu_on_stall *on_stall);

#endif
