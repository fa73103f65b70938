/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vrings that are watched. */
#include "tools/latency/vrings/vrings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bpf/vring/counts.h"
#include "bpf/vring/roles.h"
#include "lib/util/util.h"
#include "tools/latency/vrings/owner.h"

/* For so long an eventfd that is in no process is expected to come. */
#define PATIENCE_NS UINT64_C(5000000000)

/* The eventfds that there are, and processes that were looked at since. */
struct listing {
	struct vhu_bpf_eventfd *at;
	int count;
	struct vhu_rings_processes processes;
};

void vhu_latency_vrings_init(struct vhu_latency_vrings *vrings, struct vhu_probes *probes)
{
	memset(vrings, 0, sizeof(*vrings));
	vrings->probes = probes;
	vrings->begun_ns = vhu_now_ns();
	pthread_mutex_init(&vrings->lock, NULL);
}

/* Free what a vring points to. */
static void free_parts(struct vhu_latency_vring *vring)
{
	free(vring->before);
	free(vring->metered);
	free(vring->pair);
}

void vhu_latency_vrings_free(struct vhu_latency_vrings *vrings)
{
	for (unsigned i = 0; i < vrings->count; i++) {
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++)
			if (vrings->vring[i]->fd[which].wired)
				vhu_held_close(&vrings->vring[i]->fd[which].held);
		free_parts(vrings->vring[i]);
		free(vrings->vring[i]);
	}
	pthread_mutex_destroy(&vrings->lock);
	vrings->count = 0;
}

bool vhu_latency_vring_is_wired(const struct vhu_latency_vring *vring)
{
	return vring->fd[VHU_KICK].wired || vring->fd[VHU_CALL].wired;
}

/* Return whether a vring has ended: nothing of it is watched or to be. */
static bool has_ended(const struct vhu_latency_vring *vring)
{
	return !vhu_latency_vring_is_wired(vring) && !vring->fd[VHU_KICK].wanted &&
	       !vring->fd[VHU_CALL].wanted;
}

/* Find a slot for one more vring: a new one, else that of the vring that ended first. Returns it,
 * -1 if all are in use. */
static int find_place(const struct vhu_latency_vrings *vrings)
{
	int oldest = -1;

	if (vrings->count < VHU_LATENCY_VRINGS_MAX)
		return (int)vrings->count;
	for (unsigned i = 0; i < vrings->count; i++)
		if (has_ended(vrings->vring[i]) &&
		    (oldest < 0 || vrings->vring[i]->ended_ns < vrings->vring[oldest]->ended_ns))
			oldest = (int)i;
	return oldest;
}

struct vhu_latency_vring *vhu_latency_vrings_get(struct vhu_latency_vrings *vrings,
						 uint64_t session, uint32_t index)
{
	struct vhu_latency_vring *vring;
	int place;

	for (unsigned i = 0; i < vrings->count; i++)
		if (vrings->vring[i]->session == session && vrings->vring[i]->index == index)
			return vrings->vring[i];
	place = find_place(vrings);
	if (place < 0)
		return NULL;
	if (place == (int)vrings->count) {
		vring = malloc(sizeof(*vring));
		if (!vring)
			return NULL;
		vrings->vring[vrings->count++] = vring;
	} else {
		vring = vrings->vring[place];
		vhu_probes_clear(vrings->probes, (uint32_t)place);
		free_parts(vring);
	}
	memset(vring, 0, sizeof(*vring));
	vring->session = session;
	vring->index = index;
	return vring;
}

/* Stop watching an eventfd by its id. */
static void forget_id(struct vhu_latency_vrings *vrings, struct vhu_latency_fd *fd)
{
	if (fd->by_id)
		vhu_probes_forget_id(vrings->probes, fd->id);
	fd->by_id = false;
}

void vhu_latency_vrings_want(struct vhu_latency_vrings *vrings, struct vhu_latency_vring *vring,
			     enum vhu_vring_role which, bool wanted, uint32_t id)
{
	struct vhu_latency_fd *fd = &vring->fd[which];

