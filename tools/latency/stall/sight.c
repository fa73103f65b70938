/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to see of vrings. */
#include <stdlib.h>

#include "lib/ring/verdict/process.h"
#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/latency/stall/internal.h"

struct vhu_ring_pending vhu_latency_stall_pending(const struct vhu_latency_stall *stall,
						  const struct vhu_rings_session *session)
{
	struct vhu_ring_pending pending = session->pending;

	if (pending.number)
		pending.age_ns += vhu_now_ns() - stall->opened_ns;
	return pending;
}

/* Return what the probes have counted on a vring. */
static struct vhu_ringwatch_signals signals_of(const struct vhu_latency_vring *vring,
					       const struct vhu_probes *probes)
{
	const struct vhu_bpf_vring *counts = &vring->counts;
	return (struct vhu_ringwatch_signals){
	    .known = vring->fd[VHU_KICK].wired &&
		     (vring->fd[VHU_CALL].wired || !vring->fd[VHU_CALL].wanted),
	    /* If the hooks are blind to some kicks, as to those from inside the kernel, the ones of
	     * this vring may be among them. */
	    .partly = *vhu_probes_blind(probes) && counts->kicks <= counts->wakes_without_kick,
	    .kicks = counts->kicks,
	    .calls = counts->calls,
	    .wakes_known = true,
	    .wakes = counts->wakes,
	};
}

/* Return how kicks and calls of a vring took turns, as the probes have counted them. */
static struct vhu_ring_signals turns_of(const struct vhu_latency_vring *vring,
					const struct vhu_ringwatch_signals *signals)
{
	const struct vhu_bpf_vring *counts = &vring->counts;
	const uint64_t now = vhu_now_ns();
	const uint64_t open = counts->kicks > counts->called ? counts->kicks - counts->called : 0;
	const uint64_t turns =
	    counts->called > vring->renewed_kicks ? counts->called - vring->renewed_kicks : 0;
	const uint64_t oldest =
	    open && open <= VHU_BPF_STAMPS ? counts->stamp[counts->called % VHU_BPF_STAMPS] : now;

	if (!signals->known || signals->partly || !vring->fd[VHU_CALL].wired)
		return (struct vhu_ring_signals){0};
	return (struct vhu_ring_signals){
	    .known = true,
	    .kicks = counts->kicks,
	    .calls = counts->calls,
	    .in_turn = counts->in_turn < turns ? counts->in_turn : turns,
	    .open_kicks = open,
	    .open_ns = now > oldest ? now - oldest : 0,
	};
}

/* Read the counter of a vring's kick or call from process @side of its session. */
static struct vhu_ring_counter counter_of(const struct vhu_rings_target *target,
					  enum vhu_vring_role role, unsigned side)
{
	const struct vhu_rings_process *process = target->memory->process[side];
	const struct vhu_rings_eventfd *eventfd = &target->vring->fd[role];
	const struct vhu_rings_open *open = process && !process->error && eventfd->known
						? vhu_rings_process_eventfd(process, eventfd->id)
						: NULL;

	return open ? vhu_rings_process_counter(process, open) : (struct vhu_ring_counter){0};
}

/* Return what there is to see of a vring of a known session. */
static struct vhu_ringwatch_sight sight_of(const struct vhu_latency_stall *stall,
					   const struct vhu_rings_target *target)
{
	const struct vhu_rings_session *session = target->session;
	struct vhu_ringwatch_sight sight = {
	    .index = target->vring->index,
	    .setup = {target->vring->fd[VHU_KICK].id, target->vring->size,
		      target->vring->descriptor},
	    .place = target->place,
	    .partly = session->regions_partly || target->memory->missing,
	    .context = session->context,
	    .context_known = true,
	    .session = target->vring->session,
	    .kick = counter_of(target, VHU_KICK, VHU_RINGS_BACK),
	    .call = counter_of(target, VHU_CALL, VHU_RINGS_FRONT),
	    .pending = vhu_latency_stall_pending(stall, session),
	};

	vhu_ring_process_read(&sight.front_end, session->pid[VHU_RINGS_FRONT]);
	vhu_ring_process_read(&sight.back_end, session->pid[VHU_RINGS_BACK]);
	if (target->memory->proxy)
		vhu_ring_process_read(&sight.proxy, target->memory->proxy->pid);
	return sight;
}

/* Read what an eventfd that we hold counts. */
static struct vhu_ring_counter read_held(const struct vhu_latency_fd *fd)
{
	struct vhu_ring_counter counter = {.id = fd->id};

	if (fd->wired)
		counter.known = vhu_held_count(&fd->held, &counter.count);
	return counter;
}

