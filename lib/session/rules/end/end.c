/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about how a session ends, and its last words. */
#include <inttypes.h>
#include <string.h>

#include "lib/protocol/line.h"
#include "lib/protocol/text.h"
#include "lib/session/rules/check.h"
#include "lib/session/rules/message/reply.h"
#include "lib/session/rules/report.h"
#include "lib/session/rules/vring/vring.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"

/* A request that was open for longer than this when the session ended was not cut off by the end.
 */
#define HUNG_MS 1000

/* A front-end that closes so soon after an answer closes because of it. */
#define ANSWER_NS UINT64_C(100000000)

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
		if (record->text &&
		    !strncmp(record->text, side_name[side], strlen(side_name[side])))
			return side;
	return -1;
}

/* Write what the side that owes an answer on channel @c did last there: "the back-end's last was X,
 * message 7". */
static void last_text(const struct vhu_state *state, enum vhu_channel c, char *to, size_t size)
{
	const struct vhu_channel_state *channel = &state->channel[c];
	const unsigned side = c == VHU_FRONT_END;
	struct vhu_line line = vhu_line_in(to, size);

	if (channel->last[side].by)
		vhu_line_printf(&line, "the %s's last was %s%s, message %" PRIu64, side_name[side],
				name_of(channel->last_message[side]),
				channel->last_is_reply[side] ? " reply" : "",
				channel->last[side].by);
	else if (c == VHU_FRONT_END)
		vhu_line_printf(&line, "the %s said nothing on the main socket", side_name[side]);
	else
		vhu_line_printf(&line, "the %s said nothing on the %s channel", side_name[side],
				vhu_channel_name(c));
}

/* Report a request of channel @c that waits for @ns, and still may be answered. */
static void report_waiting(struct vhu_check_context *check, enum vhu_channel c,
			   const struct vhu_pending *pending, uint64_t ns)
{
	char last[128], time[VHU_DURATION_TEXT_SIZE];

	last_text(check->state, c, last, sizeof(last));
	vhu_report(check, VHU_RULE_AT_402, pending->number,
		   "%s, message %" PRIu64 ", not answered for %s so far; %s",
		   name_of(pending->message), pending->number, vhu_duration_text(ns, time), last);
}

/* Report a request of channel @c that was never answered. @by: who closed, as text; NULL: no side.
 */
static void report_unanswered(struct vhu_check_context *check, enum vhu_channel c,
			      const struct vhu_pending *pending, const char *by)
{
	uint64_t ms = ms_between(pending->time_ns, check->state->last_ns);
	char last[128];

	if (!pending->due || pending->passed_by || pending->hung)
		return;
	if (check->goes_on && ms >= HUNG_MS) {
		report_waiting(check, c, pending, check->state->last_ns - pending->time_ns);
		return;
	}
	last_text(check->state, c, last, sizeof(last));
	if (ms >= HUNG_MS)
		vhu_report(check, VHU_RULE_AT_402, pending->number,
			   "%s, message %" PRIu64 ", was not answered in %" PRIu64 " ms%s%s; %s",
			   name_of(pending->message), pending->number, ms, by ? ", then " : "",
			   by ? by : "", last);
	else if (by)
		vhu_report(check, VHU_RULE_AT_411, pending->number,
			   "%s while %s, message %" PRIu64 ", was to be answered; %s", by,
			   name_of(pending->message), pending->number, last);
}

/* Report requests on the channels from @first to @last that were never answered, the oldest first.
 * @by: who closed, as text; NULL: no side. */
static void check_unanswered(struct vhu_check_context *check, enum vhu_channel first,
			     enum vhu_channel last, const char *by)
{
	unsigned seen[VHU_CHANNELS] = {0};

	for (;;) {
		const struct vhu_pending *oldest = NULL;
		enum vhu_channel at = first;

		for (enum vhu_channel c = first; c <= last; c++) {
			const struct vhu_pending_queue *queue = &check->state->channel[c].pending;

			if (seen[c] == queue->count ||
			    (oldest && vhu_pending_at(queue, seen[c])->number > oldest->number))
				continue;
			oldest = vhu_pending_at(queue, seen[c]);
			at = c;
		}
		if (!oldest)
			return;
		seen[at]++;
		report_unanswered(check, at, oldest, by);
	}
}