	if (fd->wanted == wanted && (!wanted || fd->id == id))
		return;
	fd->wanted = wanted;
	/* What it was is still told at the end. */
	forget_id(vrings, fd);
	if (wanted)
		fd->id = id;
	fd->had |= wanted;
	vrings->changed = true;
}

/* A session names an eventfd: take it from the vring that was found by its traffic. */
static void replace_learnt(struct vhu_latency_vrings *vrings, enum vhu_vring_role which,
			   uint32_t id)
{
	for (unsigned i = 0; i < vrings->count; i++) {
		const struct vhu_latency_fd *fd = &vrings->vring[i]->fd[which];

		if (!vrings->vring[i]->session && fd->wanted && fd->id == id)
			vhu_latency_vrings_want(vrings, vrings->vring[i], which, false, 0);
	}
}

bool vhu_latency_vrings_are_told(const struct vhu_latency_vrings *vrings, uint32_t id)
{
	for (unsigned i = 0; i < vrings->count; i++)
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++)
			if (vrings->vring[i]->session && vrings->vring[i]->fd[which].wanted &&
			    vrings->vring[i]->fd[which].id == id)
				return true;
	return false;
}

void vhu_latency_vrings_told(struct vhu_latency_vrings *vrings, struct vhu_latency_vring *vring,
			     enum vhu_vring_role which, uint32_t id, uint64_t number,
			     uint64_t time_ns)
{
	struct vhu_latency_fd *fd = &vring->fd[which];

	if (fd->number == number)
		return;
	fd->number = number;
	/* Even if it is the eventfd that the vring has: front-ends kick vrings that they start. */
	vring->renewed = true;
	replace_learnt(vrings, which, id);
	vhu_latency_vrings_want(vrings, vring, which, true, id);
	/* An eventfd that we hold open keeps its id, so this is the same one. Otherwise the kernel
	 * may have given the id to another eventfd. */
	if (fd->wired && fd->held.eventfd.eventfd_id == id)
		return;
	fd->fresh = vrings->changed = true;
	fd->since_ns = time_ns > vrings->begun_ns ? time_ns : vrings->begun_ns;
}

/* Stop watching an eventfd of a vring. */
static void unwire(struct vhu_latency_vrings *vrings, struct vhu_latency_vring *vring,
		   struct vhu_latency_fd *fd)
{
	if (!fd->wired)
		return;
	vhu_probes_forget(vrings->probes, &fd->held.eventfd);
	vhu_held_close(&fd->held);
	fd->wired = false;
	if (!vhu_latency_vring_is_wired(vring))
		vring->ended_ns = vhu_now_ns();
}

/* No process has an eventfd any more. If only its traffic told whose it was, one that comes later
 * by the same id is another's. */
static void lose(struct vhu_latency_vrings *vrings, struct vhu_latency_vring *vring,
		 enum vhu_vring_role which)
{
	unwire(vrings, vring, &vring->fd[which]);
	if (vring->seen)
		vhu_latency_vrings_want(vrings, vring, which, false, 0);
}

/* Return whether an eventfd is watched that is not wanted. */
static bool is_stale(const struct vhu_latency_fd *fd)
{
	return fd->wired && (!fd->wanted || fd->held.eventfd.eventfd_id != fd->id);
}

/* Return what an eventfd of a vring stands for. */
static struct vhu_bpf_role role_of(const struct vhu_latency_vrings *vrings, unsigned slot,
				   enum vhu_vring_role which)
{
	return (struct vhu_bpf_role){
	    .slot = slot,
	    .what = which,
	    .eventfd_id = vrings->vring[slot]->fd[which].id,
	    .epoch = vrings->vring[slot]->epoch,
	};
}

/* Note that an eventfd is watched from now on, and how long it was not. */
static void begin(struct vhu_latency_vring *vring, struct vhu_latency_fd *fd)
{
	uint64_t now = vhu_now_ns(), delay = now > fd->since_ns ? now - fd->since_ns : 0;

	vring->ever_wired = vring->renewed = true;
	vring->ended_ns = 0;
	if (!fd->fresh)
		return;
	fd->fresh = false;
	vring->taken_up++;
	vring->unwatched_ns += delay;
	if (delay > vring->unwatched_most_ns)
		vring->unwatched_most_ns = delay;
}

