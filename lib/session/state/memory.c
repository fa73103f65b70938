/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What messages change in what is known of a session's memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/state/internal.h"

struct vhu_region vhu_check_region(const struct vhu_check_context *check, uint32_t base,
				   unsigned fd)
{
	const struct vhu_payload *payload = &check->note->payload;
	struct vhu_region region = {.number = check->number};

	vhu_field_read(payload, VHU_FIELD_region_guest_address, base, &region.guest_address);
	vhu_field_read(payload, VHU_FIELD_region_size, base, &region.size);
	vhu_field_read(payload, VHU_FIELD_region_user_address, base, &region.user_address);
	vhu_field_read(payload, VHU_FIELD_region_mmap_offset, base, &region.mmap_offset);
	if (fd < check->record->fds) {
		region.fd = check->record->fd[fd];
		region.fd.name = NULL; /* the record's, and gone with it */
		region.has_fd = true;
	}
	return region;
}

/* Add a region. Returns 0, also where there are too many to keep; -ENOMEM. */
static int region_add(struct vhu_state *state, struct vhu_region region)
{
	if (state->regions == VHU_REGIONS_MAX)
		return 0;
	if (state->regions == state->region_room) {
		unsigned room = state->region_room ? 2 * state->region_room : 8;
		struct vhu_region *more = reallocarray(state->region, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		state->region = more;
		state->region_room = room;
	}
	state->region[state->regions++] = region;
	return 0;
}

/* Note that memory changed: where rings lie has to be looked at again. */
static void memory_changed(struct vhu_check_context *check)
{
	check->state->memory = vhu_told(check, true);
	for (unsigned i = 0; i < check->state->vrings; i++)
		check->state->vring[i].addresses_checked = false;
}

int vhu_learn_mem_table(struct vhu_check_context *check)
{
	const struct vhu_layout *layout = check->note->layout;
	const struct vhu_field *array = &vhu_fields[layout->first + layout->fields - 1];
	uint64_t regions = vhu_get(check, layout->first);
	int error = 0;

	if (array->kind != VHU_ARRAY)
		return 0;
	check->state->regions = 0;
	check->state->table = vhu_told(check, true);
	for (unsigned i = 0; i < regions && !error; i++) {
		uint64_t base = array->offset + (uint64_t)i * array->size;

		if (base + array->size > check->note->payload.captured)
			break;
		error = region_add(check->state, vhu_check_region(check, (uint32_t)base, i));
	}
	memory_changed(check);
	return error;
}

/* Return whether two regions are the same to a message that removes one. */
static bool region_is(const struct vhu_region *one, const struct vhu_region *other)
{
	return one->guest_address == other->guest_address && one->size == other->size;
}

/* Take away the first region that is @region, and note what had added it. */
static void region_remove(struct vhu_check_context *check, const struct vhu_region *region)
{
	struct vhu_state *state = check->state;
	unsigned at = 0;

	while (at < state->regions && !region_is(&state->region[at], region))
		at++;
	if (at == state->regions)
		return;
	check->note->undoes = state->region[at].number;
	memmove(&state->region[at], &state->region[at + 1],
		(--state->regions - at) * sizeof(*state->region));
}

int vhu_learn_region(struct vhu_check_context *check, bool add)
{
	const struct vhu_field *field = &vhu_fields[VHU_FIELD_single_region_region];
	struct vhu_region region;

	if (check->note->payload.captured < field->offset + field->size)
		return 0;
	region = vhu_check_region(check, field->offset, 0);
	memory_changed(check);
	if (add)
		return region_add(check->state, region);
	region_remove(check, &region);
	return 0;
}
