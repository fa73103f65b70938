/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rings that are watched. */
#include "tools/latency/vrings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/util/util.h"

/* For so long an eventfd that is in no process is expected to come. */
#define PATIENCE_NS UINT64_C(5000000000)

/* The eventfds that there are. */
struct listing {
	struct vhu_bpf_eventfd *at;
	int count;
};

void vhu_latency_vrings_init(struct vhu_latency_vrings *rings, struct vhu_probes *probes)
{
	memset(rings, 0, sizeof(*rings));
	rings->probes = probes;
	rings->begun_ns = vhu_now_ns();
	pthread_mutex_init(&rings->lock, NULL);
}

void vhu_latency_vrings_free(struct vhu_latency_vrings *rings)
{
	for (unsigned i = 0; i < rings->count; i++) {
		for (int which = 0; which < VHU_LATENCY_FDS; which++)
			if (rings->ring[i]->fd[which].wired)
				vhu_held_close(&rings->ring[i]->fd[which].held);
		free(rings->ring[i]);
	}
	pthread_mutex_destroy(&rings->lock);
	rings->count = 0;
}

bool vhu_latency_vring_is_wired(const struct vhu_latency_vring *ring)
{
	return ring->fd[VHU_LATENCY_KICK].wired || ring->fd[VHU_LATENCY_CALL].wired;
}

/* Return whether a ring has ended: nothing of it is watched or to be. */
static bool has_ended(const struct vhu_latency_vring *ring)
{
	return !vhu_latency_vring_is_wired(ring) && !ring->fd[VHU_LATENCY_KICK].wanted &&
	       !ring->fd[VHU_LATENCY_CALL].wanted;
}

/* Find a place for one more ring. Returns its index, -1 where all are in use. */
static int find_place(const struct vhu_latency_vrings *rings)
{
	if (rings->count < VHU_RINGS_MAX)
		return (int)rings->count;
	for (unsigned i = 0; i < rings->count; i++)
		if (has_ended(rings->ring[i]))
			return (int)i;
	return -1;
}

struct vhu_latency_vring *vhu_latency_vrings_get(struct vhu_latency_vrings *rings, uint64_t session,
						 uint32_t vring)
{
	struct vhu_latency_vring *ring;
	int place;

	for (unsigned i = 0; i < rings->count; i++)
		if (rings->ring[i]->session == session && rings->ring[i]->vring == vring)
			return rings->ring[i];
	place = find_place(rings);
	if (place < 0)
		return NULL;
	if (place == (int)rings->count) {
		ring = malloc(sizeof(*ring));
		if (!ring)
			return NULL;
		rings->ring[rings->count++] = ring;
	} else {
		ring = rings->ring[place];
		vhu_probes_clear(rings->probes, (uint32_t)place);
	}
	memset(ring, 0, sizeof(*ring));
	ring->session = session;
	ring->vring = vring;
	return ring;
}

/* Stop watching an eventfd by its id. */
static void forget_id(struct vhu_latency_vrings *rings, struct vhu_latency_fd *fd)
{
	if (fd->by_id)
		vhu_probes_forget_id(rings->probes, fd->id);
	fd->by_id = false;
}

void vhu_latency_vrings_want(struct vhu_latency_vrings *rings, struct vhu_latency_vring *ring,
			     int which, bool wanted, uint32_t id)
{
	struct vhu_latency_fd *fd = &ring->fd[which];

	if (fd->wanted == wanted && (!wanted || fd->id == id))
		return;
	fd->wanted = wanted;
	/* What it was is still told at the end. */
	forget_id(rings, fd);
	if (wanted)
		fd->id = id;
	rings->changed = true;
}

void vhu_latency_vrings_told(struct vhu_latency_vrings *rings, struct vhu_latency_vring *ring,
			     int which, uint32_t id, uint64_t number, uint64_t time_ns)
{
	struct vhu_latency_fd *fd = &ring->fd[which];

	if (fd->number == number)
		return;
	fd->number = number;
	vhu_latency_vrings_want(rings, ring, which, true, id);
	/* What is held keeps its id, so it is the same one once more. Else an id that is told again
	 * may be another eventfd's. */
	if (fd->wired && fd->held.eventfd.eventfd_id == id)
		return;
	fd->fresh = rings->changed = true;
	fd->since_ns = time_ns > rings->begun_ns ? time_ns : rings->begun_ns;
}