/* Watch an eventfd by its id. */
static void wire_by_id(struct vhu_latency_vrings *vrings, unsigned slot, enum vhu_vring_role which)
{
	struct vhu_latency_vring *vring = vrings->vring[slot];
	struct vhu_bpf_role role;

	if (which == VHU_KICK)
		vring->epoch++;
	role = role_of(vrings, slot, which);
	vring->fd[which].by_id = !vhu_probes_assign_id(vrings->probes, &role);
	if (vring->fd[which].by_id)
		begin(vring, &vring->fd[which]);
}

/*
 * Find an eventfd of a vring. An id of a capture may belong to another eventfd by now, so one of
 * the session's processes must hold it open.
 * @nth: index among the processes with this eventfd open, from 0.
 * Returns it, or NULL; *@foreign then: there is one, but not of the session.
 */
static const struct vhu_bpf_eventfd *find(struct listing *list,
					  const struct vhu_latency_vring *vring, uint32_t id,
					  unsigned nth, bool *foreign)
{
	const struct vhu_bpf_eventfd *found = NULL;
	bool known = !vring->session, any = false;

	for (int i = 0; i < list->count; i++) {
		const struct vhu_bpf_eventfd *at = &list->at[i];

		if (at->own || at->eventfd_id != id)
			continue;
		any = true;
		if (nth-- == 0)
			found = at;
		known = known || vhu_latency_owner_is(vring, &list->processes, at->pid);
	}
	*foreign = any && !known;
	return known ? found : NULL;
}

/* Begin to watch what a vring is to have. Returns whether it is done. */
static bool wire(struct vhu_latency_vrings *vrings, struct listing *list, unsigned slot,
		 enum vhu_vring_role which)
{
	struct vhu_latency_vring *vring = vrings->vring[slot];
	struct vhu_latency_fd *fd = &vring->fd[which];
	const struct vhu_bpf_eventfd *eventfd;
	struct vhu_bpf_role role;

	/* Any process that lets us open it will do. */
	for (unsigned nth = 0; (eventfd = find(list, vring, fd->id, nth, &fd->foreign)); nth++)
		if (vhu_held_open(&fd->held, eventfd) == 0)
			break;
	/* No process does: watch it until a listing lacks it. */
	if (!eventfd) {
		eventfd = find(list, vring, fd->id, 0, &fd->foreign);
		if (!eventfd || vhu_held_open(&fd->held, eventfd) == -ESRCH)
			return false;
	}
	if (which == VHU_KICK && !fd->by_id)
		vring->epoch++;
	role = role_of(vrings, slot, which);
	if (vhu_probes_assign(vrings->probes, &fd->held.eventfd, &role)) {
		vhu_held_close(&fd->held);
		return false;
	}
	fd->wired = true;
	if (!fd->by_id)
		begin(vring, fd);
	return true;
}

/* Return whether a process but us still has what is watched. */
static bool is_alive(const struct listing *list, const struct vhu_latency_fd *fd)
{
	for (int i = 0; i < list->count; i++)
		if (!list->at[i].own && list->at[i].file == fd->held.eventfd.file &&
		    list->at[i].eventfd_id == fd->held.eventfd.eventfd_id)
			return true;
	return false;
}

/* Return whether a process has more than one vring of a number: then the number tells nothing. */
static bool is_ambiguous(const struct vhu_latency_vrings *vrings,
			 const struct vhu_latency_vring *vring)
{
	unsigned same = 0;

	for (unsigned i = 0; i < vrings->count; i++)
		same += vhu_latency_vring_is_wired(vrings->vring[i]) &&
			vrings->vring[i]->index == vring->index &&
			vrings->vring[i]->peer[VHU_LATENCY_BACK_END] ==
			    vring->peer[VHU_LATENCY_BACK_END];
	return same > 1;
}

/* Tell the probes in the back-ends' own code which vring they mean by an index. */
static void number(struct vhu_latency_vrings *vrings)
{
	for (unsigned i = 0; i < vrings->count; i++) {
		const struct vhu_latency_vring *vring = vrings->vring[i];
		const struct vhu_bpf_vring_key key = {vring->peer[VHU_LATENCY_BACK_END],
						      vring->index};

		if (!key.pid || !vhu_latency_vring_is_wired(vring))
			continue;
		vhu_probes_number(vrings->probes, key,
				  is_ambiguous(vrings, vring) ? VHU_BPF_VRINGS : i);
	}
}

