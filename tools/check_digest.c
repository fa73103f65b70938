/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a session, as it is learnt. */
#include "tools/check_digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/walk.h"

/* Have a digest of @rings vrings at least. Returns 0 or -ENOMEM. */
static int make_rings(struct vhu_digest *digest, unsigned rings)
{
	struct vhu_digest_ring *more;

	if (rings <= digest->rings)
		return 0;
	more = reallocarray(digest->ring, rings, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + digest->rings, 0, (rings - digest->rings) * sizeof(*more));
	digest->ring = more;
	digest->rings = rings;
	return 0;
}

/* Take configuration that joins what is known of it from its beginning on. */
static void see_config(struct vhu_digest *digest, uint64_t number, const struct vhu_note *note)
{
	const struct vhu_payload *payload = &note->payload;
	const uint32_t from = vhu_fields[VHU_FIELD_config_space].offset;
	struct vhu_digest_config *config = &digest->last_config;
	uint64_t offset, size;

	if (!vhu_field_read(payload, VHU_FIELD_config_offset, 0, &offset) ||
	    !vhu_field_read(payload, VHU_FIELD_config_size, 0, &size) || payload->captured < from)
		return;
	if (size > payload->captured - from)
		size = payload->captured - from;
	if (!size || offset > config->size || offset + size > sizeof(config->bytes))
		return;
	memcpy(config->bytes + offset, payload->bytes + from, size);
	if (offset + size > config->size)
		config->size = (uint32_t)(offset + size);
	config->number = number;
	/* What is asked for before the first kick is the first look at it. */
	if (!note->state->first_kick_ns)
		digest->first_config = *config;
}

/* Keep what a vring was set to first. Returns 0 or -ENOMEM. */
static int see_ring(struct vhu_digest *digest, uint64_t number, const struct vhu_note *note)
{
	const struct vhu_vring *vring;
	struct vhu_digest_ring *ring;
	bool base = note->message->id == VHU_MSG_SET_VRING_BASE;

	if (note->vring < 0 || !(vring = vhu_state_vring(note->state, (uint64_t)note->vring)))
		return 0;
	if (make_rings(digest, (unsigned)note->vring + 1))
		return -ENOMEM;
	ring = &digest->ring[note->vring];
	if (base && !ring->first_base_by) {
		ring->first_base = vring->base;
		ring->first_base_by = number;
	} else if (!base && !ring->first_size_by) {
		ring->first_size = vring->size;
		ring->first_size_by = number;
	}
	return 0;
}

/* Learn who is at both ends. */
static void see_opened(struct vhu_digest *digest, const struct vhu_record *record)
{
	const struct vhu_peer *front = &record->front_end, *back = &record->back_end;

	snprintf(digest->front_path, sizeof(digest->front_path), "%s", front->path);
	snprintf(digest->back_path, sizeof(digest->back_path), "%s", back->path);
	digest->front_pid = front->known ? front->pid : 0;
}

int vhu_digest_see(struct vhu_digest *digest, const struct vhu_record *record, uint64_t number,
		   const struct vhu_note *note)
{
	if (record->channel != VHU_FRONT_END)
		return 0;
	if (record->type == VHU_RECORD_OPENED)
		see_opened(digest, record);
	if (record->type != VHU_RECORD_MESSAGE || !note->message || !note->layout)
		return 0;
	switch (note->message->id) {
	case VHU_MSG_SET_FEATURES:
		if (!note->reply && !digest->first_taken_by) {
			digest->first_taken = note->state->features.taken;
			digest->first_taken_by = number;
		}
		break;
	case VHU_MSG_GET_CONFIG:
		if (note->reply)
			see_config(digest, number, note);
		break;
	case VHU_MSG_SET_VRING_NUM:
	case VHU_MSG_SET_VRING_BASE:
		return note->reply ? 0 : see_ring(digest, number, note);
	default:
		break;
	}
	return 0;
}

int vhu_digest_finish(struct vhu_digest *digest, const struct vhu_state *state)
{
	digest->session = state->id;
	digest->context = state->context;
	digest->features = state->features;
	digest->protocol_features = state->protocol_features;
	digest->queue_num = state->queue_num;
	digest->queue_num_by = state->queue_num_by;
	digest->device = state->specs.device_id;
	digest->device_by = state->specs.device_id_by;
	if (make_rings(digest, state->vrings))
		return -ENOMEM;
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *vring = &state->vring[i];
		struct vhu_digest_ring *ring = &digest->ring[i];

		ring->last_size = vring->size;
		ring->last_size_by = vring->size_by;
		/* What was told of an earlier run says nothing about where a later one was. */
		if (!vring->started && vring->base_got_by > vring->started_by) {
			ring->last_base = vring->base_got;
			ring->last_base_by = vring->base_got_by;
		}
	}
	return 0;
}

struct vhu_digest *vhu_digest_copy(const struct vhu_digest *digest)
{
	struct vhu_digest *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *digest;
	copy->ring = NULL;
	copy->rings = 0;
	if (make_rings(copy, digest->rings)) {
		free(copy);
		return NULL;
	}
	if (digest->rings)
		memcpy(copy->ring, digest->ring, digest->rings * sizeof(*copy->ring));
	return copy;
}

void vhu_digest_free(struct vhu_digest *digest)
{
	if (digest)
		free(digest->ring);
	free(digest);
}

/* Return the place of the one of a back-end's socket; digests->count where there is none. */
static unsigned place_of(const struct vhu_digests *digests, const char *back_path)
{
	unsigned i = 0;

	while (i < digests->count && strcmp(digests->at[i]->back_path, back_path))
		i++;
	return i;
}

struct vhu_digest *vhu_digests_find(const struct vhu_digests *digests, const char *back_path)
{
	unsigned i = place_of(digests, back_path);

	return i < digests->count ? digests->at[i] : NULL;
}

struct vhu_digest *vhu_digests_take(struct vhu_digests *digests, const char *back_path)
{
	unsigned i = place_of(digests, back_path);
	struct vhu_digest *digest;

	if (i == digests->count)
		return NULL;
	digest = digests->at[i];
	memmove(&digests->at[i], &digests->at[i + 1],
		(--digests->count - i) * sizeof(digests->at[0]));
	return digest;
}

void vhu_digests_put(struct vhu_digests *digests, struct vhu_digest *digest)
{
	unsigned i = place_of(digests, digest->back_path);

	if (i < digests->count) {
		vhu_digest_free(digests->at[i]);
		digests->at[i] = digest;
		return;
	}
	if (digests->count == VHU_DIGESTS_MAX) {
		vhu_digest_free(digests->at[0]);
		memmove(&digests->at[0], &digests->at[1],
			--digests->count * sizeof(digests->at[0]));
	}
	digests->at[digests->count++] = digest;
}

void vhu_digests_free(struct vhu_digests *digests)
{
	while (digests->count)
		vhu_digest_free(digests->at[--digests->count]);
}
