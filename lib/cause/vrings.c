/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends that vrings explain: never enabled, left running, never started. */
#include <inttypes.h>

#include "lib/cause/internal.h"

/* Add which vrings were started, and the message that started each. */
static void add_started(struct vhu_cause_end *end)
{
	const char *between = "";

	for (unsigned i = 0; i < end->state->vrings; i++) {
		const struct vhu_vring *vring = &end->state->vring[i];

		if (!vring->start_ns)
			continue;
		vhu_line_printf(&end->line, "%s%u (%" PRIu64 ")", between, i,
				vring->fd[VHU_KICK].number);
		between = ", ";
	}
}

bool vhu_cause_say_never_enabled(struct vhu_cause_end *end)
{
	const struct vhu_state *state = end->state;
	unsigned started = 0;
	bool ran = false;

	if (!state->context.has_features ||
	    !(state->context.features >> VHU_F_PROTOCOL_FEATURES & 1))
		return false;
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *vring = &state->vring[i];
		const uint64_t until = vring->started.value ? end->now_ns : vring->stopped.value;

		if (vring->enabled.by || vring->enabled_with.by)
			return false;
		started += vring->start_ns != 0;
		ran |= vring->start_ns && until > vring->start_ns &&
		       until - vring->start_ns >= VHU_CAUSE_HUNG_NS;
	}
	if (!ran)
		return false;
	end->disabled = true;
	vhu_line_add(&end->line, started > 1 ? "vrings " : "vring ");
	add_started(end);
	vhu_line_printf(&end->line,
			" %s started and never enabled; bit 30 was acked (%" PRIu64
			"), so the back-end must not serve a vring before %s",
			started > 1 ? "were" : "was", state->features.acked.by,
			vhu_messages[VHU_MSG_SET_VRING_ENABLE].name);
	return true;
}

/* Add that vrings start enabled, which some back-ends do not expect, if they do. */
static void add_starts_enabled(struct vhu_cause_end *end)
{
	const struct vhu_state *state = end->state;
	uint64_t with = 0;

	if (!state->context.has_protocol_features)
		return;
	for (unsigned i = 0; i < state->vrings; i++) {
		if (state->vring[i].enabled.by)
			return;
		if (state->vring[i].started.value && state->vring[i].enabled_with.by)
			with = state->vring[i].enabled_with.by;
	}
	if (with)
		vhu_line_printf(&end->line,
				"; vrings start enabled (bit 30 not acked, message %" PRIu64
				") and no %s follows: a back-end that waits for it never serves",
				with, vhu_messages[VHU_MSG_SET_VRING_ENABLE].name);
}

bool vhu_cause_say_vrings(struct vhu_cause_end *end)
{
	const unsigned running = vhu_state_running(end->state);
	const bool begun = end->state->first_kick_ns != 0;

	if (end->closer == VHU_CAUSE_NOBODY || (!running && begun) ||
	    vhu_cause_last_side(end) == VHU_CAUSE_NOBODY)
		return false;
	/* Front-ends that only look at what there is are no failure. */
	if (!running && end->closer == VHU_CAUSE_FRONT && !end->fate &&
	    !vhu_cause_trouble(end, UINT64_MAX))
		return false;
	vhu_cause_add_side(end, end->closer);
	vhu_line_add(&end->line, " ");
	vhu_cause_add_close(end);
	if (!running) {
		vhu_line_add(&end->line, " before any vring was started");
		return true;
	}
	if (end->closer == VHU_CAUSE_FRONT && !end->state->stopped.by && !end->fate) {
		vhu_line_printf(&end->line, " without stopping its vrings (%u ran)", running);
		end->hung = vhu_cause_age(end, end->state->first_kick_ns) >= VHU_CAUSE_HUNG_NS;
		add_starts_enabled(end);
		return true;
	}
	vhu_cause_add_running(end);
	if (end->closer == VHU_CAUSE_FRONT) {
		vhu_line_add(&end->line, ", which it did not stop");
		end->hung = vhu_cause_age(end, end->state->first_kick_ns) >= VHU_CAUSE_HUNG_NS;
	}
	if (!end->fate && !end->cause->ours.number && !vhu_cause_trouble(end, VHU_CAUSE_HUNG_NS))
		vhu_line_add(&end->line, ": it was killed or crashed");
	return true;
}
