/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How both sides map a vring's memory, and which eventfds the back-end holds. */
#include <stdlib.h>

#include "tools/rings/target/target.h"

/* Return the region that holds a user address, or NULL. */
static const struct vhu_rings_region *region_of(const struct vhu_rings_session *session,
						uint64_t user)
{
	for (unsigned i = 0; i < session->regions; i++)
		if (user >= session->region[i].user &&
		    user - session->region[i].user < session->region[i].size)
			return &session->region[i];
	return NULL;
}

/* Return whether a process has a file open. */
static bool has_file(const struct vhu_rings_process *process, const struct vhu_rings_file *file)
{
	for (unsigned i = process->eventfds; i < process->opens; i++)
		if (process->open[i].file.known && process->open[i].file.inode == file->inode &&
		    process->open[i].file.device == file->device)
			return true;
	return false;
}

/* See whether the front-end has the file where it says, and shared. */
static void see_front_end(struct vhu_ring_mappings *mappings,
			  const struct vhu_rings_process *process,
			  const struct vhu_rings_region *region, uint64_t user)
{
	const struct vhu_rings_map *map = vhu_rings_process_map(process, user);

	/* Addresses of some front-ends are not those of their process. */
	if (!process->maps_known || !map)
		return;
	if (map->inode == region->file.inode) {
		mappings->known = true;
		mappings->private_map = map->private_map;
	} else if (has_file(process, &region->file)) {
		mappings->known = mappings->other_file = true;
	}
}

/* See whether the back-end has the file mapped private only. */
static void see_back_end(struct vhu_ring_mappings *mappings,
			 const struct vhu_rings_process *process,
			 const struct vhu_rings_region *region)
{
	unsigned shared = 0, private_maps = 0;

	for (unsigned i = 0; i < process->maps; i++)
		if (process->map[i].inode == region->file.inode) {
			private_maps += process->map[i].private_map;
			shared += !process->map[i].private_map;
		}
	if (shared == 0 && private_maps > 0)
		*mappings = (struct vhu_ring_mappings){
		    .known = true, .private_map = true, .back_end = true};
}

/* Order numbers. */
static int by_number(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

/* Return whether a vring of the session has an eventfd now. */
static bool is_current(const struct vhu_rings_session *session, uint32_t id)
{
	for (unsigned i = 0; i < session->vrings; i++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
			if (session->vring[i].fd[role].known && session->vring[i].fd[role].id == id)
				return true;
	return false;
}

/* Return whether the proxy stands between kicks or calls of a session. */
static bool is_interposed(const struct vhu_rings_session *session)
{
	for (unsigned i = 0; i < session->vrings; i++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
			if (session->vring[i].interposed[role])
				return true;
	return false;
}

/* Count the eventfds of earlier set-ups that the back-end holds. */
static void see_dead(struct vhu_rings_target *target, const struct vhu_rings_process *process)
{
	const struct vhu_rings_session *session = target->session;
	struct vhu_ring_dead *dead = &target->evidence.dead;
	uint32_t *held = calloc(session->olds + 1, sizeof(*held));
	unsigned count = 0;

	if (!held)
		return;
	dead->known = true;
	dead->resets = session->resets;
	for (unsigned i = 0; i < session->olds; i++) {
		const struct vhu_rings_old *old = &session->old[i];

		if (!vhu_rings_process_eventfd(process, old->id) || is_current(session, old->id))
			continue;
		held[count++] = old->id;
		if (!dead->since || old->by < dead->since)
			dead->since = old->by;
		target->evidence.sample[0].holds_old_call |=
		    old->role == VHU_CALL && old->vring == target->vring->index;
	}
	/* One may have been replaced several times. */
	qsort(held, count, sizeof(*held), by_number);
	for (unsigned i = 0; i < count; i++)
		dead->held += i == 0 || held[i] != held[i - 1];
	free(held);
}

bool vhu_rings_target_user(const struct vhu_rings_target *target, uint64_t *address)
{
	const bool iommu = target->place.features >> VHU_F_ACCESS_PLATFORM & 1;

	return !vhu_ring_memory_user(&target->memory->memory, iommu ? VHU_RING_IOVA : VHU_RING_USER,
				     address);
}

void vhu_rings_target_holders(struct vhu_rings_target *target)
{
	const struct vhu_rings_vring *vring = target->vring;
	uint64_t used = vring->used;
	const struct vhu_rings_region *region =
	    vhu_rings_target_user(target, &used) ? region_of(target->session, used) : NULL;
	const struct vhu_rings_process *front = target->memory->process[VHU_RINGS_FRONT];
	const struct vhu_rings_process *back = target->memory->process[VHU_RINGS_BACK];
	struct vhu_ring_mappings *mappings = &target->evidence.mappings;

	if (region && region->file.known && front)
		see_front_end(mappings, front, region, used);
	if (region && region->file.known && back && !mappings->private_map && !mappings->other_file)
		see_back_end(mappings, back, region);
	if (!back || back->error)
		return;
	/* What the proxy passed in place of earlier ones is not known. */
	if (is_interposed(target->session))
		return;
	if (vring->fd[VHU_CALL].known) {
		target->evidence.sample[0].call_holders_known = true;
		target->evidence.sample[0].holds_call =
		    vhu_rings_process_eventfd(back, vring->fd[VHU_CALL].id) != NULL;
	}
	see_dead(target, back);
}
