/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about what the sides name: regions of shared memory, crypto sessions, shared objects. */
#include <inttypes.h>
#include <string.h>

#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/session/state/learn.h"

#define PAGE_MIN 4096

/* Return whether objects are known that were named before. */
static bool objects_known(const struct vhu_check_context *check)
{
	return check->whole && !check->state->objects_lost;
}

/* Look at the sizes of shared memory that the back-end tells. */
static void check_config(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_shmem told = vhu_check_shmem(check);
	unsigned used = 0;

	for (unsigned i = 0; i < VHU_SHMEM_MAX; i++) {
		used += told.size[i] != 0;
		if (told.size[i] % PAGE_MIN)
			vhu_report(check, VHU_RULE_AT_627, check->request.number,
				   "region %u of shared memory has 0x%" PRIx64
				   " bytes, which are no pages",
				   i, told.size[i]);
	}
	if (used > told.regions)
		vhu_report(check, VHU_RULE_AT_633, check->request.number,
			   "the reply to %s says %" PRIu32 " region%s, and has the sizes of %u",
			   check->note->message->name, told.regions, told.regions == 1 ? "" : "s",
			   used);
	if (state->shmem && memcmp(state->shmem->size, told.size, sizeof(told.size)))
		vhu_report(check, VHU_RULE_AT_632, state->shmem_config.by,
			   "the reply to %s is not the one of message %" PRIu64,
			   check->note->message->name, state->shmem_config.by);
}

/* Check that a mapping lies in a region. */
static void check_region(struct vhu_check_context *check, const struct vhu_object *mapping)
{
	const struct vhu_state *state = check->state;
	const char *name = check->note->message->name;
	const uint64_t offset = mapping->value[0], length = mapping->value[1];
	uint64_t size;

	if (!state->shmem)
		return;
	size = state->shmem->size[mapping->id];
	if (!size)
		vhu_report(check, VHU_RULE_AT_631, state->shmem_config.by,
			   "%s in region %u of shared memory, which has no bytes", name,
			   mapping->id);
	else if (offset > size || length > size - offset)
		vhu_report(check, VHU_RULE_AT_628, state->shmem_config.by,
			   "%s of 0x%" PRIx64 " bytes at 0x%" PRIx64
			   " in region %u of shared memory, which has 0x%" PRIx64,
			   name, length, offset, mapping->id, size);
}

/* Look for a mapping that another one overlaps. */
static void check_overlap(struct vhu_check_context *check, const struct vhu_object *mapping)
{
	const struct vhu_state *state = check->state;
	const uint64_t offset = mapping->value[0], length = mapping->value[1];

	for (unsigned i = 0; i < state->objects; i++) {
		const struct vhu_object *other = &state->object[i];

		if (other->kind != VHU_OBJECT_MAPPING || other->id != mapping->id ||
		    offset >= other->value[0] + other->value[1] ||
		    other->value[0] >= offset + length)
			continue;
		vhu_report(check, VHU_RULE_AT_629, state->object_by[i],
			   "%s of 0x%" PRIx64 " bytes at 0x%" PRIx64
			   " in region %u of shared memory, where 0x%" PRIx64 " bytes at 0x%" PRIx64
			   " are mapped",
			   check->note->message->name, length, offset, mapping->id, other->value[1],
			   other->value[0]);
		return;
	}
}

/* Look at a part of shared memory that is mapped. */
static void check_map(struct vhu_check_context *check)
{
	const struct vhu_object mapping = vhu_check_mapping(check);
	const uint64_t from = vhu_get(check, VHU_FIELD_shmem_map_fd_offset);
	const uint64_t offset = mapping.value[0], length = mapping.value[1];
	const struct vhu_fd_info *fd = check->record->fds ? check->record->fd : NULL;

	if (!length || (from | offset | length) % PAGE_MIN)
		vhu_report(check, VHU_RULE_AT_627, 0,
			   "%s of 0x%" PRIx64 " bytes at 0x%" PRIx64 ", from 0x%" PRIx64
			   " of its file: these are no pages",
			   check->note->message->name, length, offset, from);
	if (fd && (fd->has & VHU_FD_HAS_SIZE) && fd->size &&
	    (from > fd->size || length > fd->size - from))
		vhu_report(check, VHU_RULE_AT_634, 0,
			   "%s of 0x%" PRIx64 " bytes from 0x%" PRIx64
			   " of a file that has 0x%" PRIx64,
			   check->note->message->name, length, from, fd->size);
	check_region(check, &mapping);
	check_overlap(check, &mapping);
}

/* Look at a part of shared memory that is unmapped. */
static void check_unmap(struct vhu_check_context *check)
{
	const struct vhu_object mapping = vhu_check_mapping(check);

	check_region(check, &mapping);
	if (objects_known(check) && vhu_state_object(check->state, &mapping) < 0)
		vhu_report(check, VHU_RULE_AT_630, 0,
			   "%s of 0x%" PRIx64 " bytes at 0x%" PRIx64
			   " in region %u of shared memory, which are not one mapping",
			   check->note->message->name, mapping.value[1], mapping.value[0],
			   mapping.id);
}

void vhu_rules_object(struct vhu_check_context *check)
{
	struct vhu_object object;
	uint64_t id;

	switch (vhu_check_message(check)) {
	case VHU_REPLY_TO(GET_SHMEM_CONFIG):
		check_config(check);
		break;
	case VHU_REQUEST(BACKEND_SHMEM_MAP):
		check_map(check);
		break;
	case VHU_REQUEST(BACKEND_SHMEM_UNMAP):
		check_unmap(check);
		break;
	case VHU_REQUEST(CLOSE_CRYPTO_SESSION):
		id = vhu_get(check, check->note->layout->first);
		object = vhu_check_crypto_session(id);
		if (objects_known(check) && vhu_state_object(check->state, &object) < 0)
			vhu_report(check, VHU_RULE_AT_640, 0,
				   "%s of session %" PRIu64 ", which was not created",
				   check->note->message->name, id);
		break;
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_REMOVE):
		object = vhu_check_shared(check);
		if (objects_known(check) && vhu_state_object(check->state, &object) < 0)
			vhu_report(check, VHU_RULE_AT_641, 0, "%s of an object that was not added",
				   check->note->message->name);
		break;
	}
}
