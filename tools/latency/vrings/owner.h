/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes are of a vring's session. The kernel gives the id of an eventfd that is gone to
 * the next one, so the processes tell whether an eventfd is still the vring's.
 */
#ifndef VHU_TOOLS_LATENCY_OWNER_H
#define VHU_TOOLS_LATENCY_OWNER_H

#include "tools/latency/vrings/vrings.h"

struct vhu_state;

/* Keep of a session's state what tells its processes. */
void vhu_latency_owner_take(struct vhu_latency_vring *vring, const struct vhu_state *state);

/*
 * Return whether process @pid is of a vring's session: it has the session's guest memory; if that
 * cannot be seen, the session names the process, and it ran when the session began.
 * @processes: keeps what was read of processes.
 */
bool vhu_latency_owner_is(const struct vhu_latency_vring *vring,
			  struct vhu_rings_processes *processes, uint32_t pid);

/*
 * Say why no vring is watched of those that are to be: their processes have ended, or it cannot be
 * told whether an eventfd is theirs. Needs the vrings' lock.
 * Returns whether there is something to say, in @text.
 */
bool vhu_latency_owner_why(const struct vhu_latency_vrings *vrings, char *text, size_t size);

#endif
