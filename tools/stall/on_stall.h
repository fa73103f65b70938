/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that runs when something has stalled (--on-stall).
 *
 * A helper is split off before anything is open; the proxy's sandbox lets the proxy start no
 * process later. The helper holds no socket, descriptor or memory of its parent's, and can gain no
 * rights; by a pipe it gets numbers and a text, never what to run. The command is run by sh -c,
 * once for each stall, one at a time; what has stalled is in its environment:
 *
 *	VHU_SESSION	number of the session; empty if unknown
 *	VHU_VRING	number of the vring; empty: a request has no reply
 *	VHU_VERDICT	id of the verdict, as D3
 *	VHU_TEXT	what was said, without control characters
 *	VHU_FRONT_PID	process of the front-end, VHU_BACK_PID of the back-end; empty: not known
 *	VHU_CAPTURE	file of the capture, or of the flight recorder; empty: none
 */
#ifndef VHU_TOOLS_STALL_ON_STALL_H
#define VHU_TOOLS_STALL_ON_STALL_H

#include <limits.h>
#include <stdint.h>

#include "lib/cli/options.h"

/* What the helper gets; less than a pipe takes at once (PIPE_BUF). */
struct vhu_on_stall_message {
	uint64_t session; /* 0: none */
	int32_t vring;
	uint32_t front_end, back_end; /* processes; 0: not known */
	char verdict[8];
	char text[1024];
	char capture[2048];
};

struct vhu_on_stall {
	int pipe; /* to the helper; -1 without one */
};

/* Start the helper that runs @what. @command: whose name its lines begin with. @prepare: is called
 * in the helper, before anything runs, to give back what its parent changed for itself: signals,
 * limits; NULL: nothing. Returns 0 or -errno. */
int vhu_on_stall_start(struct vhu_on_stall *on_stall, const struct vhu_command *command,
		       const char *what, void (*prepare)(void));

/* The same for a command that ends if that fails. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with
 * what is wrong said. */
int vhu_on_stall_open(struct vhu_on_stall *on_stall, const struct vhu_command *command,
		      const char *what, void (*prepare)(void));

/* Have the command run. Returns 0; -EAGAIN: too many stalls wait for it; -errno. */
int vhu_on_stall_run(const struct vhu_on_stall *on_stall,
		     const struct vhu_on_stall_message *message);

/* Let the helper end when it has run what it was asked for. */
void vhu_on_stall_end(struct vhu_on_stall *on_stall);

#endif
