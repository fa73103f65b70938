/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What messages change in the translations of IOVAs, which a front-end with a virtual IOMMU sends.
 *
 * A busy virtual IOMMU makes 100,000 updates and invalidations a second, so each of them costs a
 * binary search and a move of what lies behind its place in a short array.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/state/internal.h"

/* Kinds of IOTLB messages (iotlb_type of lib/protocol). */
enum { IOTLB_MISS = 1, IOTLB_UPDATE = 2, IOTLB_INVALIDATE = 3 };

/* As many translations go when there is no room for another one. */
#define DROPPED (VHU_TRANSLATIONS_MAX / 4)

/* Return the last IOVA of a range, which ends with the address space at the latest. */
static uint64_t last_of(uint64_t iova, uint64_t size)
{
	uint64_t last;

	return __builtin_add_overflow(iova, size - 1, &last) ? UINT64_MAX : last;
}

/* Return the place of the first translation that has an IOVA of @iova or above. */
static unsigned place_of(const struct vhu_state *state, uint64_t iova)
{
	unsigned from = 0, to = state->translations;

	while (from < to) {
		const unsigned middle = from + (to - from) / 2;
		const struct vhu_translation *at = &state->translation[middle];

		if (last_of(at->iova, at->size) < iova)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Return whether a translation has an IOVA of a vring's own areas. */
static bool holds_vring(const struct vhu_state *state, const struct vhu_translation *translation)
{
	const bool packed = state->context.features >> VHU_F_RING_PACKED & 1;
	const uint64_t last = last_of(translation->iova, translation->size);
	struct vhu_vring_area area[3];

	for (unsigned v = 0; v < state->vrings; v++) {
		const struct vhu_vring *vring = &state->vring[v];

		if (!vring->descriptor.by || !vring->size.by)
			continue;
		vhu_vring_areas(vring, packed, area);
		for (unsigned i = 0; i < 3; i++)
			if (area[i].size && area[i].address <= last &&
			    last_of(area[i].address, area[i].size) >= translation->iova)
				return true;
	}
	return false;
}

/* Forget the translations that records before @number told. @spares: but those of vrings. Returns
 * whether there were any. */
static bool drop_before(struct vhu_state *state, uint64_t number, bool spares)
{
	unsigned left = 0;

	for (unsigned i = 0; i < state->translations; i++) {
		if (state->translation_by[i] < number &&
		    !(spares && holds_vring(state, &state->translation[i])))
			continue;
		state->translation[left] = state->translation[i];
		state->translation_by[left++] = state->translation_by[i];
	}
	state->translations = left;
	return left < VHU_TRANSLATIONS_MAX;
}

/* Compare two numbers of records, for qsort(3). */
static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Forget the oldest translations. */
static void drop_oldest(struct vhu_state *state)
{
	uint64_t by[VHU_TRANSLATIONS_MAX];

	memcpy(by, state->translation_by, sizeof(by));
	qsort(by, VHU_TRANSLATIONS_MAX, sizeof(*by), compare_numbers);
	if (!drop_before(state, by[DROPPED], true))
		drop_before(state, by[DROPPED], false);
}

/* Make room for one translation more. Returns 0 or -ENOMEM. */
static int make_room(struct vhu_state *state)
{
	const unsigned room = state->translation_room ? 2 * state->translation_room : 8;
	struct vhu_translation *more;
	uint64_t *more_by;

	if (state->translations == VHU_TRANSLATIONS_MAX)
		drop_oldest(state);
	if (state->translations < state->translation_room)
		return 0;
	more = reallocarray(state->translation, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	state->translation = more;
	more_by = reallocarray(state->translation_by, room, sizeof(*more_by));
	if (!more_by)
		return -ENOMEM;
	state->translation_by = more_by;
	state->translation_room = room;
	return 0;
}

/* Let the translations from place @at on stand at place @to. */
static void move(struct vhu_state *state, unsigned at, unsigned to)
{
	const unsigned count = state->translations - at;

	if (at == to)
		return;
	memmove(&state->translation[to], &state->translation[at],
		count * sizeof(*state->translation));
	memmove(&state->translation_by[to], &state->translation_by[at],
		count * sizeof(*state->translation_by));
	state->translations = to + count;
}

/*
 * Forget all translations that have an IOVA of a range: those that are cut lose all of theirs.
 * @told: a translation of the range, to add instead; NULL: none.
 * Returns 0 or -ENOMEM.
 */
static int replace(struct vhu_check_context *check, uint64_t iova, uint64_t size,
		   const struct vhu_translation *told)
{
	struct vhu_state *state = check->state;
	const uint64_t last = last_of(iova, size);
	unsigned from, to;

	if (told && make_room(state))
		return -ENOMEM;
	from = to = place_of(state, iova);
	while (to < state->translations && state->translation[to].iova <= last)
		to++;
	move(state, to, from + (told != NULL));
	if (!told)
		return 0;
	state->translation[from] = *told;
	state->translation_by[from] = check->number;
	check->note->translates = true;
	return 0;
}

/* Learn from an update or an invalidation. Returns 0 or -ENOMEM. */
static int learn_iotlb(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	const uint64_t type = vhu_get(check, VHU_FIELD_iotlb_type);
	const uint64_t iova = vhu_get(check, VHU_FIELD_iotlb_iova);
	const uint64_t size = vhu_get(check, VHU_FIELD_iotlb_size);

	state->iotlb_entries++;
	if (type == IOTLB_UPDATE) {
		state->iotlb_update = vhu_told(check, true);
		state->iotlb_misses = 0;
		state->iotlb_miss = (struct vhu_told){0};
	}
	/* What has ended changes nothing: what ended it is not repeated. */
	if (!size || check->record->marks & VHU_MARK_ENDED)
		return 0;
	if (type == IOTLB_INVALIDATE)
		return replace(check, iova, size, NULL);
	if (type != IOTLB_UPDATE)
		return 0;
	return replace(check, iova, size,
		       &(struct vhu_translation){
			   .iova = iova,
			   .user = vhu_get(check, VHU_FIELD_iotlb_user_address),
			   .size = last_of(iova, size) - iova + 1,
		       });
}

/* Learn that an IOTLB miss was answered by a refusal: no update will come. */
static void learn_refused_miss(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;

	if (!state->iotlb_misses || !vhu_get(check, check->note->layout->first))
		return;
	if (--state->iotlb_misses == 0)
		state->iotlb_miss = (struct vhu_told){0};
}

int vhu_learn_iotlb(struct vhu_check_context *check)
{
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(BACKEND_IOTLB_MSG):
		if (vhu_get(check, VHU_FIELD_iotlb_type) == IOTLB_MISS) {
			check->state->iotlb_misses++;
			check->state->iotlb_miss = vhu_told(check, check->record->time_ns);
		}
		break;
	case VHU_REPLY_TO(BACKEND_IOTLB_MSG):
		learn_refused_miss(check);
		break;
	case VHU_REQUEST(IOTLB_MSG):
		return learn_iotlb(check);
	}
	return 0;
}
