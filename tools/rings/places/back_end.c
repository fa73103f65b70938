/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the back-end of a session if only its front-end is known. */
#include <stdlib.h>

#include "tools/rings/places/vm.h"
#include "tools/rings/process/peers.h"

/* Processes that may be the back-end. */
struct sharers {
	struct vhu_rings_processes processes;
	const struct vhu_rings_process *front, *found;
	const struct vhu_rings_vm *vm;
	const struct vhu_vm_range *range;
	unsigned ranges;
	unsigned count;
};

/* Return whether a process has eventfds of the device. */
static bool serves(const struct sharers *sharers, const struct vhu_rings_process *process)
{
	bool shares = false;

	if (sharers->vm->signals) {
		struct vhu_vm_kick *kick;

		shares = vhu_rings_vm_kicks(sharers->vm, sharers->range, sharers->ranges, process,
					    &kick) != 0;
		free(kick);
		return shares;
	}
	for (unsigned i = 0; i < process->eventfds && !shares; i++)
		shares = vhu_rings_process_eventfd(sharers->front, process->open[i].id);
	return shares;
}

/* Look whether a peer may be the back-end. Returns false, to go on to the next. */
static bool look_at(uint32_t pid, void *with)
{
	struct sharers *sharers = with;
	const struct vhu_rings_process *peer =
	    pid == sharers->front->pid ? NULL : vhu_rings_process(&sharers->processes, pid);

	if (!peer || peer == sharers->found || !serves(sharers, peer))
		return false;
	sharers->found = peer;
	sharers->count++;
	return false;
}

/* Let the vrings have the kicks that KVM says they have. */
static void fill_in(struct vhu_rings_session *session, const struct sharers *sharers)
{
	struct vhu_vm_kick *kick;
	const int kicks =
	    vhu_rings_vm_kicks(sharers->vm, sharers->range, sharers->ranges, sharers->found, &kick);

	for (int i = 0; i < kicks; i++) {
		struct vhu_rings_vring *vring = vhu_rings_session_vring(session, kick[i].vring);

		if (vring)
			vring->fd[VHU_KICK] =
			    (struct vhu_rings_eventfd){.known = true, .id = kick[i].eventfd_id};
	}
	free(kick);
}

void vhu_rings_find_back_end(struct vhu_rings_session *session, const struct vhu_rings_vm *vm,
			     bool only, const struct vhu_vm_range *range, unsigned ranges)
{
	struct sharers sharers = {.vm = vm, .range = range, .ranges = ranges};

	if (!only && (!ranges || !vm->signals))
		return;
	sharers.front = vhu_rings_process(&sharers.processes, session->pid[VHU_RINGS_FRONT]);
	if (sharers.front && !sharers.front->error)
		vhu_rings_peers_find(sharers.front->pid, look_at, &sharers);
	if (sharers.count == 1) {
		session->pid[VHU_RINGS_BACK] = sharers.found->pid;
		fill_in(session, &sharers);
	}
	vhu_rings_processes_free(&sharers.processes);
}
