/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a state was learnt from.
 *
 * A state keeps the number of the record that told each fact, for findings to point at. The same
 * numbers tell which records a reader needs who begins in the middle of a session.
 */
#include "lib/session/state/state.h"

/* Whom to give the numbers. */
struct provenance {
	void (*call)(void *context, enum vhu_fact fact, uint64_t number);
	void *context;
};

/* Give the number of a fact's record, unless it is 0. */
static inline void refer(const struct provenance *to, enum vhu_fact fact, uint64_t number)
{
	if (number)
		to->call(to->context, fact, number);
}

/* Give the number of a fact's record if the fact has one of its own. */
static inline void refer_own(const struct provenance *to, enum vhu_repeat repeat,
			     enum vhu_fact fact, const struct vhu_told *told)
{
	if (repeat == VHU_REPEAT_OWN)
		refer(to, fact, told->by);
}

static void refer_session(const struct provenance *to, const struct vhu_state *state)
{
#define VHU_FEATURES(member, ...)                                                                  \
	refer(to, VHU_FACT_##member##_offered, state->member.offered.by);                          \
	refer(to, VHU_FACT_##member##_acked, state->member.acked.by);
#define VHU_SESSION_FACT(member, repeat)                                                           \
	refer_own(to, VHU_REPEAT_##repeat, VHU_FACT_##member, &state->member);
#define VHU_SESSION_RECORDS(id, list, count)                                                       \
	for (unsigned i = 0; i < (count); i++)                                                     \
		refer(to, VHU_FACT_##id, (list)[i]);
#include "lib/session/state/state.def"
	for (unsigned i = 0; i < state->regions; i++)
		refer(to, VHU_FACT_region, state->region[i].number);
}

static void refer_vring(const struct provenance *to, const struct vhu_vring *vring)
{
#define VHU_VRING_FACT(member, repeat)                                                             \
	refer_own(to, VHU_REPEAT_##repeat, VHU_FACT_vring_##member, &vring->member);
#define VHU_VRING_FD(role, ...) refer(to, VHU_FACT_vring_##role, vring->fd[VHU_##role].number);
#include "lib/session/state/state.def"
}

static void refer_channel(const struct provenance *to, const struct vhu_channel_state *channel)
{
#define VHU_CHANNEL_FACT(member) refer(to, VHU_FACT_channel_##member, channel->member.by);
#define VHU_CHANNEL_SIDES(member)                                                                  \
	for (unsigned side = 0; side < 2; side++)                                                  \
		refer(to, VHU_FACT_channel_##member, channel->member[side].by);
#include "lib/session/state/state.def"
	for (unsigned i = 0; i < channel->pending.count; i++) {
		const struct vhu_pending *request = vhu_pending_at(&channel->pending, i);

#define VHU_REQUEST_RECORD(id, member) refer(to, VHU_FACT_##id, request->member);
#include "lib/session/state/state.def"
	}
}

void vhu_state_provenance(const struct vhu_state *state,
			  void (*call)(void *context, enum vhu_fact fact, uint64_t number),
			  void *context)
{
	const struct provenance to = {call, context};

	refer_session(&to, state);
	for (unsigned i = 0; i < state->vrings; i++)
		refer_vring(&to, &state->vring[i]);
	for (unsigned c = 0; c < VHU_CHANNELS; c++)
		refer_channel(&to, &state->channel[c]);
}