/* Stop watching an eventfd. */
static void unwire(struct vhu_latency_vrings *rings, struct vhu_latency_fd *fd)
{
	if (!fd->wired)
		return;
	vhu_probes_forget(rings->probes, &fd->held.eventfd);
	vhu_held_close(&fd->held);
	fd->wired = false;
}

/* Return whether an eventfd is watched that is not wanted. */
static bool is_stale(const struct vhu_latency_fd *fd)
{
	return fd->wired && (!fd->wanted || fd->held.eventfd.eventfd_id != fd->id);
}

/* Return what an eventfd of a ring stands for. */
static struct vhu_bpf_role role_of(const struct vhu_latency_vrings *rings, unsigned index,
				   int which)
{
	return (struct vhu_bpf_role){
	    .ring = index,
	    .what = which == VHU_LATENCY_KICK ? VHU_ROLE_KICK : VHU_ROLE_CALL,
	    .eventfd_id = rings->ring[index]->fd[which].id,
	    .epoch = rings->ring[index]->epoch,
	};
}

/* Note that an eventfd is watched from now on, and how long it was not. */
static void begin(struct vhu_latency_vring *ring, struct vhu_latency_fd *fd)
{
	uint64_t now = vhu_now_ns(), delay = now > fd->since_ns ? now - fd->since_ns : 0;

	ring->ever_wired = true;
	if (!fd->fresh)
		return;
	fd->fresh = false;
	ring->taken_up++;
	ring->unwatched_ns += delay;
	if (delay > ring->unwatched_most_ns)
		ring->unwatched_most_ns = delay;
}

/* Watch an eventfd by its id. */
static void wire_by_id(struct vhu_latency_vrings *rings, unsigned index, int which)
{
	struct vhu_latency_vring *ring = rings->ring[index];
	struct vhu_bpf_role role;

	if (which == VHU_LATENCY_KICK)
		ring->epoch++;
	role = role_of(rings, index, which);
	ring->fd[which].by_id = !vhu_probes_assign_id(rings->probes, &role);
	if (ring->fd[which].by_id)
		begin(ring, &ring->fd[which]);
}

/*
 * Find an eventfd of a ring. An id of a capture may belong to another eventfd by now, so one of the
 * session's processes must have it, or it must be shared, as a ring's always is.
 * @nth: the how-manieth process that has it, from 0.
 * Returns it, or NULL.
 */
static const struct vhu_bpf_eventfd *
find(const struct listing *list, const struct vhu_latency_vring *ring, uint32_t id, unsigned nth)
{
	const struct vhu_bpf_eventfd *found = NULL;
	bool known = false;
	unsigned holders = 0;
	uint32_t first = 0;

	for (int i = 0; i < list->count; i++) {
		const struct vhu_bpf_eventfd *at = &list->at[i];

		if (at->own || at->eventfd_id != id)
			continue;
		if (!holders || at->pid != first)
			holders++;
		first = at->pid;
		if (nth-- == 0)
			found = at;
		if (at->pid == ring->peer[0] || at->pid == ring->peer[1])
			known = true;
	}
	return known || holders > 1 || !ring->session ? found : NULL;
}

