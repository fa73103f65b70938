/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vrings found without a capture: the eventfds that a back-end shares with its front-end, told
 * apart by their traffic.
 *
 * The back-end reads a kick and writes a call. Two signs pair a kick with its call. The
 * back-end writes a kick's own call between nearly any two reads of that kick, another vring's call
 * between about half of them; and the call mostly comes from the thread that read the kick last. If
 * vrings are too busy or too much in step for both signs, the order of descriptors decides:
 * front-ends hand them over vring by vring. Which vring a kick is of only KVM says, for a virtual
 * machine; other vrings are numbered in the order of the back-end's descriptors of their kicks.
 */
#ifndef VHU_TOOLS_LATENCY_LEARN_H
#define VHU_TOOLS_LATENCY_LEARN_H

#include "lib/cli/options.h"
#include "tools/latency/vrings/vrings.h"

struct vhu_learn;

/* Eventfds watched at once. */
#define VHU_LEARN_MAX 256

/* Begin to watch what process @back_end shares with @front_end, 0: with any other. Returns how many
 * eventfds that are, and in *@learn, NULL without any, what is to be closed; -errno. */
int vhu_learn_start(struct vhu_learn **learn, struct vhu_latency_vrings *vrings, uint32_t back_end,
		    uint32_t front_end);
/*
 * Begin to watch what process @back_end shares with @front_end, 0: with any other.
 * Returns VHU_EXIT_DONE and *@learn; VHU_EXIT_FAILED with what is wrong said.
 */
int vhu_learn_open(struct vhu_learn **learn, const struct vhu_command *command,
		   struct vhu_latency_vrings *vrings, uint32_t back_end, uint32_t front_end);
/* Take an event of an eventfd whose role is not known. */
void vhu_learn_see(struct vhu_learn *learn, const struct vhu_bpf_event *event);
/* Look for new eventfds, and conclude what can be concluded. Returns false where the back-end is
 * gone. */
bool vhu_learn_tick(struct vhu_learn *learn, uint64_t now_ns);
/* Return how many shared eventfds of a back-end that is there had no traffic to tell them by. */
unsigned vhu_learn_silent(const struct vhu_learn *learn);

/* A shared eventfd that is signalled and never read. */
struct vhu_learn_unread {
	uint32_t id;
	uint64_t kicks; /* since it was found; 0: it was signalled before */
	bool kvm;       /* KVM says that it is the kick of this vring */
	uint32_t vring;
	bool count_known;
	uint64_t count; /* as it counts them */
};

/* List the eventfds that are signalled and never read. @list: gets up to @most. Returns the
 * number. */
unsigned vhu_learn_unread(const struct vhu_learn *learn, struct vhu_learn_unread *list,
			  unsigned most);
void vhu_learn_close(struct vhu_learn *learn);

#endif
