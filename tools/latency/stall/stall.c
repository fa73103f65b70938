/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watchdog of vhu latency; stall.h has its theory of operation. */
#include "tools/latency/stall/stall.h"

#include <stdlib.h>

#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/latency/stall/internal.h"

struct vhu_latency_stall *vhu_latency_stall_new(const struct vhu_latency_stall_choice *choice)
{
	struct vhu_latency_stall *stall = calloc(1, sizeof(*stall));

	if (!stall)
		return NULL;
	stall->choice = *choice;
	stall->next_ns = vhu_now_ns();
	return stall;
}

uint64_t vhu_latency_stall_next(const struct vhu_latency_stall *stall)
{
	return stall->next_ns;
}

/* Return whether a vring is to be judged. */
static bool one_is_due(const struct vhu_latency_stall *stall)
{
	for (unsigned i = 0; i < stall->vrings; i++)
		if (vhu_stall_is_due(&stall->vring[i]->watched, stall->choice.stall_ns))
			return true;
	return false;
}

/* Look at all vrings once. */
static void look_at_vrings(struct vhu_latency_stall *stall)
{
	struct vhu_latency_vrings *vrings = stall->choice.vrings;

	pthread_mutex_lock(&vrings->lock);
	vhu_latency_vrings_read(vrings);
	vhu_latency_stall_see(stall);
	pthread_mutex_unlock(&vrings->lock);
}

/* Add to the evidence what is looked at only if a vring is to be judged: who waits for its
 * eventfds, who maps what. */
static void look_closer(struct vhu_latency_stall_vring *vring)
{
	struct vhu_ring_evidence *evidence = &vring->watched.evidence;
	const struct vhu_rings_target *target = vring->target;
	struct vhu_rings_process *front = target->memory->process[VHU_RINGS_FRONT];
	struct vhu_rings_process *back = target->memory->process[VHU_RINGS_BACK];

	if (back && target->vring->fd[VHU_KICK].known)
		evidence->kick_poller =
		    vhu_rings_process_poller(back, target->vring->fd[VHU_KICK].id);
	if (front && target->vring->fd[VHU_CALL].known)
		evidence->call_poller =
		    vhu_rings_process_poller(front, target->vring->fd[VHU_CALL].id);
	evidence->mappings = target->evidence.mappings;
	evidence->dead = target->evidence.dead;
	for (unsigned i = 0; i < 2; i++) {
		const struct vhu_ring_sample *from = &target->evidence.sample[0];
		struct vhu_ring_sample *to = &evidence->sample[i];

		to->call_holders_known = from->call_holders_known;
		to->holds_call = from->holds_call;
		to->holds_old_call = from->holds_old_call;
	}
}

/* Judge a vring that does not move. */
static void judge(struct vhu_latency_stall *stall, struct vhu_latency_stall_vring *vring)
{
	struct vhu_ring_verdict verdict;

	if (vring->target)
		look_closer(vring);
	verdict = vhu_ring_judge(&vring->watched.evidence);
	if (!vhu_stall_is_one(&verdict))
		return;
	vring->watched.said = true;
	vhu_latency_stall_tell_vring(stall, vring, &verdict);
}

/* Judge the vrings that are due. */
static void judge_vrings(struct vhu_latency_stall *stall, const struct vhu_latency_told *told)
{
	const uint64_t stall_ns = stall->choice.stall_ns;

	if (!one_is_due(stall))
		return;
	/* Descriptors and mappings may have changed without a message. */
	vhu_latency_stall_open(stall, told, true);
	for (unsigned i = 0; i < stall->targets.processes.count; i++) {
		vhu_rings_process_begin(stall->targets.processes.process[i]);
		vhu_rings_process_look(stall->targets.processes.process[i]);
	}
	look_at_vrings(stall);
	for (unsigned i = 0; i < stall->vrings; i++)
		if (vhu_stall_is_due(&stall->vring[i]->watched, stall_ns))
			judge(stall, stall->vring[i]);
}

/* Return what is known of the request of a session, new if it is seen first; NULL out of memory. */
static struct vhu_stall_pending *request_of(struct vhu_latency_stall *stall, uint64_t session)
{
	struct vhu_latency_stall_request *more;

	for (unsigned i = 0; i < stall->requests; i++)
		if (stall->request[i].session == session) {
			stall->request[i].seen = true;
			return &stall->request[i].pending;
		}
	more = vhu_array_more(stall->request, &stall->requests, sizeof(*more));
	if (!more)
		return NULL;
	stall->request = more;
	more = &more[stall->requests - 1];
	*more = (struct vhu_latency_stall_request){.session = session, .seen = true};
	return &more->pending;
}

/* See whether the oldest request of a session has waited for too long. */
static void look_at_requests(struct vhu_latency_stall *stall)
{
	unsigned left = 0;

	for (unsigned i = 0; i < stall->targets.memories; i++) {
		const struct vhu_rings_memory *memory = &stall->targets.memory[i];
		const struct vhu_ring_pending pending =
		    vhu_latency_stall_pending(stall, memory->session);
		struct vhu_stall_pending *known = request_of(stall, memory->session->kept.session);

		if (known && vhu_stall_pending_look(known, &pending, stall->choice.stall_ns))
			vhu_latency_stall_tell_request(stall, memory, &pending);
	}
	for (unsigned i = 0; i < stall->requests; i++) {
		struct vhu_latency_stall_request request = stall->request[i];

		if (!request.seen)
			continue;
		request.seen = false;
		stall->request[left++] = request;
	}
	stall->requests = left;
}

void vhu_latency_stall_look(struct vhu_latency_stall *stall, const struct vhu_latency_told *told)
{
	vhu_latency_stall_open(stall, told, false);
	look_at_vrings(stall);
	look_at_requests(stall);
	judge_vrings(stall, told);
	stall->next_ns = vhu_now_ns() + vhu_stall_look_every(stall->choice.stall_ns);
}

void vhu_latency_stall_free(struct vhu_latency_stall *stall)
{
	if (!stall)
		return;
	for (unsigned i = 0; i < stall->vrings; i++) {
		vhu_ringwatch_vring_free(&stall->vring[i]->watched);
		free(stall->vring[i]);
	}
	free(stall->vring);
	free(stall->request);
	vhu_rings_targets_free(&stall->targets);
	vhu_rings_sessions_free(&stall->sessions);
	free(stall);
}
