/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What messages change in what the sides have named: mappings of shared memory, crypto sessions,
 * shared objects.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/state/internal.h"

/* Objects that are kept. Of more, none is known to be there or not. */
#define OBJECTS_MAX 4096

/* Add an object that this record named. Returns 0, also where there are too many to keep; -ENOMEM.
 */
static int object_add(struct vhu_state *state, struct vhu_object object, uint64_t number)
{
	if (state->objects == OBJECTS_MAX) {
		state->objects_lost = true;
		return 0;
	}
	if (state->objects == state->object_room) {
		unsigned room = state->object_room ? 2 * state->object_room : 8;
		struct vhu_object *more = reallocarray(state->object, room, sizeof(*more));
		uint64_t *more_by;

		if (!more)
			return -ENOMEM;
		state->object = more;
		more_by = reallocarray(state->object_by, room, sizeof(*more_by));
		if (!more_by)
			return -ENOMEM;
		state->object_by = more_by;
		state->object_room = room;
	}
	state->object[state->objects] = object;
	state->object_by[state->objects++] = number;
	return 0;
}

/* Forget object @at. */
static void object_forget(struct vhu_state *state, unsigned at)
{
	state->objects--;
	memmove(&state->object[at], &state->object[at + 1],
		(state->objects - at) * sizeof(*state->object));
	memmove(&state->object_by[at], &state->object_by[at + 1],
		(state->objects - at) * sizeof(*state->object_by));
}

/* Forget an object, and note what had named it. */
static void object_remove(struct vhu_check_context *check, int at)
{
	if (at < 0)
		return;
	check->note->undoes = check->state->object_by[at];
	object_forget(check->state, (unsigned)at);
}

int vhu_state_object(const struct vhu_state *state, const struct vhu_object *object)
{
	for (unsigned i = 0; i < state->objects; i++)
		if (state->object[i].kind == object->kind && state->object[i].id == object->id &&
		    state->object[i].value[0] == object->value[0] &&
		    state->object[i].value[1] == object->value[1])
			return (int)i;
	return -1;
}

struct vhu_object vhu_check_mapping(const struct vhu_check_context *check)
{
	return (struct vhu_object){
	    .kind = VHU_OBJECT_MAPPING,
	    .id = (uint8_t)vhu_get(check, VHU_FIELD_shmem_map_id),
	    .value = {vhu_get(check, VHU_FIELD_shmem_map_offset),
		      vhu_get(check, VHU_FIELD_shmem_map_length)},
	};
}

struct vhu_object vhu_check_shared(const struct vhu_check_context *check)
{
	struct vhu_object object = {.kind = VHU_OBJECT_SHARED};

	memcpy(object.value, check->note->payload.bytes, sizeof(object.value));
	return object;
}

struct vhu_object vhu_check_crypto_session(uint64_t id)
{
	return (struct vhu_object){.kind = VHU_OBJECT_CRYPTO, .value = {id}};
}

/* Return the id of the crypto session that a reply tells; below 0: none was created. */
static int64_t crypto_session_created(const struct vhu_check_context *check)
{
	const struct vhu_layout *layout = check->note->layout;
	enum vhu_field_id field =
	    layout == &vhu_layouts[VHU_LAYOUT_crypto_old]    ? VHU_FIELD_crypto_old_id
	    : layout == &vhu_layouts[VHU_LAYOUT_crypto_asym] ? VHU_FIELD_crypto_asym_id
							     : VHU_FIELD_crypto_sym_id;

	return (int64_t)vhu_get(check, field);
}

/* Take what a back-end says of its shared memory. Returns 0 or -ENOMEM. */
static int learn_shmem_config(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;

	if (!state->shmem)
		state->shmem = calloc(1, sizeof(*state->shmem));
	if (!state->shmem)
		return -ENOMEM;
	*state->shmem = vhu_check_shmem(check);
	state->shmem_config = vhu_told(check, true);
	return 0;
}

struct vhu_shmem vhu_check_shmem(const struct vhu_check_context *check)
{
	const struct vhu_payload *payload = &check->note->payload;
	const struct vhu_field *array = &vhu_fields[VHU_FIELD_shmem_config_size];
	struct vhu_shmem shmem = {.regions =
				      (uint32_t)vhu_get(check, VHU_FIELD_shmem_config_regions)};

	for (unsigned i = 0; i < VHU_SHMEM_MAX; i++) {
		const uint32_t at = array->offset + i * array->size;

		if (at + array->size > payload->captured)
			break;
		shmem.size[i] = vhu_integer_read(payload->bytes + at, 8, payload->big_endian);
	}
	return shmem;
}

/* Take a mapping back whose request was refused. */
static void learn_refused_mapping(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;

	if (!vhu_get(check, check->note->layout->first))
		return;
	for (unsigned i = 0; i < state->objects; i++)
		if (state->object_by[i] == check->request.number) {
			object_remove(check, (int)i);
			return;
		}
}

void vhu_learn_unmapped(struct vhu_state *state)
{
	for (unsigned i = state->objects; i-- > 0;)
		if (state->object[i].kind == VHU_OBJECT_MAPPING)
			object_forget(state, i);
}

int vhu_learn_object(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	struct vhu_object object;

	switch (vhu_check_message(check)) {
	case VHU_REPLY_TO(GET_SHMEM_CONFIG):
		return learn_shmem_config(check);
	case VHU_REQUEST(BACKEND_SHMEM_MAP):
		return object_add(state, vhu_check_mapping(check), check->number);
	case VHU_REPLY_TO(BACKEND_SHMEM_MAP):
		learn_refused_mapping(check);
		break;
	case VHU_REQUEST(BACKEND_SHMEM_UNMAP):
		object = vhu_check_mapping(check);
		object_remove(check, vhu_state_object(state, &object));
		break;
	case VHU_REPLY_TO(CREATE_CRYPTO_SESSION):
		if (crypto_session_created(check) < 0)
			break;
		object = vhu_check_crypto_session((uint64_t)crypto_session_created(check));
		return object_add(state, object, check->number);
	case VHU_REQUEST(CLOSE_CRYPTO_SESSION):
		object = vhu_check_crypto_session(vhu_get(check, check->note->layout->first));
		object_remove(check, vhu_state_object(state, &object));
		break;
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_ADD):
		object = vhu_check_shared(check);
		if (vhu_state_object(state, &object) < 0)
			return object_add(state, object, check->number);
		break;
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_REMOVE):
		object = vhu_check_shared(check);
		object_remove(check, vhu_state_object(state, &object));
		break;
	}
	return 0;
}
