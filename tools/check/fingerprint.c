/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a session, as it is learnt. */
#include "tools/check/fingerprint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/walk.h"

/* Have a fingerprint of @rings vrings at least. Returns 0 or -ENOMEM. */
static int make_rings(struct vhu_fingerprint *fingerprint, unsigned rings)
{
	struct vhu_fingerprint_ring *more;

	if (rings <= fingerprint->rings)
		return 0;
	more = reallocarray(fingerprint->ring, rings, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + fingerprint->rings, 0, (rings - fingerprint->rings) * sizeof(*more));
	fingerprint->ring = more;
	fingerprint->rings = rings;
	return 0;
}

/* Take configuration that joins what is known of it from its beginning on. */
static void see_config(struct vhu_fingerprint *fingerprint, uint64_t number,
		       const struct vhu_annotation *note)
{
	const struct vhu_payload *payload = &note->payload;
	const uint32_t from = vhu_fields[VHU_FIELD_config_space].offset;
	struct vhu_fingerprint_config *config = &fingerprint->last_config;
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
		fingerprint->first_config = *config;
}

/* Keep what a vring was set to first. Returns 0 or -ENOMEM. */
static int see_ring(struct vhu_fingerprint *fingerprint, uint64_t number,
		    const struct vhu_annotation *note)
{
	const struct vhu_vring *vring;
	struct vhu_fingerprint_ring *ring;
	bool base = note->message->id == VHU_MSG_SET_VRING_BASE;

	if (note->vring < 0 || !(vring = vhu_state_vring(note->state, (uint64_t)note->vring)))
		return 0;
	if (make_rings(fingerprint, (unsigned)note->vring + 1))
		return -ENOMEM;
	ring = &fingerprint->ring[note->vring];
	if (base && !ring->first_base_by) {
		ring->first_base = vring->base.value;
		ring->first_base_by = number;
	} else if (!base && !ring->first_size_by) {
		ring->first_size = vring->size.value;
		ring->first_size_by = number;
	}
	return 0;
}

/* Learn who is at both ends. */
static void see_opened(struct vhu_fingerprint *fingerprint, const struct vhu_record *record)
{
	const struct vhu_peer *front = &record->front_end, *back = &record->back_end;

	snprintf(fingerprint->front_path, sizeof(fingerprint->front_path), "%s", front->path);
	snprintf(fingerprint->back_path, sizeof(fingerprint->back_path), "%s", back->path);
	fingerprint->front_pid = front->known ? front->pid : 0;
}

int vhu_fingerprint_see(struct vhu_fingerprint *fingerprint, const struct vhu_record *record,
			uint64_t number, const struct vhu_annotation *note)
{
	if (record->channel != VHU_FRONT_END)
		return 0;
	if (record->type == VHU_RECORD_OPENED)
		see_opened(fingerprint, record);
	if (record->type != VHU_RECORD_MESSAGE || !note->message || !note->layout)
		return 0;
	switch (note->message->id) {
	case VHU_MSG_SET_FEATURES:
		if (!note->reply && !fingerprint->first_taken_by) {
			fingerprint->first_taken = note->state->features.acked.value;
			fingerprint->first_taken_by = number;
		}
		break;
	case VHU_MSG_GET_CONFIG:
		if (note->reply)
			see_config(fingerprint, number, note);
		break;
	case VHU_MSG_SET_VRING_NUM:
	case VHU_MSG_SET_VRING_BASE:
		return note->reply ? 0 : see_ring(fingerprint, number, note);
	default:
		break;
	}
	return 0;
}

int vhu_fingerprint_finish(struct vhu_fingerprint *fingerprint, const struct vhu_state *state)
{
	fingerprint->session = state->id;
	fingerprint->context = state->context;
	fingerprint->features = state->features;
	fingerprint->protocol_features = state->protocol_features;
	fingerprint->queue_num = state->queue_num.value;
	fingerprint->queue_num_by = state->queue_num.by;
	fingerprint->inflight_by = state->inflight.by;
	fingerprint->device = state->spec_device_id.value;
	fingerprint->device_by = state->spec_device_id.by;
	if (make_rings(fingerprint, state->vrings))
		return -ENOMEM;
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *vring = &state->vring[i];
		struct vhu_fingerprint_ring *ring = &fingerprint->ring[i];

		ring->last_size = vring->size.value;
		ring->last_size_by = vring->size.by;
		ring->running_by = vring->started.value ? vring->started.by : 0;
		/* A base from an earlier run says nothing about a later run. */
		if (!vring->started.value && vring->base_got.by > vring->started.by) {
			ring->last_base = vring->base_got.value;
			ring->last_base_by = vring->base_got.by;
		}
	}
	return 0;
}

struct vhu_fingerprint *vhu_fingerprint_copy(const struct vhu_fingerprint *fingerprint)
{
	struct vhu_fingerprint *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *fingerprint;
	copy->ring = NULL;
	copy->rings = 0;
	if (make_rings(copy, fingerprint->rings)) {
		free(copy);
		return NULL;
	}
	if (fingerprint->rings)
		memcpy(copy->ring, fingerprint->ring, fingerprint->rings * sizeof(*copy->ring));
	return copy;
}

void vhu_fingerprint_free(struct vhu_fingerprint *fingerprint)
{
	if (fingerprint)
		free(fingerprint->ring);
	free(fingerprint);
}

/* Return the index of the fingerprint of a back-end's socket, or fingerprints->count. */
static unsigned place_of(const struct vhu_fingerprints *fingerprints, const char *back_path)
{
	unsigned i = 0;

	while (i < fingerprints->count && strcmp(fingerprints->at[i]->back_path, back_path))
		i++;
	return i;
}

struct vhu_fingerprint *vhu_fingerprints_find(const struct vhu_fingerprints *fingerprints,
					      const char *back_path)
{
	unsigned i = place_of(fingerprints, back_path);

	return i < fingerprints->count ? fingerprints->at[i] : NULL;
}

struct vhu_fingerprint *vhu_fingerprints_take(struct vhu_fingerprints *fingerprints,
					      const char *back_path)
{
	unsigned i = place_of(fingerprints, back_path);
	struct vhu_fingerprint *fingerprint;

	if (i == fingerprints->count)
		return NULL;
	fingerprint = fingerprints->at[i];
	memmove(&fingerprints->at[i], &fingerprints->at[i + 1],
		(--fingerprints->count - i) * sizeof(fingerprints->at[0]));
	return fingerprint;
}

void vhu_fingerprints_put(struct vhu_fingerprints *fingerprints,
			  struct vhu_fingerprint *fingerprint)
{
	unsigned i = place_of(fingerprints, fingerprint->back_path);

	if (i < fingerprints->count) {
		vhu_fingerprint_free(fingerprints->at[i]);
		fingerprints->at[i] = fingerprint;
		return;
	}
	if (fingerprints->count == VHU_FINGERPRINTS_MAX) {
		vhu_fingerprint_free(fingerprints->at[0]);
		memmove(&fingerprints->at[0], &fingerprints->at[1],
			--fingerprints->count * sizeof(fingerprints->at[0]));
	}
	fingerprints->at[fingerprints->count++] = fingerprint;
}

void vhu_fingerprints_free(struct vhu_fingerprints *fingerprints)
{
	while (fingerprints->count)
		vhu_fingerprint_free(fingerprints->at[--fingerprints->count]);
}
