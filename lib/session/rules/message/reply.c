/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about replies, and about sizes of requests and replies. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/session/identify.h"
#include "lib/session/rules/check.h"
#include "lib/session/rules/message/reply.h"
#include "lib/session/rules/report.h"

/* Return a message's name for a finding. */
static const char *name_of(const struct vhu_message *message)
{
	return message ? message->name : "a message of unknown id";
}

/* Write the sizes that a payload of one of a set's layouts has: "8", "20 or 24". Those whose
 * contents tell are "what its fields say". */
static void sizes_text(enum vhu_shapes_id id, char *to, size_t size)
{
	const struct vhu_shapes *shapes = &vhu_shapes[id];
	size_t length = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < shapes->shapes && length < size; i++) {
		const struct vhu_layout *layout = &vhu_layouts[shapes->shape[i].layout];

		if (shapes->shape[i].when == VHU_IF_POSTCOPY)
			continue;
		if (vhu_layout_repeats(layout)) {
			snprintf(to, size, "what its fields say");
			return;
		}
		length += (size_t)snprintf(to + length, size - length, "%s%" PRIu32,
					   length ? " or " : "", layout->size);
	}
}

/* Report a message that has the size of another dialect's. Returns whether it has. */
static bool check_other_reading(struct vhu_check_context *check, int64_t request)
{
	const struct vhu_message *message = check->note->message;
	const struct vhu_message *other = vhu_check_other_reading(check, request);

	if (!other)
		return false;
	vhu_report(check, VHU_RULE_AT_206, check->request.number,
		   "message %" PRIu32
		   "%s is %s in this session's dialect %s, and has the size of %s in %s",
		   check->note->header.request, check->note->reply ? "'s reply" : "", message->name,
		   vhu_dialect_name(check->note->context.dialect), other->name,
		   vhu_dialect_name(other->dialect));
	return true;
}

/* Look at regions of the other kind than was negotiated: Xen's have two fields more. */
static void check_xen(struct vhu_check_context *check)
{
	const struct vhu_layout *layout = check->note->layout;
	const bool known = check->whole || check->state->context.has_protocol_features;
	const bool xen = layout == &vhu_layouts[VHU_LAYOUT_mem_table_xen] ||
			 layout == &vhu_layouts[VHU_LAYOUT_single_region_xen];

	if (xen && known && !vhu_taken(check, VHU_PF_XEN_MMAP))
		vhu_report(check, VHU_RULE_AT_410, check->state->protocol_features.acked.by,
			   "%s has a payload of %" PRIu32
			   " bytes, that of Xen's regions, and XEN_MMAP was not negotiated",
			   check->note->message->name, check->note->payload.size);
	else if (layout == &vhu_layouts[VHU_LAYOUT_single_region] &&
		 vhu_taken(check, VHU_PF_XEN_MMAP) && vhu_report_first(check, VHU_RULE_AT_206))
		vhu_report(
		    check, VHU_RULE_AT_206, check->state->protocol_features.acked.by,
		    "bit %d was acked, and the region of %s is not one of Xen: to one side it "
		    "is an older SHARED_OBJECT",
		    VHU_PF_XEN_MMAP, check->note->message->name);
}

void vhu_rules_size(struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;
	const struct vhu_message *message = note->message;
	char sizes[64];

	if (!message || note->reply || note->or_message || check->record->channel == VHU_GPU)
		return;
	if (vhu_annotation_size_fits(note, message->shape[0])) {
		check_xen(check);
		return;
	}
	if (check_other_reading(check, note->payload.size))
		return;
	sizes_text(message->shape[0], sizes, sizeof(sizes));
	vhu_report(check, VHU_RULE_AT_410, 0, "%s has a payload of %" PRIu32 " bytes, not %s",
		   message->name, note->payload.size, sizes);
}

uint64_t vhu_reply_limit(const struct vhu_check_context *check, const struct vhu_message *message)
{
	bool drains = message && (message->id == VHU_MSG_GET_VRING_BASE ||
				  message->id == VHU_MSG_GET_VRING_BASE_SKIP_DRAIN);

	return drains ? check->drain_ns : check->late_ns;
}

/* Look at how long a reply took. */
static void check_delay(struct vhu_check_context *check)
{
	const struct vhu_message *message = check->note->message;
	uint64_t limit = vhu_reply_limit(check, message);

	if (check->note->delay_ns > limit)
		vhu_report(check, VHU_RULE_AT_404, check->request.number,
			   "%s was answered after %" PRIu64 " ms, later than %" PRIu64 " ms",
			   name_of(message), check->note->delay_ns / 1000000, limit / 1000000);
}

