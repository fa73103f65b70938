/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state of a session says of a vring. */
#include "lib/ringwatch/session.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/util/util.h"

struct vhu_ring_session vhu_ringwatch_session(const struct vhu_state *state,
					      const struct vhu_vring *vring,
					      enum vhu_message_id stopped,
					      enum vhu_message_id disabled)
{
	/* Of a session that began earlier, what no message said is not known: then it runs. */
	const bool start_unseen = state->begun_before && !vring->started.by && !vring->stopped.by;
	const bool enable_unseen = state->begun_before && !vring->enabled.by;
	const bool started = vring->started.value || start_unseen;
	const bool enabled = vring->enabled.value || enable_unseen;
	/* Kicks that come as messages are no eventfds either. */
	const bool in_band = state->context.protocol_features >> VHU_PF_INBAND_NOTIFICATIONS & 1;

	return (struct vhu_ring_session){
	    .known = !start_unseen && !enable_unseen,
	    .started = started,
	    .enabled = enabled,
	    .polled = vring->fd[VHU_KICK].number && vring->fd[VHU_KICK].polling && !in_band,
	    .base_by = vring->base.by,
	    .base = (uint32_t)vring->base.value,
	    .stopped_by = !started   ? vring->stopped.by
			  : !enabled ? vring->enabled.by
				     : 0,
	    .stopped_message = started ? disabled : stopped,
	};
}

struct vhu_ring_place vhu_ringwatch_place(const struct vhu_state *state,
					  const struct vhu_vring *vring)
{
	return (struct vhu_ring_place){
	    .features = state->context.features,
	    .size = (uint32_t)vring->size.value,
	    .descriptor = vring->descriptor.value,
	    .available = vring->available.value,
	    .used = vring->used.value,
	    .big_endian = vring->endian.by && vring->endian.value,
	};
}

int vhu_ringwatch_translations(const struct vhu_state *state, struct vhu_ring_translation **to,
			       unsigned *count)
{
	*count = state->translations;
	*to = *count ? calloc(*count, sizeof(**to)) : NULL;
	if (*count && !*to)
		return -ENOMEM;
	for (unsigned i = 0; i < *count; i++)
		(*to)[i] = (struct vhu_ring_translation){state->translation[i].iova,
							 state->translation[i].user,
							 state->translation[i].size};
	return 0;
}

struct vhu_ring_pending vhu_ringwatch_pending(const struct vhu_state *state, bool withheld)
{
	const uint64_t now = vhu_realtime_ns();

	for (enum vhu_channel channel = VHU_FRONT_END; channel <= VHU_BACK_END; channel++) {
		const struct vhu_pending_queue *queue = &state->channel[channel].pending;

		for (unsigned i = 0; i < queue->count; i++) {
			const struct vhu_pending *pending = vhu_pending_at(queue, i);

			if (!pending->due || pending->passed_by || (pending->withheld && !withheld))
				continue;
			return (struct vhu_ring_pending){
			    .number = pending->number,
			    .message = pending->message
					   ? (enum vhu_message_id)(pending->message - vhu_messages)
					   : VHU_MESSAGES,
			    .age_ns = now > pending->time_ns ? now - pending->time_ns : 0,
			    .from_back_end = channel == VHU_BACK_END,
			};
		}
	}
	return (struct vhu_ring_pending){0};
}
