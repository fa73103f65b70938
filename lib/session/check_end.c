/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about how a session ends, and its last words. */
#include <inttypes.h>
#include <string.h>

#include "lib/protocol/line.h"
#include "lib/protocol/text.h"
#include "lib/session/internal.h"

/* A request that was open for longer than this when the session ended was not cut off by the end. */
#define HUNG_NS UINT64_C(1000000000)

static const char *const side_name[2] = {"front-end", "back-end"};

/* Return a message's name for a text. */
static const char *name_of(const struct vhu_message *message)
{
	return message ? message->name : "a message of unknown id";
}

/* Return how many milliseconds passed between two times. */
static uint64_t ms_between(uint64_t from, uint64_t to)
{
	return to > from ? (to - from) / 1000000 : 0;
}

/* Return the side that a record says closed first: 0 the front-end, 1 the back-end, -1 neither. */
static int who_closed(const struct vhu_record *record)
{
	for (int side = 0; side < 2; side++)
		if (record->text && !strncmp(record->text, side_name[side], strlen(side_name[side])))
			return side;
	return -1;
}

/* Report requests that were never answered. @by: who closed, as text; NULL: nobody did. */
static void check_unanswered(struct vhu_look *look, const char *by)
{
	const struct vhu_state *state = look->state;

	for (unsigned c = 0; c < VHU_CHANNELS; c++) {
		const struct vhu_channel_state *channel = &state->channel[c];

		for (unsigned i = 0; i < channel->count; i++) {
			const struct vhu_pending *pending = &channel->pending[i];
			uint64_t ns = state->last_ns > pending->time_ns
					      ? state->last_ns - pending->time_ns
					      : 0;

			if (ns >= HUNG_NS)
				vhu_report(look, VHU_RULE_AT_402, pending->number,
					   "%s, message %" PRIu64 ", was not answered in %" PRIu64 " ms%s%s",
					   name_of(pending->message), pending->number, ns / 1000000,
					   by ? ", then " : "", by ? by : "");
			else if (by)
				vhu_report(look, VHU_RULE_AT_411, pending->number,
					   "%s while %s, message %" PRIu64 ", was to be answered", by,
					   name_of(pending->message), pending->number);
		}
	}
}

/* Report a back-end that closed right after a message that wants no answer. */
static void check_moment(struct vhu_look *look)
{
	const struct vhu_channel_state *channel = &look->state->channel[VHU_FRONT_END];
	uint64_t ns = look->record->time_ns - channel->last_ns[0];

	if (channel->count || channel->last_is_reply[0] ||
	    channel->last_number[0] < channel->last_number[1] || !channel->last_number[0] ||
	    ns > VHU_MOMENT_NS)
		return;
	vhu_report(look, VHU_RULE_AT_411, channel->last_number[0],
		   "the back-end closed %" PRIu64 " us after %s, message %" PRIu64, ns / 1000,
		   name_of(channel->last[0]), channel->last_number[0]);
}

/* Report a front-end that left over what it was offered. */
static void check_offer(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	const struct vhu_channel_state *channel = &state->channel[VHU_FRONT_END];
	uint64_t offer = channel->last_number[1];
	char names[160];

	if (!offer || channel->last_number[0] > offer)
		return;
	if (offer == state->protocol_features.offered_by)
		vhu_bits_text(VHU_NAMES_protocol_features, state->protocol_features.offered,
			      &state->context, names, sizeof(names));
	else if (offer == state->features.offered_by)
		vhu_bits_text(VHU_NAMES_virtio_features, state->features.offered, &state->context,
			      names, sizeof(names));
	else
		return;
	vhu_report(look, VHU_RULE_AT_209, offer, "the front-end closed right after the offer of %s",
		   names);
}

void vhu_check_end(struct vhu_look *look, bool closed)
{
	const struct vhu_state *state = look->state;
	int side = closed ? who_closed(look->record) : -1;

	check_unanswered(look, !closed	  ? NULL
			       : side < 0 ? "the session was closed"
			       : side     ? "the back-end closed"
					  : "the front-end closed");
	if (side == 1)
		check_moment(look);
	if (side == 0 && look->whole)
		check_offer(look);
	if (state->iotlb_misses && !(closed && side < 0))
		vhu_report(look, VHU_RULE_AT_612, state->iotlb_miss_by,
			   "%u IOTLB miss%s not answered by an update, the last is message %" PRIu64,
			   state->iotlb_misses, state->iotlb_misses > 1 ? "es were" : " was",
			   state->iotlb_miss_by);
	if (look->whole && state->first_kick_ns && !state->inflight_by &&
	    vhu_taken(look, VHU_PF_INFLIGHT_SHMFD))
		vhu_report(look, VHU_RULE_AT_511, state->protocol_features.taken_by,
			   "INFLIGHT_SHMFD was negotiated and no inflight area was set");
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring_fd *call = &state->vring[i].fd[VHU_CALL];

		if (state->vring[i].started && call->replaced)
			vhu_report(look, VHU_RULE_AT_304, call->number,
				   "the call descriptor of vring %u was replaced %u time%s while it ran", i,
				   call->replaced, call->replaced > 1 ? "s" : "");
	}
}

int vhu_state_last_words(const struct vhu_state *state, char *to, size_t size)
{
	const struct vhu_channel_state *channel = &state->channel[VHU_FRONT_END];
	struct vhu_line line = vhu_line_in(to, size);

	for (unsigned c = 0; c < VHU_CHANNELS; c++) {
		for (unsigned i = 0; i < state->channel[c].count; i++) {
			const struct vhu_pending *pending = &state->channel[c].pending[i];

			vhu_line_printf(&line, "%s%s (message %" PRIu64 ") unanswered for %" PRIu64 " ms",
					line.length ? ", " : "", name_of(pending->message),
					pending->number, ms_between(pending->time_ns, state->last_ns));
		}
	}
	for (unsigned side = 0; side < 2; side++)
		if (channel->last_number[side])
			vhu_line_printf(&line,
					"%slast from the %s: %s%s (message %" PRIu64 ", %" PRIu64
					" ms before the end)",
					line.length ? "; " : "", side_name[side],
					name_of(channel->last[side]),
					channel->last_is_reply[side] ? " reply" : "",
					channel->last_number[side],
					ms_between(channel->last_ns[side], state->last_ns));
	return (int)line.length;
}