void vhu_latency_vrings_rewire(struct vhu_latency_vrings *vrings)
{
	/* What goes is taken off before anything comes: an id may have moved. */
	for (unsigned i = 0; i < vrings->count; i++)
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++)
			if (is_stale(&vrings->vring[i]->fd[which]))
				unwire(vrings, vrings->vring[i], &vrings->vring[i]->fd[which]);
	for (unsigned i = 0; i < vrings->count; i++)
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++) {
			const struct vhu_latency_fd *fd = &vrings->vring[i]->fd[which];

			if (fd->wanted && !fd->wired && fd->fresh)
				wire_by_id(vrings, i, which);
		}
}

int vhu_latency_vrings_wire(struct vhu_latency_vrings *vrings)
{
	uint64_t now = vhu_now_ns();
	struct listing list = {0};
	int wired = 0;
	bool missing = false;

	list.count = vhu_probes_list(vrings->probes, &list.at);
	if (list.count < 0)
		return list.count;
	for (unsigned i = 0; i < vrings->count; i++) {
		/* What goes is taken off before anything comes: an id may have moved. */
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++) {
			struct vhu_latency_fd *fd = &vrings->vring[i]->fd[which];

			if (is_stale(fd))
				unwire(vrings, vrings->vring[i], fd);
			else if (fd->wired && !is_alive(&list, fd))
				lose(vrings, vrings->vring[i], which);
		}
	}
	for (unsigned i = 0; i < vrings->count; i++) {
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++) {
			struct vhu_latency_fd *fd = &vrings->vring[i]->fd[which];

			/* Perhaps on its way through a socket: to be looked for again soon. */
			if (fd->wanted && !fd->wired && !wire(vrings, &list, i, which))
				missing |= now < fd->since_ns + PATIENCE_NS;
			forget_id(vrings, fd);
		}
		wired += vhu_latency_vring_is_wired(vrings->vring[i]);
	}
	if (vhu_probes_has_inside(vrings->probes))
		number(vrings);
	vrings->changed = missing;
	vhu_rings_processes_free(&list.processes);
	free(list.at);
	return wired;
}

void vhu_latency_vrings_read(struct vhu_latency_vrings *vrings)
{
	for (unsigned i = 0; i < vrings->count; i++) {
		struct vhu_latency_vring *vring = vrings->vring[i];

		vhu_probes_counts(vrings->probes, i, &vring->counts);
		if (vhu_probes_has_inside(vrings->probes))
			vhu_probes_inside(vrings->probes, i, &vring->inside);
		if (vring->renewed)
			vring->renewed_kicks = vring->counts.kicks;
		vring->renewed = false;
	}
}

struct vhu_latency_waiting vhu_latency_vring_waiting(const struct vhu_latency_vring *vring,
						     uint64_t now_ns)
{
	const struct vhu_bpf_vring *counts = &vring->counts;
	const uint64_t end = vring->ended_ns ? vring->ended_ns : now_ns;
	struct vhu_latency_waiting waiting = {
	    .untaken = counts->kicks > counts->taken ? counts->kicks - counts->taken : 0,
	    /* Without its call nothing says whether it was answered. */
	    .taken = vring->fd[VHU_CALL].had && counts->taken > counts->answered
			 ? counts->taken - counts->answered
			 : 0,
	};
	uint64_t oldest =
	    waiting.untaken > VHU_BPF_STAMPS ? counts->kicks - VHU_BPF_STAMPS : counts->taken;

	if (waiting.taken && counts->open_wake_ns)
		waiting.oldest_ns = counts->open_kick_ns;
	if (!waiting.oldest_ns && waiting.untaken)
		waiting.oldest_ns = counts->stamp[oldest % VHU_BPF_STAMPS];
	if (waiting.oldest_ns && end > waiting.oldest_ns)
		waiting.for_ns = end - waiting.oldest_ns;
	return waiting;
}