void vhu_rules_hung(struct vhu_check_context *check, uint64_t now_ns)
{
	for (enum vhu_channel c = 0; c < VHU_CHANNELS; c++) {
		const struct vhu_pending_queue *queue = &check->state->channel[c].pending;

		for (unsigned i = 0; i < queue->count && check->findings < VHU_FINDINGS_MAX; i++) {
			struct vhu_pending *pending = vhu_pending_at(queue, i);

			/* Without times the delay is unknown. */
			if (!pending->due || pending->passed_by || pending->hung ||
			    !pending->time_ns || now_ns < pending->time_ns ||
			    now_ns - pending->time_ns <= vhu_reply_limit(check, pending->message))
				continue;
			pending->hung = true;
			report_waiting(check, c, pending, now_ns - pending->time_ns);
		}
	}
}

/* Return who closed, as a text. */
static const char *closed_text(int side, bool session)
{
	if (side < 0)
		return session ? "the session was closed" : "its channel was closed";
	return side ? "the back-end closed" : "the front-end closed";
}

void vhu_rules_channel_end(struct vhu_check_context *check)
{
	struct vhu_channel_state *channel = &check->state->channel[check->record->channel];
	int side = who_closed(check->record);

	channel->open = false;
	channel->closed = vhu_told(check, true);
	/* Those that end with the session are looked at with it. */
	if (check->record->channel == VHU_FRONT_END || side < 0)
		return;
	check_unanswered(check, check->record->channel, check->record->channel,
			 closed_text(side, false));
	vhu_pending_forget(&channel->pending, channel->pending.count);
	/* What comes on the channel later answers nothing from before. A new file does not repeat
	 * all times that it closed, so the messages from before must not be repeated either. */
	memset(channel->last, 0, sizeof(channel->last));
	memset(channel->last_message, 0, sizeof(channel->last_message));
	memset(channel->last_is_reply, 0, sizeof(channel->last_is_reply));
	channel->answered = (struct vhu_told){0};
	channel->answered_message = NULL;
}

/* Report a back-end that closed right after a message that wants no answer. */
static void check_moment(struct vhu_check_context *check)
{
	const struct vhu_channel_state *channel = &check->state->channel[VHU_FRONT_END];
	uint64_t ns = vhu_elapsed_ns(channel->last[0].value, check->record->time_ns);

	if (channel->pending.count || channel->last_is_reply[0] ||
	    channel->last[0].by < channel->last[1].by || !channel->last[0].by ||
	    !vhu_within_ns(channel->last[0].value, check->record->time_ns, VHU_MOMENT_NS))
		return;
	vhu_report(check, VHU_RULE_AT_411, channel->last[0].by,
		   "the back-end closed %" PRIu64 " us after %s, message %" PRIu64, ns / 1000,
		   name_of(channel->last_message[0]), channel->last[0].by);
}

/* Report a front-end that left over what it was offered. */
static void check_offer(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_channel_state *channel = &state->channel[VHU_FRONT_END];
	uint64_t offer = channel->last[1].by;
	bool protocol = offer == state->protocol_features.offered.by;
	uint64_t offered =
	    protocol ? state->protocol_features.offered.value : state->features.offered.value;
	char highest[64];

	if (!offer || channel->last[0].by > offer || !offered ||
	    (!protocol && offer != state->features.offered.by))
		return;
	vhu_bits_text(protocol ? VHU_NAMES_protocol_features : VHU_NAMES_virtio_features,
		      UINT64_C(1) << (63 - __builtin_clzll(offered)), &state->context, highest,
		      sizeof(highest));
	vhu_report(check, VHU_RULE_AT_209, offer,
		   "the front-end closed right after the offer of %sfeatures 0x%" PRIx64
		   "; the highest, %s, may be one that it refuses",
		   protocol ? "protocol " : "", offered, highest);
}