/* Look at the size of a reply. */
static void check_reply_size(struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;
	const struct vhu_message *message = note->message;
	uint32_t size = note->payload.size;
	char sizes[64];

	if (message->id == VHU_MSG_SET_LOG_BASE &&
	    vhu_annotation_size_fits(note, message->shape[1])) {
		if (note->layout != &vhu_layouts[VHU_LAYOUT_log])
			vhu_report(check, VHU_RULE_AT_409, check->request.number,
				   "%s is answered with %" PRIu32
				   " bytes; rust-vmm's front-end insists on 16",
				   message->name, size);
		return;
	}
	if (vhu_annotation_size_fits(note, message->shape[1]) ||
	    check_other_reading(check, check->request.size))
		return;
	sizes_text(message->shape[1], sizes, sizeof(sizes));
	vhu_report(check, VHU_RULE_AT_408, check->request.number,
		   "the reply to %s has a payload of %" PRIu32 " bytes, not %s", message->name,
		   size, sizes);
}

/* Return whether a reply of unknown id answers a request of unknown id, as whether such a message
 * has an answer is not known. */
static bool answers_unknown(const struct vhu_check_context *check)
{
	const struct vhu_channel_state *channel = &check->state->channel[check->record->channel];
	const unsigned asker = check->record->channel == VHU_FRONT_END ? 0 : 1;

	return !check->note->message && !channel->last_message[asker] &&
	       channel->last[asker].by > channel->last[!asker].by;
}

/* Return what a reply says of failure; 0 success. */
static uint64_t refusal(const struct vhu_check_context *check)
{
	const struct vhu_layout *layout = check->note->layout;

	/* "IOMMU support": the address that the guest gave may have no translation. */
	if (vhu_check_message(check) == VHU_REPLY_TO(BACKEND_IOTLB_MSG))
		return 0;
	if (layout == &vhu_layouts[VHU_LAYOUT_ack] && check->note->payload.size == layout->size)
		return vhu_get(check, VHU_FIELD_ack_ack);
	if (layout == &vhu_layouts[VHU_LAYOUT_device_state_reply])
		return vhu_get(check, VHU_FIELD_device_state_reply_error);
	return 0;
}

/* Return the oldest request that has to be answered and waits; NULL for none. */
static const struct vhu_pending *find_due(const struct vhu_pending_queue *queue)
{
	for (unsigned i = 0; i < queue->count; i++)
		if (vhu_pending_at(queue, i)->due && !vhu_pending_at(queue, i)->withheld)
			return vhu_pending_at(queue, i);
	return NULL;
}

/* Report a reply without a request. */
static void report_unasked(struct vhu_check_context *check)
{
	const struct vhu_channel_state *channel = &check->state->channel[check->record->channel];
	const struct vhu_message *message = check->note->message;
	const struct vhu_pending *due = find_due(&channel->pending);

	if (channel->answered_message && channel->answered_message == message)
		vhu_report(check, VHU_RULE_AT_405, channel->answered.by,
			   "%s was answered before, by message %" PRIu64, name_of(message),
			   channel->answered.by);
	else if (due)
		vhu_report(check, VHU_RULE_AT_405, due->number,
			   "a reply to %s, and nothing asked for it; %s, message %" PRIu64
			   ", waits: the reply may be meant for it, with a wrong id",
			   name_of(message), name_of(due->message), due->number);
	else
		vhu_report(check, VHU_RULE_AT_405, 0, "a reply to %s, and nothing asked for it",
			   name_of(message));
}

void vhu_rules_reply(struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;
	const struct vhu_pending *skipped = &check->skipped;

	if (!(note->header.flags & VHU_FLAG_REPLY))
		vhu_report(check, VHU_RULE_AT_406, check->request.number,
			   "the reply to %s lacks the REPLY bit", name_of(note->message));
	if (!check->request.number) {
		if (check->whole && !answers_unknown(check))
			report_unasked(check);
		return;
	}
	if (skipped->number)
		vhu_report(check, VHU_RULE_AT_407, skipped->number,
			   "%s is answered while the older %s, message %" PRIu64
			   ", waits for its reply",
			   name_of(note->message), name_of(skipped->message), skipped->number);
	check_delay(check);
	if (note->message && !note->or_message)
		check_reply_size(check);
	if (refusal(check))
		vhu_report(check, VHU_RULE_AT_412, check->request.number,
			   "%s was refused with %" PRIu64, name_of(note->message), refusal(check));
}