/* Return what there is to see of a vring without a known session. */
static struct vhu_ringwatch_sight sight_of_eventfds(const struct vhu_latency_stall_choice *choice,
						    const struct vhu_latency_vring *vring)
{
	struct vhu_ringwatch_sight sight = {
	    .index = vring->index,
	    .setup = {vring->fd[VHU_KICK].id, 0, 0},
	    .kick = read_held(&vring->fd[VHU_KICK]),
	    .call = read_held(&vring->fd[VHU_CALL]),
	};

	vhu_ring_process_read(&sight.front_end, choice->front_end);
	vhu_ring_process_read(&sight.back_end, choice->back_end);
	return sight;
}

/* Return what is known of a vring, new if it is seen first; NULL out of memory. */
static struct vhu_latency_stall_vring *known_of(struct vhu_latency_stall *stall, uint64_t session,
						uint32_t index)
{
	struct vhu_latency_stall_vring **more, *known;

	for (unsigned i = 0; i < stall->vrings; i++)
		if (stall->vring[i]->session == session && stall->vring[i]->index == index)
			return stall->vring[i];
	known = calloc(1, sizeof(*known));
	more = known ? vhu_array_more(stall->vring, &stall->vrings, sizeof(*more)) : NULL;
	if (!more) {
		free(known);
		return NULL;
	}
	stall->vring = more;
	stall->vring[stall->vrings - 1] = known;
	known->session = session;
	known->index = index;
	return known;
}

/* Note that kicks wait which the probes saw before the first look. */
static void note_waiting(struct vhu_ringwatch_vring *watched, const struct vhu_latency_vring *vring,
			 const struct vhu_ringwatch_signals *signals)
{
	const struct vhu_latency_waiting waiting = vhu_latency_vring_waiting(vring, vhu_now_ns());
	struct vhu_ringwatch_signals before = *signals;

	before.kicks -= waiting.untaken;
	if (waiting.untaken && !waiting.taken && waiting.oldest_ns)
		vhu_ringwatch_vring_since(watched, waiting.oldest_ns, &before);
}

/* Look at a vring. @vring: NULL: the probes do not watch it. */
static void look_at(struct vhu_latency_stall *stall, uint64_t session,
		    struct vhu_ringwatch_sight *sight, struct vhu_rings_target *target,
		    struct vhu_latency_vring *vring)
{
	struct vhu_latency_stall_vring *known = known_of(stall, session, sight->index);

	if (!known)
		return;
	known->seen = true;
	known->target = target;
	known->vring = vring;
	if (vring) {
		sight->signals = signals_of(vring, stall->choice.vrings->probes);
		sight->turns = turns_of(vring, &sight->signals);
	}
	if (target) {
		sight->turns.lost_kick = target->vring->signals.lost_kick;
		sight->turns.lost_call = target->vring->signals.lost_call;
	}
	if (vring && !target && !known->watched.looked)
		note_waiting(&known->watched, vring, &sight->signals);
	vhu_ringwatch_vring_look(&known->watched, sight);
}

/* Return the vring that the probes watch of a target; NULL if they do not. */
static struct vhu_latency_vring *watched_of(const struct vhu_latency_vrings *vrings,
					    const struct vhu_rings_target *target)
{
	for (unsigned i = 0; i < vrings->count; i++)
		if (vrings->vring[i]->session == target->session->kept.session &&
		    vrings->vring[i]->index == target->vring->index)
			return vhu_latency_vring_is_wired(vrings->vring[i]) ? vrings->vring[i]
									    : NULL;
	return NULL;
}

/* Forget the vrings that are there no more. */
static void forget(struct vhu_latency_stall *stall)
{
	unsigned left = 0;

	for (unsigned i = 0; i < stall->vrings; i++) {
		struct vhu_latency_stall_vring *known = stall->vring[i];

		if (known->seen) {
			known->seen = false;
			stall->vring[left++] = known;
			continue;
		}
		vhu_ringwatch_vring_free(&known->watched);
		free(known);
	}
	stall->vrings = left;
}

void vhu_latency_stall_see(struct vhu_latency_stall *stall)
{
	const struct vhu_latency_vrings *vrings = stall->choice.vrings;

	for (unsigned i = 0; i < stall->targets.count; i++) {
		struct vhu_rings_target *target = &stall->targets.target[i];
		struct vhu_ringwatch_sight sight;

		if (target->vring->index == VHU_RING_NO_VRING || !target->vring->session.started)
			continue;
		sight = sight_of(stall, target);
		look_at(stall, target->session->kept.session, &sight, target,
			watched_of(vrings, target));
	}
	for (unsigned i = 0; i < vrings->count; i++) {
		struct vhu_latency_vring *vring = vrings->vring[i];
		struct vhu_ringwatch_sight sight;

		if (vring->session || !vhu_latency_vring_is_wired(vring))
			continue;
		sight = sight_of_eventfds(&stall->choice, vring);
		look_at(stall, 0, &sight, NULL, vring);
	}
	forget(stall);
}
