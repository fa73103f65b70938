/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a session's set-up goes on.
 *
 * It has three parts, which real front-ends go through in this order: negotiation, up to the first
 * message about memory; memory, from there to its last message; rings, from the first message that
 * sets one up to the last of that burst, which any other message ends. Calls are set long before
 * their rings are by some front-ends, so they count only in the midst of a burst. Later set-ups of
 * the same session, by the next driver, are not looked at.
 */
#include "tools/stats/stats.h"

/* What a message is for. */
enum kind {
	KIND_OTHER,
	KIND_MEMORY,
	KIND_RING,
	KIND_RING_OR_EARLIER, /* of a ring, and may be set before all else of it */
	KIND_RING_END,        /* stops or disables one */
};

const char *vhu_stats_phase_name(enum vhu_stats_phase_id phase)
{
	static const char *const name[VHU_PHASES] = {
	    [VHU_PHASE_NEGOTIATE] = "negotiate",
	    [VHU_PHASE_MEMORY] = "memory",
	    [VHU_PHASE_RINGS] = "rings",
	};

	return name[phase];
}

/* Return what a message is for. */
static enum kind kind_of(const struct vhu_annotation *note)
{
	const struct vhu_vring *vring =
	    note->vring >= 0 ? vhu_state_vring(note->state, (uint64_t)note->vring) : NULL;

	if (!note->message)
		return KIND_OTHER;
	switch (note->message->id) {
	case VHU_MSG_SET_MEM_TABLE:
	case VHU_MSG_ADD_MEM_REG:
	case VHU_MSG_REM_MEM_REG:
		return KIND_MEMORY;
	case VHU_MSG_SET_VRING_NUM:
	case VHU_MSG_SET_VRING_ADDR:
	case VHU_MSG_SET_VRING_BASE:
	case VHU_MSG_SET_VRING_KICK:
	case VHU_MSG_SET_VRING_ENDIAN:
		return KIND_RING;
	case VHU_MSG_SET_VRING_ENABLE:
		return note->reply || (vring && vring->enabled.value) ? KIND_RING : KIND_RING_END;
	case VHU_MSG_SET_VRING_CALL:
	case VHU_MSG_SET_VRING_ERR:
		return KIND_RING_OR_EARLIER;
	case VHU_MSG_GET_VRING_BASE:
	case VHU_MSG_GET_VRING_BASE_SKIP_DRAIN:
	case VHU_MSG_RESET_OWNER:
	case VHU_MSG_RESET_DEVICE:
		return KIND_RING_END;
	default:
		return KIND_OTHER;
	}
}

/* Return the part of the set-up that a message belongs to; VHU_PHASES: none. */
static enum vhu_stats_phase_id phase_of(struct vhu_stats_setup *setup,
					const struct vhu_annotation *note)
{
	bool memory = setup->phase[VHU_PHASE_MEMORY].first != 0;
	bool rings = setup->phase[VHU_PHASE_RINGS].first != 0;

	switch (kind_of(note)) {
	case KIND_MEMORY:
		return rings ? VHU_PHASES : VHU_PHASE_MEMORY;
	case KIND_RING_OR_EARLIER:
		if (!rings)
			return memory ? VHU_PHASES : VHU_PHASE_NEGOTIATE;
		/* fall through */
	case KIND_RING:
		return setup->rings_over ? VHU_PHASES : VHU_PHASE_RINGS;
	case KIND_RING_END:
		setup->rings_over |= rings;
		return VHU_PHASES;
	case KIND_OTHER:
		setup->rings_over |= rings;
		return memory || rings ? VHU_PHASES : VHU_PHASE_NEGOTIATE;
	}
	return VHU_PHASES;
}

void vhu_stats_setup_see(struct vhu_stats_setup *setup, const struct vhu_record *record,
			 uint64_t number, const struct vhu_annotation *note)
{
	struct vhu_stats_phase *phase;
	enum vhu_stats_phase_id id;

	if (record->channel != VHU_FRONT_END || !note->has_header)
		return;
	if (!setup->first_kick && note->state->first_kick_ns) {
		setup->first_kick = number;
		setup->first_kick_ns = note->state->first_kick_ns;
	}
	id = phase_of(setup, note);
	if (id == VHU_PHASES)
		return;
	phase = &setup->phase[id];
	if (!phase->first) {
		phase->first = number;
		phase->begin_ns = record->time_ns;
	}
	phase->last = number;
	phase->end_ns = record->time_ns;
	phase->waiting_ns += note->delay_ns;
}
