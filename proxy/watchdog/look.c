/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the watchdog sees of the vrings of a session. */
#include "proxy/watchdog/look.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/ringwatch/session.h"
#include "lib/util/util.h"
#include "proxy/core/fdinfo.h"

/* Find the in-flight area. */
static void find_inflight(struct vhu_watchdog_view *view)
{
	const struct vhu_watchdog_area *area = &view->kept->area;
	struct vhu_watchdog_memory *memory = &view->memory;

	memory->inflight_region = (struct vhu_ring_region){
	    .size = area->size,
	    .offset = area->offset,
	    .fd = area->queues ? vhu_watchdog_kept_file(view->kept, area->inode, area->device) : -1,
	};
	memory->inflight = (struct vhu_ring_memory){
	    .read = vhu_ring_read_file,
	    .region = &memory->inflight_region,
	    .regions = memory->inflight_region.fd >= 0,
	};
}

int vhu_watchdog_view_begin(struct vhu_watchdog_view *view)
{
	const struct vhu_state *state = view->state;
	struct vhu_watchdog_memory *memory = &view->memory;
	unsigned found = 0;

	memory->region = calloc(state->regions + 1, sizeof(*memory->region));
	if (!memory->region)
		return -ENOMEM;
	for (unsigned i = 0; i < state->regions; i++) {
		const struct vhu_region *from = &state->region[i];
		int fd = from->has_fd
			     ? vhu_watchdog_kept_file(view->kept, from->fd.inode, from->fd.device)
			     : -1;

		if (fd >= 0)
			memory->region[found++] = (struct vhu_ring_region){
			    .guest = from->guest_address,
			    .user = from->user_address,
			    .size = from->size,
			    .offset = from->mmap_offset,
			    .fd = fd,
			};
	}
	memory->memory = (struct vhu_ring_memory){
	    .read = vhu_ring_read_file, .region = memory->region, .regions = found};
	if (vhu_ringwatch_translations(state, &memory->translation, &memory->memory.translations)) {
		vhu_watchdog_view_end(view);
		return -ENOMEM;
	}
	memory->memory.translation = memory->translation;
	find_inflight(view);
	view->pending = vhu_ringwatch_pending(state, true);
	return 0;
}

void vhu_watchdog_view_end(struct vhu_watchdog_view *view)
{
	free(view->memory.region);
	free(view->memory.translation);
	view->memory.region = NULL;
	view->memory.translation = NULL;
}

/* Return where a vring is. */
static struct vhu_ring_place place_of(const struct vhu_watchdog_view *view, unsigned index)
{
	struct vhu_ring_place place = vhu_ringwatch_place(view->state, &view->state->vring[index]);

	place.memory = &view->memory.memory;
	if (view->memory.inflight.regions)
		place.inflight =
		    vhu_ring_inflight_place(&view->memory.inflight, 0, view->kept->area.size,
					    view->kept->area.queues, index);
	return place;
}

/* Return the interposer's end of a vring's kick or call; NULL if it does not stand between. */
static const struct vhu_eventfd_relay *relay_of(const struct vhu_interposer *interposer,
						unsigned vring, enum vhu_vring_role role)
{
	const struct vhu_interposer_vring *ring = interposer ? interposer->ring[vring] : NULL;

	return ring ? ring->wire[role] : NULL;
}

/* Read what an eventfd counts. */
static struct vhu_ring_counter read_counter(int fd)
{
	char name[VHU_FDINFO_NAME];
	struct vhu_fd_info info;

	if (fd < 0)
		return (struct vhu_ring_counter){0};
	vhu_fdinfo_read(fd, &info, name);
	return (struct vhu_ring_counter){
	    .known = info.kind == VHU_FD_EVENTFD && info.has & VHU_FD_HAS_COUNT,
	    .id = info.eventfd_id,
	    .count = info.eventfd_count,
	};
}

/* Read what a vring's kick or call counts where its receiver reads it. */
static struct vhu_ring_counter counter_of(const struct vhu_watchdog_view *view, unsigned vring,
					  enum vhu_vring_role role)
{
	const struct vhu_eventfd_relay *relay = relay_of(view->interposer, vring, role);
	struct vhu_ring_counter counter;