/* Report a front-end that left right after an answer, before anything was started. */
static void check_answer(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_channel_state *channel = &state->channel[VHU_FRONT_END];
	const struct vhu_message *message = channel->last_message[1];
	const char *name = name_of(message);
	uint64_t answer = channel->last[1].by;

	if (!message || !answer || channel->last[0].by > answer || !channel->last_is_reply[1] ||
	    state->first_kick_ns ||
	    !vhu_within_ns(channel->last[1].value, check->record->time_ns, ANSWER_NS))
		return;
	if (answer == state->queue_num.by)
		vhu_report(check, VHU_RULE_AT_414, answer,
			   "the front-end closed right after %s told %" PRIu64
			   ": it may want more queues",
			   name, state->queue_num.value);
	else if (answer == state->mem_slots.by)
		vhu_report(check, VHU_RULE_AT_414, answer,
			   "the front-end closed right after %s told %" PRIu64
			   ": it may want more memory slots",
			   name, state->mem_slots.value);
	else if (message->id == VHU_MSG_GET_CONFIG && vhu_state_is_used(state))
		vhu_report(check, VHU_RULE_AT_414, answer,
			   "the front-end closed right after the answer to %s: it may want another "
			   "configuration",
			   name);
}

/* Report a front-end that left over the size of the answer to VHOST_USER_SET_LOG_BASE. */
static void check_log_reply(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_channel_state *channel = &state->channel[VHU_FRONT_END];

	/* Whoever looks what a back-end can do leaves when he knows, and has started nothing. */
	if (!vhu_state_running(state) || !state->log_reply.value ||
	    state->log_reply.by != channel->last[1].by ||
	    channel->last[0].by > channel->last[1].by ||
	    !vhu_within_ns(channel->last[1].value, check->record->time_ns, VHU_MOMENT_NS))
		return;
	vhu_report(check, VHU_RULE_AT_413, state->log_reply.by,
		   "the front-end closed right after the answer to %s, which has not the %" PRIu32
		   " bytes that rust-vmm's insists on",
		   vhu_messages[VHU_MSG_SET_LOG_BASE].name, vhu_layouts[VHU_LAYOUT_log].size);
}

void vhu_rules_end(struct vhu_check_context *check, bool closed)
{
	const struct vhu_state *state = check->state;
	int side = closed ? who_closed(check->record) : -1;

	check_unanswered(check, VHU_FRONT_END, VHU_CHANNELS - 1,
			 closed ? closed_text(side, true) : NULL);
	if (side == 1)
		check_moment(check);
	if (side == 0 && check->whole) {
		check_offer(check);
		check_answer(check);
	}
	if (side == 0)
		check_log_reply(check);
	if (state->iotlb_misses && ms_between(state->iotlb_miss.value, state->last_ns) >= HUNG_MS)
		vhu_report(check, VHU_RULE_AT_612, state->iotlb_miss.by,
			   "%u IOTLB miss%s not answered by an update; the last, message %" PRIu64
			   ", %" PRIu64 " ms before the end",
			   state->iotlb_misses, state->iotlb_misses > 1 ? "es were" : " was",
			   state->iotlb_miss.by,
			   ms_between(state->iotlb_miss.value, state->last_ns));
	vhu_rules_idle_end(check);
	vhu_rules_migration_end(check);
	vhu_rules_omission(check);
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring_fd *call = &state->vring[i].fd[VHU_CALL];

		if (state->vring[i].started.value && call->replaced)
			vhu_report_replaced(check, i, call);
	}
}

int vhu_state_last_words(const struct vhu_state *state, char *to, size_t size)
{
	const struct vhu_channel_state *channel = &state->channel[VHU_FRONT_END];
	struct vhu_line line = vhu_line_in(to, size);

	for (unsigned c = 0; c < VHU_CHANNELS; c++) {
		const struct vhu_pending_queue *queue = &state->channel[c].pending;

		for (unsigned i = 0; i < queue->count; i++) {
			const struct vhu_pending *pending = vhu_pending_at(queue, i);

			vhu_line_printf(
			    &line, "%s%s (message %" PRIu64 ") unanswered for %" PRIu64 " ms",
			    line.length ? ", " : "", name_of(pending->message), pending->number,
			    ms_between(pending->time_ns, state->last_ns));
		}
	}
	for (unsigned side = 0; side < 2; side++)
		if (channel->last[side].by)
			vhu_line_printf(&line,
					"%slast from the %s: %s%s (message %" PRIu64 ", %" PRIu64
					" ms before the end)",
					line.length ? "; " : "", side_name[side],
					name_of(channel->last_message[side]),
					channel->last_is_reply[side] ? " reply" : "",
					channel->last[side].by,
					ms_between(channel->last[side].value, state->last_ns));
	return (int)line.length;
}
