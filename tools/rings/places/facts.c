/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be seen of a process and its peers if nothing says where their vrings are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/ring/verdict/process.h"
#include "tools/rings/places/places.h"
#include "tools/rings/places/vm.h"
#include "tools/rings/process/peers.h"
#include "tools/rings/process/process.h"

/* The process that was asked about, and its peers so far. */
struct facts {
	const struct vhu_command *command;
	struct vhu_rings_processes processes;
	const struct vhu_rings_process *asked;
	unsigned peers, said;
};

/* Say which state a process is in, if that keeps it from working. */
static void say_state(struct facts *facts, struct vhu_rings_process *process)
{
	const struct vhu_ring_trouble *trouble;

	vhu_rings_process_look(process);
	trouble = vhu_ring_trouble(process->state);
	if (!trouble)
		return;
	facts->said++;
	vhu_fail(facts->command, "seen: process %" PRIu32 " (%s) %s: %s", process->pid,
		 process->comm, trouble->text, trouble->advice);
}

/* Return what an eventfd is, as far as KVM says it: ", the kick of vring 0,"; else ",". */
static const char *role_of(uint32_t id, const struct vhu_vm_kick *kick, int kicks, char text[48])
{
	snprintf(text, 48, ",");
	for (int i = 0; i < kicks; i++)
		if (kick[i].eventfd_id == id)
			snprintf(text, 48, ", the kick of vring %u,", kick[i].vring);
	return text;
}

/* Ask KVM for the kicks among the eventfds that two processes share, one of them the VMM. Returns
 * how many. */
static int ask_kvm(const struct facts *facts, const struct vhu_rings_process *peer,
		   struct vhu_vm_kick **kick)
{
	const struct vhu_rings_process *const pair[] = {peer, facts->asked};
	int kicks = 0;

	*kick = NULL;
	for (unsigned i = 0; i < 2 && kicks <= 0; i++) {
		struct vhu_rings_vm vm;

		vhu_rings_vm_ask(&vm, facts->command, pair[i]->pid);
		kicks = vhu_rings_vm_kicks(&vm, NULL, 0, pair[!i], kick);
		vhu_rings_vm_free(&vm);
	}
	return kicks;
}

/* Say which eventfds of both processes have a signal that nobody has read. Returns how many both
 * have. */
static unsigned say_unread(struct facts *facts, const struct vhu_rings_process *peer)
{
	struct vhu_vm_kick *kick = NULL;
	unsigned shared = 0;
	int kicks = 0;
	bool asked = false;
	char role[48];

	for (unsigned i = 0; i < peer->eventfds; i++) {
		const struct vhu_rings_open *eventfd = &peer->open[i];
		struct vhu_ring_counter counter;

		if ((i > 0 && eventfd->id == peer->open[i - 1].id) ||
		    !vhu_rings_process_eventfd(facts->asked, eventfd->id))
			continue;
		shared++;
		counter = vhu_rings_process_counter(peer, eventfd);
		if (!counter.known || !counter.count)
			continue;
		if (!asked)
			kicks = ask_kvm(facts, peer, &kick);
		asked = true;
		facts->said++;
		vhu_fail(facts->command,
			 "seen: eventfd %" PRIu32 "%s which processes %" PRIu32 " (%s) and %" PRIu32
			 " (%s) share, was signalled and not read "
			 "(counter %" PRIu64 ")",
			 eventfd->id, role_of(eventfd->id, kick, kicks, role), facts->asked->pid,
			 facts->asked->comm, peer->pid, peer->comm, counter.count);
	}
	free(kick);
	return shared;
}

/* Say what is seen of a peer, if it shares eventfds, as the sides of a session do. Returns false,
 * to go on to the next. */
static bool say_peer(uint32_t pid, void *with)
{
	struct facts *facts = with;
	struct vhu_rings_process *peer =
	    pid == facts->asked->pid ? NULL : vhu_rings_process(&facts->processes, pid);

	if (peer && !peer->error && say_unread(facts, peer)) {
		facts->peers++;
		say_state(facts, peer);
	}
	return false;
}

void vhu_rings_say_facts(const struct vhu_command *command, uint32_t pid)
{
	struct facts facts = {.command = command};
	struct vhu_rings_process *asked = vhu_rings_process(&facts.processes, pid);

	facts.asked = asked;
	if (asked && !asked->error) {
		say_state(&facts, asked);
		vhu_rings_peers_find(pid, say_peer, &facts);
		if (facts.peers && !facts.said)
			vhu_fail(command, "seen: neither side is stopped or blocked, and none of "
					  "the eventfds that they share waits to be read");
	}
	vhu_rings_processes_free(&facts.processes);
}
