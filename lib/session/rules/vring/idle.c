/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about vrings that the back-end does not serve: never enabled, stopped by themselves, or
 * kicked before the back-end looked.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/session/rules/vring/vring.h"
#include "lib/session/state/learn.h"

/* What a set-up leaves for later than this, it leaves out. */
#define LATER_NS UINT64_C(1000000000)

/* Return whether a running vring ought to have been enabled and was not. */
static bool lacks_enable(const struct vhu_check_context *check, unsigned index)
{
	const struct vhu_state *state = check->state;
	const struct vhu_vring *vring = &state->vring[index];

	if (!vring->started.value || vring->enabled.value || !(check->whole || vring->enabled.by) ||
	    !(state->context.features >> VHU_F_PROTOCOL_FEATURES & 1))
		return false;
	/* A driver chooses how many pairs it uses. */
	if (index >= 2 && vhu_check_counts_pairs(state))
		return false;
	/* SET_VRING_ENABLE disabled it, and no reset. */
	return !vring->enabled.by || vring->disabled.by > vring->enabled.by;
}

/* Report a running vring that was never enabled. */
static void report_never_enabled(struct vhu_check_context *check, unsigned index)
{
	const struct vhu_vring *vring = &check->state->vring[index];
	const uint64_t reset = vring->enabled.by ? vring->disabled.by : 0;
	char since[64] = "";

	if (!vhu_report_first(check, VHU_RULE_AT_323))
		return;
	if (reset)
		snprintf(since, sizeof(since), " since message %" PRIu64 " reset the device",
			 reset);
	vhu_report(check, VHU_RULE_AT_323, vring->started.by,
		   "vring %u was started by message %" PRIu64 " and never enabled%s, and message "
		   "%" PRIu64 " acked bit 30: the back-end must not serve it, and the device hangs",
		   index, vring->started.by, since, check->state->features.acked.by);
}

/* Report the first vring that has run for long and was never enabled. */
static void check_enabled(struct vhu_check_context *check)
{
	for (unsigned i = 0; i < check->state->vrings; i++)
		if (lacks_enable(check, i) &&
		    vhu_check_since(check, check->state->vring[i].start_ns) >= LATER_NS) {
			report_never_enabled(check, i);
			return;
		}
}

/* Report that a vring's first kick may be lost. */
static void report_kick_lost(struct vhu_check_context *check, unsigned index)
{
	struct vhu_state *state = check->state;
	const struct vhu_vring *vring = &state->vring[index];

	/* In the middle of a session REPLY_ACK may have been negotiated before. */
	if ((check->whole || state->context.has_protocol_features) &&
	    vhu_report_first(check, VHU_RULE_AT_302))
		vhu_report(check, VHU_RULE_AT_302, vring->started.by,
			   "message %" PRIu64 " set the kick of vring %u, message %" PRIu64
			   " enabled the vring, and the back-end answered nothing since: it may "
			   "have dropped a first kick that came in between",
			   vring->started.by, index, vring->enabled.by);
	for (unsigned i = 0; i < state->vrings; i++)
		state->vring[i].kick_may_be_lost |= state->vring[i].enabled_unacknowledged;
	vhu_state_acknowledged(state, UINT64_MAX);
}

/* Look for vrings that were enabled without an acknowledgement long enough ago to matter, or that
 * are stopped. */
static void check_acknowledged(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const int at = check->record ? vhu_check_message(check) : -1;

	for (unsigned i = 0; i < state->vrings && state->enabled_unacknowledged; i++) {
		const struct vhu_vring *vring = &state->vring[i];
		bool stops = check->note->vring == (int)i && (at == VHU_REQUEST(GET_VRING_BASE) ||
							      at == VHU_REQUEST(SET_VRING_ENABLE));

		if (vring->enabled_unacknowledged &&
		    (stops || vhu_check_since(check, vring->enabled_ns) >= VHU_MOMENT_NS))
			report_kick_lost(check, i);
	}
}

/* Return whether a vring that may have lost its first kick was kicked and never called since. */
static bool is_unanswered(const struct vhu_vring *vring)
{
	return vring->kick_may_be_lost && vring->kicked_by && !vring->called;
}

/* Report a vring whose first kick led to nothing. */
static void report_unanswered(struct vhu_check_context *check, unsigned index)
{
	const struct vhu_vring *vring = &check->state->vring[index];

	vhu_report(check, VHU_RULE_AT_332, vring->kicked_by,
		   "the first kick of vring %u, record %" PRIu64
		   ", led to nothing: message %" PRIu64 " set the kick, message %" PRIu64
		   " enabled the vring, and the back-end dropped what came in between",
		   index, vring->kicked_by, vring->started.by, vring->enabled_since.by);
}

