/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifiers: what came, for people and for programs. */
#include <inttypes.h>

#include "lib/protocol/line.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "proxy/core/fdinfo.h"
#include "proxy/core/loop.h"
#include "proxy/eventfd/interposer.h"

/* Add how many signals of a kind there were, and what became of them. */
static void ring_add(struct vhu_line *line, const struct vhu_interposer_count *count,
		     const char *thing)
{
	vhu_line_printf(line, "%" PRIu64 " %s%s", count->signals, thing,
			count->signals == 1 ? "" : "s");
	if (count->lost)
		vhu_line_printf(line, ", %" PRIu64 " of them lost", count->lost);
	if (count->delayed)
		vhu_line_printf(line, ", %" PRIu64 " of them delayed", count->delayed);
	if (count->repeated)
		vhu_line_printf(line, ", %" PRIu64 " of them repeated", count->repeated);
	if (count->sent)
		vhu_line_printf(line, ", %" PRIu64 " of them sent on request", count->sent);
}

int vhu_interposer_vring_text(const struct vhu_interposer_vring *ring, char *to, size_t size)
{
	struct vhu_line line = vhu_line_in(to, size);
	char half[VHU_DURATION_TEXT_SIZE], most[VHU_DURATION_TEXT_SIZE];

	vhu_line_printf(&line, "vring %" PRIu32 ": ", ring->vring);
	ring_add(&line, &ring->count[VHU_KICK], "kick");
	vhu_line_add(&line, "; ");
	ring_add(&line, &ring->count[VHU_CALL], "call");
	if (ring->calls_without_kick)
		vhu_line_printf(&line, ", %" PRIu64 " without a kick", ring->calls_without_kick);
	if (ring->count[VHU_ERR].signals) {
		vhu_line_add(&line, "; ");
		ring_add(&line, &ring->count[VHU_ERR], "error");
	}
	if (ring->kick_to_call.count)
		vhu_line_printf(
		    &line, "; kick to call 50%% %s, 99%% %s",
		    vhu_duration_text(vhu_histogram_quantile(&ring->kick_to_call, 500), half),
		    vhu_duration_text(vhu_histogram_quantile(&ring->kick_to_call, 990), most));
	if (ring->turns.open)
		vhu_line_printf(&line, "; %" PRIu64 " kick%s since %s had no call",
				ring->turns.open, ring->turns.open == 1 ? "" : "s",
				vhu_duration_text(vhu_now_ns() - ring->turns.open_ns, half));
	return (int)line.length;
}

/* Write which eventfds the two sides have. */
static void put_eventfds(struct vhu_json *json, const struct vhu_eventfd_relay *relay)
{
	char name[VHU_FDINFO_NAME];
	struct vhu_fd_info info;

	if (!relay)
		return;
	vhu_json_unsigned(json, "front_end_eventfd_id", relay->id);
	vhu_fdinfo_read(relay->inner, &info, name);
	if (info.has & VHU_FD_HAS_EVENTFD)
		vhu_json_unsigned(json, "back_end_eventfd_id", info.eventfd_id);
}

/* Write what came of one kind on a vring. */
static void put_count(struct vhu_json *json, const char *key,
		      const struct vhu_interposer_vring *ring, enum vhu_vring_role role)
{
	const struct vhu_interposer_count *count = &ring->count[role];

	vhu_json_object(json, key);
	vhu_json_unsigned(json, "signals", count->signals);
	vhu_json_unsigned(json, "lost", count->lost);
	vhu_json_unsigned(json, "delayed", count->delayed);
	vhu_json_unsigned(json, "repeated", count->repeated);
	vhu_json_unsigned(json, "sent", count->sent);
	vhu_json_bool(json, "last_lost", ring->lost_by[role] != 0);
	put_eventfds(json, ring->wire[role]);
	vhu_json_object_end(json);
}

/* Write what came on a vring. */
static void put_ring(struct vhu_json *json, const struct vhu_interposer_vring *ring)
{
	vhu_json_object(json, NULL);
	vhu_json_unsigned(json, "vring", ring->vring);
	put_count(json, "kick", ring, VHU_KICK);
	put_count(json, "call", ring, VHU_CALL);
	put_count(json, "err", ring, VHU_ERR);
	vhu_json_unsigned(json, "calls_without_kick", ring->calls_without_kick);
	if (ring->kick_to_call.count) {
		vhu_histogram_times_json(json, "kick_to_call", &ring->kick_to_call);
		vhu_histogram_buckets_json(json, "kick_to_call_buckets", &ring->kick_to_call);
	}
	vhu_json_unsigned(json, "kicks_in_turn", vhu_turns_in_turn(&ring->turns));
	if (ring->turns.open) {
		vhu_json_unsigned(json, "kicks_without_call", ring->turns.open);
		vhu_json_unsigned(json, "for_ns", vhu_now_ns() - ring->turns.open_ns);
	}
	vhu_json_object_end(json);
}

void vhu_interposer_json(struct vhu_json *json, const char *key,
			 const struct vhu_interposer *interposer)
{
	vhu_json_array(json, key);
	for (unsigned i = 0; i < VHU_EVENTFD_VRINGS; i++) {
		if (interposer->ring[i])
			put_ring(json, interposer->ring[i]);
	}
	vhu_json_array_end(json);
}
