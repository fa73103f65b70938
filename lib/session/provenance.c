/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a state was learnt from.
 *
 * A state keeps the number of the record that told each thing, for findings to point at. The same
 * numbers tell which records a reader needs who begins in the middle of a session.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/session/internal.h"

#include "lib/util/util.h"

/* Whom to tell. */
struct origins {
	void (*refer)(void *context, uint64_t number);
	void *context;
};

/* Tell of a number, unless it is none. */
static void refer(const struct origins *to, uint64_t number)
{
	if (number)
		to->refer(to->context, number);
}

/* Tell of several numbers. */
static void refer_all(const struct origins *to, const uint64_t *number, size_t count)
{
	for (size_t i = 0; i < count; i++)
		refer(to, number[i]);
}

/* Tell what a set of features comes from. */
static void refer_features(const struct origins *to, const struct vhu_feature_set *features)
{
	refer(to, features->offered_by);
	refer(to, features->taken_by);
}

/* Tell what is known of the session as a whole. */
static void refer_session(const struct origins *to, const struct vhu_state *state)
{
	const uint64_t number[] = {
	    state->queue_num_by,
	    state->mem_slots_by,
	    state->status_by,
	    state->owner_by,
	    state->log_by,
	    state->inflight_by,
	    state->owner_reset_by,
	    state->dialect_by,
	    state->device_by,
	    state->device_said_by,
	    state->log_reply_by,
	    state->backend_channel_by,
	    state->postcopy_advised_by,
	    state->config_by,
	    state->config_queues_by,
	    state->config_queues_with,
	    state->specs.device_id_by,
	    state->specs.config_size_by,
	    state->specs.min_vqs_by,
	    state->specs.max_vqs_by,
	    state->stopped_by,
	    state->postcopy_end_by,
	    state->status_got_by,
	    state->postcopy_by,
	};

	refer_all(to, state->guessed.by, state->guessed.count);
	refer_features(to, &state->features);
	refer_features(to, &state->protocol_features);
	refer_features(to, &state->gpu_features);
	refer_all(to, number, VHU_ARRAY_SIZE(number));
	if (state->iotlb_misses)
		refer(to, state->iotlb_miss_by);
}

/* Tell what a vring comes from. */
static void refer_vring(const struct origins *to, const struct vhu_vring *vring)
{
	const uint64_t number[] = {
	    vring->size_by,    vring->addresses_by,  vring->base_by,    vring->base_got_by,
	    vring->enabled_by, vring->started_by,    vring->stopped_by, vring->enabled_with,
	    vring->endian_by,  vring->enabled_since,
	};

	refer_all(to, number, VHU_ARRAY_SIZE(number));
	for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
		refer(to, vring->fd[role].number);
}

/* Tell what waits on a channel, and what passed there last. */
static void refer_channel(const struct origins *to, const struct vhu_channel_state *channel)
{
	refer(to, channel->opened_by);
	refer(to, channel->closed_by);
	for (unsigned i = 0; i < channel->pending.count; i++) {
		const struct vhu_pending *request = vhu_pending_at(&channel->pending, i);

		refer(to, request->number);
		refer(to, request->protocol_by);
	}
	refer_all(to, channel->last_number, 2);
	refer(to, channel->answered_number);
}

void vhu_state_provenance(const struct vhu_state *state,
			  void (*tell)(void *context, uint64_t number), void *context)
{
	const struct origins to = {tell, context};

	refer_session(&to, state);
	refer_all(&to, state->altered, VHU_ALTERED_MAX);
	refer(&to, state->memory_by);
	refer(&to, state->table_by);
	for (unsigned i = 0; i < state->regions; i++)
		refer(&to, state->region[i].number);
	refer_all(&to, state->removal, state->removals);
	for (unsigned i = 0; i < state->vrings; i++)
		refer_vring(&to, &state->vring[i]);
	for (unsigned c = 0; c < VHU_CHANNELS; c++)
		refer_channel(&to, &state->channel[c]);
}

void vhu_state_forget(struct vhu_state *state)
{
	struct vhu_state fresh;

	/* Contexts are compared as bytes, with what lies between their members. */
	memset(&fresh, 0, sizeof(fresh));
	fresh.id = state->id;
	fresh.dialect_is_sure = state->dialect_is_sure;
	fresh.context.dialect = state->context.dialect;
	fresh.context.device = state->context.device;
	/* What the lists have room for is used again. */
	for (unsigned c = 0; c < VHU_CHANNELS; c++) {
		struct vhu_pending_queue *pending = &fresh.channel[c].pending;

		*pending = state->channel[c].pending;
		vhu_pending_forget(pending, pending->count);
	}
	fresh.region = state->region;
	fresh.region_room = state->region_room;
	fresh.removal = state->removal;
	memcpy(fresh.peer, state->peer, sizeof(fresh.peer));
	free(state->vring);
	*state = fresh;
}
