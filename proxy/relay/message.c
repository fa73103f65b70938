/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The message that a relay is about: its bytes, its size, its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/relay/internal.h"
#include "proxy/relay/plan.h"

/* Until what failed for lack of kernel memory or of room for descriptors in flight is tried again.
 */
#define RELAY_PAUSE_NS 10000000u

void vhu_relay_plan_free(struct vhu_relay_plan *plan)
{
	if (plan)
		vhu_faults_unhold(&plan->held);
	free(plan);
}

void vhu_relay_reset(struct vhu_relay *relay)
{
	if (relay->room > VHU_RELAY_SMALL && relay->size <= VHU_RELAY_SMALL) {
		uint8_t *small = realloc(relay->buffer, VHU_RELAY_SMALL);

		if (small) {
			relay->buffer = small;
			relay->room = VHU_RELAY_SMALL;
		}
	}
	if (relay->room_described > VHU_RELAY_FEW_FDS)
		vhu_relay_free_descriptions(relay);
	relay->size = relay->got = relay->sent = 0;
	relay->window = VHU_RELAY_KEEP;
	relay->flush = relay->broken = relay->asked = relay->recorded = false;
	relay->spoken = relay->decided = relay->kept = false;
	relay->all_fds = relay->described = relay->added = 0;
	if (relay->plan) {
		vhu_relay_plan_free(relay->plan);
		relay->plan = NULL;
	}
	relay->record.marks = 0;
	relay->record.segments = 0;
}

uint8_t *vhu_relay_byte(const struct vhu_relay *relay, uint64_t at)
{
	return at < VHU_RELAY_KEEP ? relay->buffer + at
				   : relay->buffer + VHU_RELAY_KEEP + (at - relay->window);
}

bool vhu_relay_whole(const struct vhu_relay *relay)
{
	return relay->size && relay->got == relay->size;
}

int vhu_relay_fit(struct vhu_relay *relay)
{
	size_t room =
	    relay->size <= VHU_RELAY_KEEP ? (size_t)relay->size : VHU_RELAY_KEEP + VHU_RELAY_WINDOW;
	uint8_t *buffer;

	if (room <= relay->room)
		return 0;
	buffer = realloc(relay->buffer, room);
	if (!buffer)
		return -ENOMEM;
	relay->buffer = buffer;
	relay->room = room;
	return 0;
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

void vhu_relay_segment(struct vhu_relay *relay, uint32_t size)
{
	struct vhu_record *record = &relay->record;
	uint32_t *last;

	if (!record->segments || (relay->broken && record->segments < VHU_RECORD_SEGMENTS_MAX))
		record->segment[record->segments++] = 0;
	relay->broken = false;
	last = &record->segment[record->segments - 1];
	*last = size > UINT32_MAX - *last ? UINT32_MAX : *last + size;
}

enum vhu_relay_wants vhu_relay_ended(struct vhu_relay *relay, enum vhu_relay_end end, int error)
{
	vhu_loop_unset(&relay->timer);
	relay->end = end;
	relay->error = error;
	return relay->wants = VHU_RELAY_ENDED;
}

enum vhu_relay_wants vhu_relay_pause(struct vhu_relay *relay)
{
	vhu_loop_set(relay->loop, &relay->timer, RELAY_PAUSE_NS);
	return relay->wants = VHU_RELAY_PAUSE;
}
