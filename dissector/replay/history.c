/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a session's state changed, frame by frame. */
#include "dissector/replay/history.h"

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

_Static_assert(VHU_HISTORY_SESSION_FACTS <= 32 && VHU_HISTORY_VRING_FACTS <= 32,
	       "there is a bit for each fact");

/*
 * Store a fact with a filter, if its value is known, as number @fact in @value.
 * Flags have a value from the start.
 */
static void take(uint32_t *known, uint64_t *value, unsigned fact, enum vhu_form form,
		 const char *filter, const struct vhu_told *told)
{
	const bool flag = form == VHU_FORM_FLAG || form == VHU_FORM_RUNS;

	if (!*filter || (!told->by && !flag))
		return;
	if (!flag)
		*known |= UINT32_C(1) << fact;
	value[fact] = form == VHU_FORM_SAID ? 1 : told->value;
}

/* Keep what goes for the session as a whole. Returns whether it changed. */
static bool keep_session(struct vhu_history *history, const struct vhu_state *state,
			 uint32_t number)
{
	struct vhu_history_session now = {.number = number};

#define VHU_FEATURES(member, title, json, field, filter, label)                                    \
	take(&now.known, now.value, VHU_HISTORY_##member, VHU_FORM_BITS, filter,                   \
	     &state->member.acked);
#define VHU_SESSION_SHOWN(member, repeat, form, json, filter, ...)                                 \
	take(&now.known, now.value, VHU_HISTORY_##member, VHU_FORM_##form, filter, &state->member);
#include "lib/session/state/state.def"
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
#define VHU_REGION_SHOWN(member, ...) .member = region->member,
#include "lib/session/state/state.def"
		    .inode = region->has_fd && (region->fd.has & VHU_FD_HAS_INODE)
				 ? region->fd.inode
				 : 0,
		    .added_by = (uint32_t)region->number,
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

/* Take a kick, call or err as number @fact of a vring's. */
static void keep_fd(struct vhu_history_vring *now, unsigned fact, const struct vhu_vring_fd *fd)
{
	now->value[fact] = fd->eventfd_id;
	now->known |= (uint32_t)fd->has_eventfd << fact;
	now->polling |= (uint32_t)fd->polling << fact;
}

/* Keep a vring. Returns whether it changed. */
static bool keep_vring(struct vhu_history *history, const struct vhu_state *state, unsigned index,
		       uint32_t number)
{
	const struct vhu_vring *vring = &state->vring[index];
	struct vhu_history_vring now;

	memset(&now, 0, sizeof(now)); /* what lies between the members is compared, too */
	now.number = number;
#define VHU_VRING_SHOWN(member, repeat, form, json, column, filter, ...)                           \
	take(&now.known, now.value, VHU_HISTORY_VRING_##member, VHU_FORM_##form, filter,           \
	     &vring->member);
#define VHU_VRING_FD(role, ...) keep_fd(&now, VHU_HISTORY_VRING_##role, &vring->fd[VHU_##role]);
#define VHU_VRING_FRAME(member, ...)                                                               \
	now.frame[VHU_HISTORY_FRAME_##member] = (uint32_t)vring->member.by;
#include "lib/session/state/state.def"
#define VHU_VRING_SHOWN(member, ...)                                                               \
	if (state->begun_before && !vring->member.by && !vring->member.value)                      \
		now.unseen |= 1u << VHU_HISTORY_VRING_##member;
#include "lib/session/state/state.def"
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
	if (state->memory.by == number) {
		keep_memory(*history, state, number);
		changed = true;
	}
	/* A message is about one vring, or stops all of them. */
	if (note->vring >= 0 && (unsigned)note->vring < state->vrings)
		changed |= keep_vring(*history, state, (unsigned)note->vring, number);
	for (unsigned i = 0; note->vring < 0 && i < state->vrings; i++)
		if (state->vring[i].stopped.by == number)
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
