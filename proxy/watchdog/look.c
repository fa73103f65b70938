/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the watchdog sees of the vrings of a session. */
#include "proxy/watchdog/look.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ringwatch/session.h"
#include "lib/util/util.h"
#include "proxy/core/fdinfo.h"

void vhu_watchdog_process_read(struct vhu_ring_process *process, uint32_t pid)
{
	char path[32], text[512];
	const char *after;
	ssize_t size;
	int fd;

	process->pid = pid;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	fd = pid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	process->known = pid && (fd >= 0 || errno == ENOENT);
	process->state = 'X';
	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	/* The name in brackets may hold anything. */
	after = strrchr(text, ')');
	if (after && after[1] == ' ' && after[2])
		process->state = after[2];
}

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
	find_inflight(view);
	view->pending = vhu_ringwatch_pending(state, true);
	return 0;
}

void vhu_watchdog_view_end(struct vhu_watchdog_view *view)
{
	free(view->memory.region);
	view->memory.region = NULL;
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
static struct vhu_ring_counter read_counter(int fd, uint32_t id)
{
	char name[VHU_FDINFO_NAME];
	struct vhu_fd_info info;

	if (fd < 0)
		return (struct vhu_ring_counter){0};
	vhu_fdinfo_read(fd, &info, name);
	return (struct vhu_ring_counter){
	    .known = info.kind == VHU_FD_EVENTFD && info.has & VHU_FD_HAS_COUNT,
	    .id = id,
	    .count = info.eventfd_count,
	};
}

/* Read what a vring's kick or call counts where its receiver reads it. */
static struct vhu_ring_counter counter_of(const struct vhu_watchdog_view *view, unsigned vring,
					  enum vhu_vring_role role)
{
	const struct vhu_eventfd_relay *relay = relay_of(view->interposer, vring, role);
	struct vhu_kept_eventfd kept;

	if (relay)
		return read_counter(role == VHU_KICK ? relay->inner : relay->outer, relay->id);
	kept = vhu_kept_eventfds_find(view->eventfds, vring, role);
	return read_counter(kept.fd, kept.id);
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

void vhu_watchdog_vring_start(struct vhu_watchdog_vring *vring,
			      const struct vhu_watchdog_view *view, unsigned index)
{
	const struct vhu_ring_place place = place_of(view, index);
	struct vhu_ring_snapshot ring;

	vhu_watchdog_vring_free(vring);
	if (vhu_ring_snapshot_read(&place, &ring))
		return;
	vring->evidence.session.start_known = true;
	vring->evidence.session.start_available = ring.available;
	vring->last = vring->before = (struct vhu_watchdog_moment){
	    .time_ns = vhu_now_ns(),
	    .available = ring.available,
	    .used = ring.used,
	    .kicks = signals_of(view->interposer, index, VHU_KICK),
	    .calls = signals_of(view->interposer, index, VHU_CALL),
	};
	vhu_ring_snapshot_free(&ring);
}

/* Take what the session says of the vring. What is known of an earlier set-up is forgotten. */
static void take_session(struct vhu_watchdog_vring *vring, const struct vhu_watchdog_view *view,
			 unsigned index)
{
	const struct vhu_vring *from = &view->state->vring[index];
	struct vhu_ring_evidence *evidence = &vring->evidence;
	struct vhu_ring_session session =
	    vhu_ringwatch_session(view->state, from, VHU_MESSAGES, VHU_MESSAGES);

	if (vring->started_by != from->started.by || vring->size_by != from->size.by ||
	    vring->descriptor_by != from->descriptor.by) {
		vring->looked = vring->said = vring->slides = false;
		vring->evidence.sample[0].ring_error = -ENODATA;
		vring->started_by = from->started.by;
		vring->size_by = from->size.by;
		vring->descriptor_by = from->descriptor.by;
	}
	session.start_known = evidence->session.start_known;
	session.start_available = evidence->session.start_available;
	evidence->vring = index;
	evidence->context = &view->state->context;
	evidence->session = session;
}

/* Take what the interposer counted as what probes count. */
static void take_probes(struct vhu_watchdog_vring *vring, const struct vhu_watchdog_view *view,
			unsigned index)
{
	const struct vhu_watchdog_moment *before = &vring->before;
	const struct vhu_ring_sample *newer = &vring->evidence.sample[1];
	uint64_t kicks = signals_of(view->interposer, index, VHU_KICK) - before->kicks;
	uint64_t unread = newer->kick.count;
	uint16_t available = before->available;

	/* If some of the buffers that were added since came with a kick, the last one may have come
	 * without: then nothing is said of kicks. */
	if (kicks > 0 && kicks < (uint16_t)(newer->ring.available - before->available))
		available = newer->ring.available;
	vring->evidence.probes = (struct vhu_ring_probes){
	    .known = before->time_ns && relay_of(view->interposer, index, VHU_KICK) &&
		     relay_of(view->interposer, index, VHU_CALL),
	    .since_ns = before->time_ns,
	    .until_ns = newer->time_ns,
	    .available = available,
	    .used = before->used,
	    .kicks = kicks,
	    .wakes = kicks > unread ? kicks - unread : 0,
	    .calls = signals_of(view->interposer, index, VHU_CALL) - before->calls,
	};
}

/* Return whether two counters are the same. */
static bool same_counter(const struct vhu_ring_counter *one, const struct vhu_ring_counter *other)
{
	return one->known == other->known && one->id == other->id && one->count == other->count;
}

/* Make the newer sample the older one. */
static void slide(struct vhu_ring_evidence *evidence)
{
	struct vhu_ring_sample older = evidence->sample[0];

	evidence->sample[0] = evidence->sample[1];
	evidence->sample[1] = older;
}

void vhu_watchdog_vring_look(struct vhu_watchdog_vring *vring, const struct vhu_watchdog_view *view,
			     unsigned index)
{
	struct vhu_ring_evidence *evidence = &vring->evidence;
	struct vhu_ring_sample *older = &evidence->sample[0], *newer = &evidence->sample[1];
	const struct vhu_ring_place place = place_of(view, index);
	bool moved;

	take_session(vring, view, index);
	if (vring->slides)
		slide(evidence);
	newer->time_ns = vhu_now_ns();
	newer->kick = counter_of(view, index, VHU_KICK);
	newer->call = counter_of(view, index, VHU_CALL);
	newer->front_end = view->process[VHU_FRONT];
	newer->back_end = view->process[VHU_BACK];
	newer->pending = view->pending;
	vhu_ring_sample_read(&place, newer);
	/* The file of a region may be one that is not kept: an address outside says nothing. */
	if (view->memory.memory.regions < view->state->regions &&
	    newer->look.fault == VHU_RING_FAULT_UNMAPPED)
		newer->look.fault = VHU_RING_FAULT_NONE;
	moved = !vring->looked || newer->ring_error || older->ring_error ||
		!vhu_ring_snapshot_same(&older->ring, &newer->ring);
	if (moved) {
		vring->before = vring->last;
		vring->still_ns = newer->time_ns;
		vring->said = false;
	}
	if (!newer->ring_error)
		vring->last = (struct vhu_watchdog_moment){
		    .time_ns = newer->time_ns,
		    .available = newer->ring.available,
		    .used = newer->ring.used,
		    .kicks = signals_of(view->interposer, index, VHU_KICK),
		    .calls = signals_of(view->interposer, index, VHU_CALL),
		};
	take_probes(vring, view, index);
	evidence->waiting_since_known = !moved && newer->ring.waiting > 0;
	evidence->waiting_since_ns = newer->time_ns - vring->still_ns;
	vring->looked = true;
	vring->moved = moved;
	/* A sample by which nothing can be judged makes room for the next one. */
	vring->slides = moved || !same_counter(&older->kick, &newer->kick) ||
			!same_counter(&older->call, &newer->call) ||
			older->pending.number != newer->pending.number;
}

void vhu_watchdog_vring_free(struct vhu_watchdog_vring *vring)
{
	for (unsigned i = 0; i < 2; i++)
		vhu_ring_sample_free(&vring->evidence.sample[i]);
	*vring = (struct vhu_watchdog_vring){0};
}
