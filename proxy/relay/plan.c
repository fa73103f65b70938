/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a relay does to a message that is altered; relay.h has its theory of operation. */
#include "proxy/relay/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "proxy/relay/aside.h"
#include "proxy/relay/internal.h"

struct vhu_relay_plan *vhu_relay_plan_of(struct vhu_relay *relay)
{
	if (!relay->plan) {
		relay->plan = calloc(1, sizeof(*relay->plan));
		if (relay->plan)
			relay->plan->relay = relay;
	}
	return relay->plan;
}

/* Let go of the message without sending it: record it as dropped, and forget it. */
static void relay_drop(struct vhu_relay *relay)
{
	vhu_relay_received(relay,
			   VHU_MARK_DROPPED | (vhu_relay_whole(relay) ? 0 : VHU_MARK_PARTIAL));
	vhu_relay_drop_fds(relay, relay->fds);
	relay->groups = 0;
	vhu_relay_reset(relay);
}

void vhu_relay_let_go(struct vhu_relay *relay)
{
	if (!relay->plan || !relay->plan->hold)
		return;
	relay->plan->hold = false;
	vhu_faults_unhold(&relay->plan->held);
	if (relay->wants != VHU_RELAY_HELD)
		return;
	vhu_loop_unset(&relay->timer);
	relay->wants = VHU_RELAY_PAUSE;
	relay->owner->run(relay);
}

void vhu_relay_hurry(struct vhu_relay *relay)
{
	for (struct vhu_relay_aside *aside = relay->aside; aside; aside = aside->next)
		aside->plan->behind = 0;
	if (!relay->plan)
		return;
	vhu_faults_unhold(&relay->plan->held);
	relay->plan->hold = false;
	relay->plan->delay_ns = relay->plan->pause_ns = 0;
	if (relay->wants == VHU_RELAY_HELD || relay->wants == VHU_RELAY_PAUSE) {
		vhu_loop_unset(&relay->timer);
		relay->wants = VHU_RELAY_READ;
	}
}

void vhu_relay_give_up(struct vhu_relay *relay)
{
	/* What was recorded is known as sent, if not as delivered. */
	if (relay->plan && !relay->recorded && !relay->sent) {
		/* What faults are for waits until all of it has come. */
		if (!relay->plan->text[0])
			snprintf(relay->plan->text, sizeof(relay->plan->text),
				 "not passed on: the session ended first");
		relay_drop(relay);
	}
	while (!relay->got && vhu_relay_aside_first(relay))
		relay_drop(relay);
	vhu_relay_aside_free(relay);
}

/* Tell in the plan's text how long the message was held. */
static void relay_tell_held(struct vhu_relay_plan *plan)
{
	const size_t length = strlen(plan->text);
	char time[VHU_DURATION_TEXT_SIZE];

	snprintf(plan->text + length, sizeof(plan->text) - length, "; let go after %s",
		 vhu_duration_text(vhu_now_ns() - plan->held_ns, time));
	plan->held_ns = 0;
}

enum vhu_relay_step vhu_relay_proceed(struct vhu_relay *relay)
{
	struct vhu_relay_plan *plan;

	if (!relay->decided) {
		relay->decided = true;
		/* What is left of a sender that has closed is no message. */
		if (vhu_relay_whole(relay) || !relay->end)
			relay->owner->alters(relay);
	}
	plan = relay->plan;
	if (!plan || relay->sent || plan->copied)
		return VHU_RELAY_SEND;
	if (plan->delay_ns) {
		vhu_loop_set(relay->loop, &relay->timer, plan->delay_ns);
		plan->delay_ns = 0;
		relay->wants = VHU_RELAY_PAUSE;
		return VHU_RELAY_WAIT;
	}
	if (plan->hold) {
		if (plan->hold_ns)
			vhu_loop_set(relay->loop, &relay->timer, plan->hold_ns);
		plan->held_ns = vhu_now_ns();
		relay->wants = VHU_RELAY_HELD;
		return VHU_RELAY_WAIT;
	}
	if (plan->held_ns)
		relay_tell_held(plan);
	if (plan->cut_before)
		relay->cut_by = plan->fault;
	if (plan->drop || plan->cut_before) {
		const bool cut = plan->cut_before;

		relay->owner->dropped(relay);
		relay_drop(relay);
		if (!cut)
			return VHU_RELAY_GONE;
		vhu_relay_ended(relay, VHU_RELAY_CUT, 0);
		return VHU_RELAY_CUT_OFF;
	}
	if (plan->behind && vhu_relay_set_aside(relay))
		return VHU_RELAY_GONE;
	plan->behind = 0;
	return VHU_RELAY_SEND;
}

uint64_t vhu_relay_piece_end(const struct vhu_relay *relay, uint64_t end)
{
	const struct vhu_relay_plan *plan = relay->plan;

	if (!plan || plan->piece_next >= plan->pieces || plan->piece[plan->piece_next] >= end)
		return end;
	return plan->piece[plan->piece_next];
}

bool vhu_relay_piece_waits(struct vhu_relay *relay)
{
	struct vhu_relay_plan *plan = relay->plan;

	if (!plan || plan->piece_next >= plan->pieces ||
	    relay->sent < plan->piece[plan->piece_next])
		return false;
	plan->piece_next++;
	if (!plan->pause_ns || relay->sent == relay->got)
		return false;
	vhu_loop_set(relay->loop, &relay->timer, plan->pause_ns);
	relay->wants = VHU_RELAY_PAUSE;
	return true;
}

bool vhu_relay_again(struct vhu_relay *relay)
{
	struct vhu_relay_plan *plan = relay->plan;

	if (!plan || !plan->copies)
		return false;
	plan->copies--;
	plan->copied++;
	plan->piece_next = 0;
	snprintf(plan->text, sizeof(plan->text), "fault %u: copy %u of %u", plan->fault,
		 plan->copied, plan->copied + plan->copies);
	relay->sent = 0;
	relay->kept = relay->recorded = false;
	relay->described = 0;
	return true;
}