/* Look at where a vring stopped that may have lost its first kick. */
static void check_stopped_at(struct vhu_check_context *check, unsigned index)
{
	const struct vhu_vring *vring = &check->state->vring[index];

	if (is_unanswered(vring) && vring->base.by &&
	    (uint16_t)vring->base.value == (uint16_t)vhu_get(check, VHU_FIELD_vring_index_num))
		report_unanswered(check, index);
}

/* Return how many vrings run and are enabled. */
static unsigned count_served(const struct vhu_state *state)
{
	unsigned served = 0;

	for (unsigned i = 0; i < state->vrings; i++)
		served += state->vring[i].started.value && state->vring[i].enabled.value;
	return served;
}

/* Return whether the front-end stops a vring by disabling it first: it did so in an earlier run. A
 * network device's are disabled for other reasons, too. */
static bool disables_first(const struct vhu_state *state, const struct vhu_vring *vring)
{
	return !vhu_check_counts_pairs(state) && vring->disabled.by &&
	       vring->disabled.by < vring->stopped_before.by;
}

/* Return whether a message disables vring @index, so that the front-end begins to stop it only now.
 * A network device's is disabled for other reasons, too. */
static bool disables(const struct vhu_check_context *check, unsigned index)
{
	return !vhu_check_counts_pairs(check->state) && check->note->vring == (int)index &&
	       check->record && vhu_check_message(check) == VHU_REQUEST(SET_VRING_ENABLE) &&
	       vhu_get(check, VHU_FIELD_vring_enable_enable) == 0;
}

/* Look for vrings that GET_VRING_BASE stopped while they were in use, and that were left so. */
static void check_alone(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	const unsigned served = count_served(state);

	if (vhu_check_since(check, state->stopped.value) < LATER_NS)
		return;
	for (unsigned i = 0; i < state->vrings; i++) {
		struct vhu_vring *vring = &state->vring[i];
		char others[64] = "";

		if (!vring->stopped_in_use || vring->base_got.by < vring->stopped.by ||
		    !(served || disables_first(state, vring) || disables(check, i)))
			continue;
		vring->stopped_in_use = false;
		state->stopped_in_use--;
		if (served)
			snprintf(others, sizeof(others), ", while %u other%s on", served,
				 served > 1 ? "s run" : " runs");
		vhu_report(check, VHU_RULE_AT_329, vring->stopped.by,
			   "message %" PRIu64
			   ", %s without SET_VRING_ENABLE 0 before it, stopped vring %u%s, and "
			   "nothing started it again: a debugging command did that (QMP "
			   "x-query-virtio-queue-status); QMP stop and cont start it again",
			   vring->stopped.by, vhu_messages[VHU_MSG_GET_VRING_BASE].name, i, others);
	}
}

void vhu_rules_idle(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	const int vring = check->note->vring;
	const bool known = vring >= 0 && (unsigned)vring < state->vrings;

	if (check->record->channel != VHU_FRONT_END)
		return;
	if (check->note->reply) {
		/* Messages are processed in order: those before this request were processed, too.
		 */
		if (state->enabled_unacknowledged)
			vhu_state_acknowledged(state, check->request.number);
		if (known && vhu_check_message(check) == VHU_REPLY_TO(GET_VRING_BASE))
			check_stopped_at(check, (unsigned)vring);
		return;
	}
	if (state->enabled_unacknowledged)
		check_acknowledged(check);
	if (known && vhu_check_message(check) == VHU_REQUEST(GET_VRING_BASE) &&
	    lacks_enable(check, (unsigned)vring))
		report_never_enabled(check, (unsigned)vring);
	if (state->started_disabled_ns &&
	    vhu_check_since(check, state->started_disabled_ns) >= LATER_NS) {
		check_enabled(check);
		state->started_disabled_ns = 0;
	}
	if (state->stopped_in_use)
		check_alone(check);
}

void vhu_rules_idle_end(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;

	check_acknowledged(check);
	check_enabled(check);
	if (state->stopped_in_use)
		check_alone(check);
	for (unsigned i = 0; i < state->vrings; i++)
		if (state->vring[i].started.value && is_unanswered(&state->vring[i]) &&
		    vhu_check_since(check, state->vring[i].kicked_ns) >= LATER_NS)
			report_unanswered(check, i);
}
