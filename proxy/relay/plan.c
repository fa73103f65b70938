/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a relay does to a message that is altered; relay.h has its theory of operation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"
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

/* Free @plan. */
static void plan_free(struct vhu_relay_plan *plan)
{
	if (plan)
		vhu_faults_unhold(&plan->held);
	free(plan);
}

void vhu_relay_plan_free(struct vhu_relay *relay)
{
	plan_free(relay->plan);
	relay->plan = NULL;
}

int vhu_relay_resize(struct vhu_relay *relay, uint32_t size)
{
	const uint64_t whole = VHU_HEADER_SIZE + (uint64_t)size;

	if (whole > VHU_RELAY_KEEP)
		return -ENOMEM;
	if (whole > relay->room) {
		uint8_t *buffer = realloc(relay->buffer, whole);

		if (!buffer)
			return -ENOMEM;
		relay->buffer = buffer;
		relay->room = whole;
	}
	if (whole > relay->got)
		memset(relay->buffer + relay->got, 0, whole - relay->got);
	relay->size = relay->got = whole;
	return 0;
}

void vhu_relay_truncate(struct vhu_relay *relay, uint64_t size)
{
	if (size < relay->got)
		relay->size = relay->got = size;
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

/* Put @aside at the end of those that were set aside. */
static void relay_append(struct vhu_relay *relay, struct vhu_relay_aside *aside)
{
	struct vhu_relay_aside **end = &relay->aside;

	while (*end)
		end = &(*end)->next;
	*end = aside;
	relay->asides++;
}

/* Set the message aside that is due. Returns whether there was room for that. */
static bool relay_set_aside(struct vhu_relay *relay)
{
	struct vhu_relay_aside *aside;
	uint8_t *buffer;

	if (relay->asides >= VHU_RELAY_ASIDES_MAX)
		return false;
	aside = calloc(1, sizeof(*aside));
	buffer = malloc(VHU_RELAY_SMALL);
	if (aside)
		aside->fd = malloc((relay->fds ? relay->fds : 1) * sizeof(aside->fd[0]));
	if (!aside || !buffer || !aside->fd) {
		if (aside)
			free(aside->fd);
		free(aside);
		free(buffer);
		return false;
	}
	aside->header = relay->header;
	aside->buffer = relay->buffer;
	aside->room = relay->room;
	aside->size = relay->size;
	aside->segment = relay->record.segments ? relay->record.segment[0] : 0;
	memcpy(aside->fd, relay->fd, relay->fds * sizeof(aside->fd[0]));
	aside->fds = relay->fds;
	aside->added = relay->added;
	aside->plan = relay->plan;
	relay->buffer = buffer;
	relay->room = VHU_RELAY_SMALL;
	relay->plan = NULL;
	relay->fds = relay->groups = 0;
	vhu_relay_reset(relay);
	relay_append(relay, aside);
	return true;
}

/* Take @aside back as the message that is due; there is none. */
static void relay_take_back(struct vhu_relay *relay, struct vhu_relay_aside *aside)
{
	free(relay->buffer);
	relay->buffer = aside->buffer;
	relay->room = aside->room;
	relay->header = aside->header;
	relay->size = relay->got = aside->size;
	relay->fds = relay->all_fds = aside->fds;
	relay->added = aside->added;
	memcpy(relay->fd, aside->fd, aside->fds * sizeof(aside->fd[0]));
	relay->groups = aside->fds ? 1 : 0;
	relay->group[0] = (struct vhu_relay_group){.at = 0, .fds = aside->fds};
	relay->plan = aside->plan;
	relay->spoken = relay->decided = true;
	if (aside->segment) {
		relay->record.segments = 1;
		relay->record.segment[0] = aside->segment;
	}
	free(aside->fd);
	free(aside);
	relay->asides--;
}

void vhu_relay_aside_take(struct vhu_relay *relay)
{
	struct vhu_relay_aside **at = &relay->aside, *aside;

	/* Once the sender has closed nobody else is to be waited for. */
	while (*at && (*at)->plan->behind && !relay->end)
		at = &(*at)->next;
	aside = *at;
	if (!aside)
		return;
	*at = aside->next;
	aside->plan->behind = 0;
	relay_take_back(relay, aside);
}

void vhu_relay_aside_count(struct vhu_relay *relay)
{
	for (struct vhu_relay_aside *aside = relay->aside; aside; aside = aside->next)
		if (aside->plan->behind)
			aside->plan->behind--;
}

int vhu_relay_insert(struct vhu_relay *relay, const uint8_t *bytes, uint32_t size, const char *text)
{
	struct vhu_relay_aside *aside;

	if (relay->asides >= VHU_RELAY_ASIDES_MAX)
		return -ENOSPC;
	aside = calloc(1, sizeof(*aside));
	if (!aside)
		return -ENOMEM;
	aside->room = size > VHU_RELAY_SMALL ? size : VHU_RELAY_SMALL;
	aside->buffer = malloc(aside->room);
	aside->fd = malloc(sizeof(aside->fd[0]));
	aside->plan = calloc(1, sizeof(*aside->plan));
	if (!aside->buffer || !aside->fd || !aside->plan) {
		free(aside->buffer);
		free(aside->fd);
		free(aside->plan);
		free(aside);
		return -ENOMEM;
	}
	memcpy(aside->buffer, bytes, size);
	memcpy(&aside->header, bytes, sizeof(aside->header));
	aside->size = size;
	aside->plan->relay = relay;
	snprintf(aside->plan->text, sizeof(aside->plan->text), "%s", text);
	relay_append(relay, aside);
	return 0;
}

bool vhu_relay_ready(const struct vhu_relay *relay)
{
	if (relay->wants != VHU_RELAY_READ || relay->got)
		return false;
	for (const struct vhu_relay_aside *aside = relay->aside; aside; aside = aside->next)
		if (!aside->plan->behind)
			return true;
	return false;
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
	struct vhu_relay_aside *aside;

	/* What was recorded is known as sent, if not as delivered. */
	if (relay->plan && !relay->recorded && !relay->sent) {
		/* What faults are for waits until all of it has come. */
		if (!relay->plan->text[0])
			snprintf(relay->plan->text, sizeof(relay->plan->text),
				 "not passed on: the session ended first");
		relay_drop(relay);
	}
	while (!relay->got && (aside = relay->aside)) {
		relay->aside = aside->next;
		relay_take_back(relay, aside);
		relay_drop(relay);
	}
	while ((aside = relay->aside)) {
		relay->aside = aside->next;
		for (unsigned i = 0; i < aside->fds; i++)
			close(aside->fd[i]);
		plan_free(aside->plan);
		free(aside->fd);
		free(aside->buffer);
		free(aside);
		relay->asides--;
	}
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
	if (plan->behind && relay_set_aside(relay))
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
	snprintf(plan->text, sizeof(plan->text), "rule %u: copy %u of %u", plan->fault,
		 plan->copied, plan->copied + plan->copies);
	relay->sent = 0;
	relay->kept = relay->recorded = false;
	relay->described = 0;
	return true;
}
