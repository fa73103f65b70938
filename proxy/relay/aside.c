/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of a relay that were set aside. */
#include "proxy/relay/aside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/relay/internal.h"
#include "proxy/relay/plan.h"

/* Return whether as many messages were set aside as may be. */
static bool aside_is_full(const struct vhu_relay *relay)
{
	unsigned asides = 0;

	for (const struct vhu_relay_aside *aside = relay->aside; aside; aside = aside->next)
		asides++;
	return asides >= VHU_RELAY_ASIDES_MAX;
}

/* Put @aside at the end of those that were set aside. */
static void relay_append(struct vhu_relay *relay, struct vhu_relay_aside *aside)
{
	struct vhu_relay_aside **end = &relay->aside;

	while (*end)
		end = &(*end)->next;
	*end = aside;
}

bool vhu_relay_set_aside(struct vhu_relay *relay)
{
	struct vhu_relay_aside *aside;
	uint8_t *buffer;

	if (aside_is_full(relay))
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

/* Take @aside back as the message that is due. No other message may be due. */
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
}

void vhu_relay_aside_take(struct vhu_relay *relay)
{
	struct vhu_relay_aside **at = &relay->aside, *aside;

	/* Once the sender has closed there is nothing to wait for. */
	while (*at && (*at)->plan->behind && !relay->end)
		at = &(*at)->next;
	aside = *at;
	if (!aside)
		return;
	*at = aside->next;
	aside->plan->behind = 0;
	relay_take_back(relay, aside);
}

bool vhu_relay_aside_first(struct vhu_relay *relay)
{
	struct vhu_relay_aside *aside = relay->aside;

	if (!aside)
		return false;
	relay->aside = aside->next;
	relay_take_back(relay, aside);
	return true;
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

	if (aside_is_full(relay))
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

void vhu_relay_aside_free(struct vhu_relay *relay)
{
	struct vhu_relay_aside *aside;

	while ((aside = relay->aside)) {
		relay->aside = aside->next;
		for (unsigned i = 0; i < aside->fds; i++)
			close(aside->fd[i]);
		vhu_relay_plan_free(aside->plan);
		free(aside->fd);
		free(aside->buffer);
		free(aside);
	}
}
