/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The back-end of a session that only its front-end tells of. */
#include <stdlib.h>

#include "tools/rings/places/vm.h"
#include "tools/rings/process/peers.h"

/* Processes that share eventfds with the front-end. */
struct sharers {
	struct vhu_rings_processes processes;
	const struct vhu_rings_process *front, *found;
	unsigned count;
};

/* Look whether a peer shares eventfds. Returns false, to go on to the next. */
static bool look_at(uint32_t pid, void *with)
{
	struct sharers *sharers = with;
	const struct vhu_rings_process *peer =
	    pid == sharers->front->pid ? NULL : vhu_rings_process(&sharers->processes, pid);
	bool shares = false;

	for (unsigned i = 0; peer && i < peer->eventfds && !shares; i++)
		shares = vhu_rings_process_eventfd(sharers->front, peer->open[i].id);
	if (!shares)
		return false;
	sharers->found = peer;
	sharers->count++;
	return false;
}

/* Let the vrings have the kicks that KVM says they have. */
static void fill_in(const struct vhu_command *command, struct vhu_rings_session *session,
		    const struct vhu_rings_process *back_end)
{
	struct vhu_vm_kick *kick;
	const unsigned kicks =
	    vhu_rings_vm_kicks(command, session->pid[VHU_RINGS_FRONT], back_end, &kick);

	for (unsigned i = 0; i < kicks; i++) {
		struct vhu_rings_vring *vring = vhu_rings_session_vring(session, kick[i].vring);

		if (vring)
			vring->fd[VHU_KICK] =
			    (struct vhu_rings_eventfd){.known = true, .id = kick[i].eventfd_id};
	}
	free(kick);
}

void vhu_rings_find_back_end(const struct vhu_command *command, struct vhu_rings_session *session)
{
	struct sharers sharers = {0};

	sharers.front = vhu_rings_process(&sharers.processes, session->pid[VHU_RINGS_FRONT]);
	if (sharers.front && !sharers.front->error)
		vhu_rings_peers_find(sharers.front->pid, look_at, &sharers);
	if (sharers.count == 1) {
		session->pid[VHU_RINGS_BACK] = sharers.found->pid;
		fill_in(command, session, sharers.found);
	}
	vhu_rings_processes_free(&sharers.processes);
}