/* Begin to watch what a ring is to have. Returns whether it is done. */
static bool wire(struct vhu_latency_vrings *rings, const struct listing *list, unsigned index,
		 int which)
{
	struct vhu_latency_vring *ring = rings->ring[index];
	struct vhu_latency_fd *fd = &ring->fd[which];
	const struct vhu_bpf_eventfd *eventfd;
	struct vhu_bpf_role role;

	/* Any process that lets us have it will do. */
	for (unsigned nth = 0; (eventfd = find(list, ring, fd->id, nth)); nth++)
		if (vhu_held_open(&fd->held, eventfd) == 0)
			break;
	/* None does: then it is watched for as long as the next listing has it. */
	if (!eventfd) {
		eventfd = find(list, ring, fd->id, 0);
		if (!eventfd || vhu_held_open(&fd->held, eventfd) == -ESRCH)
			return false;
	}
	if (which == VHU_LATENCY_KICK && !fd->by_id)
		ring->epoch++;
	role = role_of(rings, index, which);
	if (vhu_probes_assign(rings->probes, &fd->held.eventfd, &role)) {
		vhu_held_close(&fd->held);
		return false;
	}
	fd->wired = true;
	if (!fd->by_id)
		begin(ring, fd);
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

/* Return whether a process has more than one ring of a number: then the number tells nothing. */
static bool is_ambiguous(const struct vhu_latency_vrings *rings,
			 const struct vhu_latency_vring *ring)
{
	unsigned same = 0;

	for (unsigned i = 0; i < rings->count; i++)
		same += vhu_latency_vring_is_wired(rings->ring[i]) &&
			rings->ring[i]->vring == ring->vring &&
			rings->ring[i]->peer[VHU_RING_BACK_END] == ring->peer[VHU_RING_BACK_END];
	return same > 1;
}

/* Tell the probes in the back-ends' own code which ring they mean by a vring's number. */
static void number(struct vhu_latency_vrings *rings)
{
	for (unsigned i = 0; i < rings->count; i++) {
		const struct vhu_latency_vring *ring = rings->ring[i];
		const struct vhu_bpf_vring vring = {ring->peer[VHU_RING_BACK_END], ring->vring};

		if (!vring.pid || !vhu_latency_vring_is_wired(ring))
			continue;
		vhu_probes_number(rings->probes, vring,
				  is_ambiguous(rings, ring) ? VHU_BPF_RINGS : i);
	}
}

void vhu_latency_vrings_rewire(struct vhu_latency_vrings *rings)
{
	/* What goes is taken off before anything comes: an id may have moved. */
	for (unsigned i = 0; i < rings->count; i++)
		for (int which = 0; which < VHU_LATENCY_FDS; which++)
			if (is_stale(&rings->ring[i]->fd[which]))
				unwire(rings, &rings->ring[i]->fd[which]);
	for (unsigned i = 0; i < rings->count; i++)
		for (int which = 0; which < VHU_LATENCY_FDS; which++) {
			const struct vhu_latency_fd *fd = &rings->ring[i]->fd[which];

			if (fd->wanted && !fd->wired && fd->fresh)
				wire_by_id(rings, i, which);
		}
}

int vhu_latency_vrings_wire(struct vhu_latency_vrings *rings)
{
	uint64_t now = vhu_now_ns();
	struct listing list;
	int wired = 0;
	bool missing = false;

	list.count = vhu_probes_list(rings->probes, &list.at);
	if (list.count < 0)
		return list.count;
	for (unsigned i = 0; i < rings->count; i++) {
		/* What goes is taken off before anything comes: an id may have moved. */
		for (int which = 0; which < VHU_LATENCY_FDS; which++) {
			struct vhu_latency_fd *fd = &rings->ring[i]->fd[which];

			if (is_stale(fd) || (fd->wired && !is_alive(&list, fd)))
				unwire(rings, fd);
		}
	}
	for (unsigned i = 0; i < rings->count; i++) {
		for (int which = 0; which < VHU_LATENCY_FDS; which++) {
			struct vhu_latency_fd *fd = &rings->ring[i]->fd[which];

			/* Perhaps on its way through a socket: to be looked for again soon. */
			if (fd->wanted && !fd->wired && !wire(rings, &list, i, which))
				missing |= now < fd->since_ns + PATIENCE_NS;
			forget_id(rings, fd);
		}
		wired += vhu_latency_vring_is_wired(rings->ring[i]);
	}
	if (vhu_probes_has_inside(rings->probes))
		number(rings);
	rings->changed = missing;
	free(list.at);
	return wired;
}

void vhu_latency_vrings_read(struct vhu_latency_vrings *rings)
{
	for (unsigned i = 0; i < rings->count; i++) {
		vhu_probes_ring(rings->probes, i, &rings->ring[i]->counts);
		if (vhu_probes_has_inside(rings->probes))
			vhu_probes_inside(rings->probes, i, &rings->ring[i]->inside);
	}
}

uint64_t vhu_latency_vring_waiting(const struct vhu_latency_vring *ring, uint64_t *oldest_ns)
{
	const struct vhu_bpf_ring *counts = &ring->counts;
	uint64_t untaken = counts->kicks > counts->taken ? counts->kicks - counts->taken : 0;
	uint64_t taken = counts->taken > counts->answered ? counts->taken - counts->answered : 0;
	uint64_t oldest = untaken > VHU_BPF_STAMPS ? counts->kicks - VHU_BPF_STAMPS : counts->taken;

	*oldest_ns = taken && counts->open_wake_ns ? counts->open_kick_ns : 0;
	if (!*oldest_ns && untaken)
		*oldest_ns = counts->stamp[oldest % VHU_BPF_STAMPS];
	return untaken + taken;
}