	if (!relay)
		return read_counter(vhu_kept_eventfds_find(view->eventfds, vring, role).fd);
	counter = read_counter(role == VHU_KICK ? relay->inner : relay->outer);
	counter.interposed = true;
	counter.instead_of = relay->id;
	return counter;
}

/* Return how many kicks or calls have reached the other side. */
static uint64_t signals_of(const struct vhu_interposer *interposer, unsigned vring,
			   enum vhu_vring_role role)
{
	const struct vhu_interposer_vring *ring = interposer ? interposer->ring[vring] : NULL;

	return ring ? ring->count[role].signals - ring->count[role].lost : 0;
}

unsigned vhu_watchdog_lost_by(const struct vhu_interposer *interposer, unsigned vring,
			      enum vhu_vring_role role)
{
	const struct vhu_interposer_vring *ring = interposer ? interposer->ring[vring] : NULL;

	return ring ? ring->lost_by[role] : 0;
}

/* Return what has reached the other side of a vring, so far. */
static struct vhu_ringwatch_signals all_signals_of(const struct vhu_interposer *interposer,
						   unsigned vring)
{
	return (struct vhu_ringwatch_signals){
	    .known = relay_of(interposer, vring, VHU_KICK) && relay_of(interposer, vring, VHU_CALL),
	    .kicks = signals_of(interposer, vring, VHU_KICK),
	    .calls = signals_of(interposer, vring, VHU_CALL),
	};
}

/* Return how kicks and calls of a vring took turns. */
static struct vhu_ring_signals turns_of(const struct vhu_interposer *interposer, unsigned vring)
{
	const struct vhu_interposer_vring *ring = interposer ? interposer->ring[vring] : NULL;
	const uint64_t now = vhu_now_ns();

	if (!ring || !signals_of(interposer, vring, VHU_KICK) ||
	    !signals_of(interposer, vring, VHU_CALL))
		return (struct vhu_ring_signals){0};
	return (struct vhu_ring_signals){
	    .known = true,
	    .kicks = signals_of(interposer, vring, VHU_KICK),
	    .calls = signals_of(interposer, vring, VHU_CALL),
	    .in_turn = vhu_turns_in_turn(&ring->turns),
	    .open_kicks = ring->turns.open,
	    .open_ns =
		ring->turns.open && now > ring->turns.open_ns ? now - ring->turns.open_ns : 0,
	    .lost_kick = ring->lost_by[VHU_KICK] != 0,
	    .lost_call = ring->lost_by[VHU_CALL] != 0,
	};
}

void vhu_watchdog_vring_start(struct vhu_ringwatch_vring *vring,
			      const struct vhu_watchdog_view *view, unsigned index)
{
	const struct vhu_ring_place place = place_of(view, index);
	struct vhu_ringwatch_signals signals = all_signals_of(view->interposer, index);

	/* The eventfds come with messages that follow. */
	signals.known = true;
	vhu_ringwatch_vring_start(vring, &place, &signals);
}

void vhu_watchdog_vring_look(struct vhu_ringwatch_vring *vring,
			     const struct vhu_watchdog_view *view, unsigned index)
{
	const struct vhu_vring *from = &view->state->vring[index];
	const struct vhu_ringwatch_sight sight = {
	    .index = index,
	    .setup = {from->started.by, from->size.by, from->descriptor.by},
	    .place = place_of(view, index),
	    /* The file of a region may be one that is not kept. */
	    .partly = view->memory.memory.regions < view->state->regions,
	    .context = view->state->context,
	    .context_known = true,
	    .session = vhu_ringwatch_session(view->state, from, VHU_MESSAGES, VHU_MESSAGES),
	    .kick = counter_of(view, index, VHU_KICK),
	    .call = counter_of(view, index, VHU_CALL),
	    .front_end = view->process[VHU_FRONT],
	    .back_end = view->process[VHU_BACK],
	    .pending = view->pending,
	    .signals = all_signals_of(view->interposer, index),
	    .turns = turns_of(view->interposer, index),
	};

	vhu_ringwatch_vring_look(vring, &sight);
}
