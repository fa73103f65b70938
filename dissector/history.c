/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a session's state changed, frame by frame. */
#include "dissector/history.h"

#include <string.h>

#include "dissector/ws_compat.h"

/* Memory maps may take so many bytes a frame of the file; beyond that only their size is kept. */
#define MEMORY_BYTES       (1 << 20)
#define MEMORY_BYTES_FRAME 64

/* Forms of one thing, oldest first; each begins with its frame's number. NULL: none yet. */
struct vhu_history {
	wmem_array_t *session; /* of struct vhu_history_session */
	wmem_array_t *memory;
	wmem_array_t **vring; /* by index */
	unsigned vrings;
};

static uint64_t memory_bytes; /* spent on memory maps */

void vhu_history_begin(void)
{
	memory_bytes = 0;
}

/* Return the latest form up to frame @number; NULL without one. */
static const void *latest(wmem_array_t *forms, uint32_t number)
{
	unsigned from = 0, to = forms ? wmem_array_get_count(forms) : 0;

	while (from < to) {
		unsigned middle = from + (to - from) / 2;

		if (*(const uint32_t *)wmem_array_index(forms, middle) <= number)
			from = middle + 1;
		else
			to = middle;
	}
	return from ? wmem_array_index(forms, from - 1) : NULL;
}

/*
 * Keep a form of @size bytes, whose first four hold the frame's number, unless it is the latest
 * one but for that; the first is compared with zeros. Returns whether it is kept.
 */
static bool keep(wmem_array_t **forms, const void *form, unsigned size)
{
	static const uint8_t
	    none[sizeof(struct vhu_history_session) + sizeof(struct vhu_history_vring)];
	const uint8_t *before = none;

	if (*forms)
		before = (const uint8_t *)latest(*forms, UINT32_MAX);
	if (!memcmp(before + sizeof(uint32_t), (const uint8_t *)form + sizeof(uint32_t),
		    size - sizeof(uint32_t)))
		return false;
	if (!*forms)
		*forms = wmem_array_sized_new(wmem_file_scope(), size, 4);
	wmem_array_append(*forms, form, 1);
	return true;
}

/* Keep what goes for the session as a whole. Returns whether it changed. */
static bool keep_session(struct vhu_history *history, const struct vhu_state *state,
			 uint32_t number)
{
	struct vhu_history_session now;

	memset(&now, 0, sizeof(now)); /* what lies between the members is compared, too */
	now.number = number;
	now.queues = state->queue_num;
	now.memory_slots = state->mem_slots;
	now.status = state->status;
	now.has_queues = state->queue_num_by;
	now.has_memory_slots = state->mem_slots_by;
	now.has_status = state->status_by || state->status;
	now.has_log = state->log_by;
	now.has_inflight = state->inflight_by;
	now.features = state->features.taken;
	now.protocol_features = state->protocol_features.taken;
	now.has_features = state->features.taken_by;
	now.has_protocol_features = state->protocol_features.taken_by;
	return keep(&history->session, &now, sizeof(now));
}

/* Return a copy of a state's regions; NULL where that is too much. */
static const struct vhu_history_region *copy_regions(const struct vhu_state *state, uint32_t number)
{
	uint64_t size = state->regions * sizeof(struct vhu_history_region);
	struct vhu_history_region *copy;

	if (memory_bytes + size > MEMORY_BYTES + (uint64_t)number * MEMORY_BYTES_FRAME)
		return NULL;
	memory_bytes += size;
	copy = wmem_alloc0_array(wmem_file_scope(), struct vhu_history_region, state->regions + 1);
	for (unsigned i = 0; i < state->regions; i++) {
		const struct vhu_region *region = &state->region[i];

		copy[i] = (struct vhu_history_region){
		    region->guest_address,
		    region->size,
		    region->user_address,
		    region->mmap_offset,
		    region->has_fd && (region->fd.has & VHU_FD_HAS_INODE) ? region->fd.inode : 0,
		    (uint32_t)region->number,
		};
	}
	return copy;
}

/* Keep the memory map, which frame @number changed. */
static void keep_memory(struct vhu_history *history, const struct vhu_state *state, uint32_t number)
{
	struct vhu_history_memory now = {number, state->regions, copy_regions(state, number)};

	keep(&history->memory, &now, sizeof(now));
}

/* Make room for the forms of @count vrings. */
static void make_room(struct vhu_history *history, unsigned count)
{
	unsigned room = history->vrings ? history->vrings : 4;

	if (count <= history->vrings)
		return;
	while (room < count)
		room *= 2;
	history->vring = (wmem_array_t **)wmem_realloc(wmem_file_scope(), history->vring,
						       room * sizeof(*history->vring));
	memset(history->vring + history->vrings, 0,
	       (room - history->vrings) * sizeof(*history->vring));
	history->vrings = room;
}

/* Keep a vring. Returns whether it changed. */
static bool keep_vring(struct vhu_history *history, const struct vhu_state *state, unsigned index,
		       uint32_t number)
{
	const struct vhu_vring *vring = &state->vring[index];
	struct vhu_history_vring now;

	memset(&now, 0, sizeof(now)); /* what lies between the members is compared, too */
	now.number = number;
	now.size = vring->size;
	now.base = vring->base_got_by > vring->base_by ? vring->base_got : vring->base;
	now.descriptor = vring->descriptor;
	now.available = vring->available;
	now.used = vring->used;
	for (unsigned i = 0; i < VHU_VRING_ROLES; i++) {
		now.eventfd[i] = vring->fd[i].eventfd_id;
		now.has_eventfd[i] = vring->fd[i].has_eventfd;
		now.polling[i] = vring->fd[i].polling;
	}
	now.started_by = (uint32_t)vring->started_by;
	now.stopped_by = (uint32_t)vring->stopped_by;
	now.has_size = vring->size_by;
	now.has_addresses = vring->addresses_by;
	now.has_base = vring->base_by || vring->base_got_by;
	now.enabled = vring->enabled;
	now.started = vring->started;
	return keep(&history->vring[index], &now, sizeof(now));
}

bool vhu_history_learn(struct vhu_history **history, const struct vhu_annotation *note,
		       uint32_t number)
{
	const struct vhu_state *state = note->state;
	bool changed;

	if (!state || !note->has_header)
		return false;
	if (!*history)
		*history = wmem_new0(wmem_file_scope(), struct vhu_history);
	changed = keep_session(*history, state, number);
	make_room(*history, state->vrings);
	if (state->memory_by == number) {
		keep_memory(*history, state, number);
		changed = true;
	}
	/* A message is about one vring, or stops all of them. */
	if (note->vring >= 0 && (unsigned)note->vring < state->vrings)
		changed |= keep_vring(*history, state, (unsigned)note->vring, number);
	for (unsigned i = 0; note->vring < 0 && i < state->vrings; i++)
		if (state->vring[i].stopped_by == number)
			changed |= keep_vring(*history, state, i, number);
	return changed;
}

const struct vhu_history_session *vhu_history_session(const struct vhu_history *history,
						      uint32_t number)
{
	return (const struct vhu_history_session *)latest(history->session, number);
}

const struct vhu_history_memory *vhu_history_memory(const struct vhu_history *history,
						    uint32_t number)
{
	return (const struct vhu_history_memory *)latest(history->memory, number);
}

const struct vhu_history_vring *vhu_history_vring(const struct vhu_history *history, unsigned index,
						  uint32_t number)
{
	return (const struct vhu_history_vring *)latest(history->vring[index], number);
}

unsigned vhu_history_vrings(const struct vhu_history *history)
{
	return history->vrings;
}
