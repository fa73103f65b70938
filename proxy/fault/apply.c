/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What links do to messages when faults or a mask ask for it; apply.h has the theory of operation.
 */
#include "proxy/fault/apply.h"

#include <stdio.h>
#include <string.h>

/* Return whether @relay passes on what the back-end sends. */
static bool from_back_end(const struct vhu_fault_link *link, const struct vhu_relay *relay)
{
	return relay == &link->relay[VHU_BACK];
}

bool vhu_fault_may_alter(const struct vhu_fault_link *link, const struct vhu_relay *relay)
{
	const struct vhu_proxy *proxy = link->session->proxy;
	const bool back = from_back_end(link, relay);
	const uint32_t request = relay->header.request;

	return vhu_faults_speak_of(&proxy->faults, link->channel, back, request) ||
	       vhu_mask_speaks_of(&proxy->mask, link->channel, back, request) ||
	       link->replies->ours;
}

/* Keep back a reply that only the proxy had asked for. */
static void follow_replies(struct vhu_fault_edit_work *work)
{
	const uint32_t request = work->relay->header.request;
	const unsigned fault = work->reply ? vhu_replies_fault(work->link->replies, request) : 0;

	if (!fault || !work->whole)
		return;
	vhu_replies_answer(work->link->replies, request);
	work->plan->drop = true;
	vhu_line_printf(&work->text, "%sfault %u: kept back: only the proxy had asked for it",
			work->text.length ? "; " : "", fault);
}

/* Mask the message, and say so where the front-end takes what it was not offered. */
static void apply_mask(struct vhu_fault_edit_work *work)
{
	struct vhu_session_common *session = work->link->session;
	const struct vhu_mask *mask = &session->proxy->mask;

	if (!work->whole ||
	    !vhu_mask_speaks_of(mask, work->link->channel, work->message.from_back_end,
				work->relay->header.request))
		return;
	if (vhu_mask_apply(mask, &session->masked, &work->message, work->relay->buffer,
			   &work->text) &&
	    !session->masked.said) {
		session->masked.said = true;
		vhu_proxy_session_say(session,
				      "the front-end sets what was masked in the offer (%s)",
				      work->plan->text);
	}
}

/* Do what the faults want that apply. What does not pass is not altered besides. */
static void follow_faults(struct vhu_fault_edit_work *work, struct vhu_fault *const hit[],
			  unsigned hits)
{
	bool stops = false;

	for (unsigned i = 0; i < hits; i++)
		for (unsigned j = 0; j < hit[i]->actions; j++)
			stops |= vhu_fault_edit_stops(work, &hit[i]->action[j]);
	for (unsigned i = 0; i < hits; i++) {
		work->fault = hit[i];
		for (unsigned j = 0; j < hit[i]->actions; j++) {
			const struct vhu_fault_action *action = &hit[i]->action[j];

			if (!stops || vhu_fault_edit_stops(work, action) ||
			    action->command == VHU_FAULT_DELAY || action->command == VHU_FAULT_HOLD)
				vhu_fault_edit_do(work, action);
		}
	}
}

void vhu_fault_apply(const struct vhu_fault_link *link, struct vhu_relay *relay)
{
	struct vhu_session_common *session = link->session;
	const struct vhu_message *rows[VHU_DIALECTS];
	struct vhu_fault *hit[VHU_FAULTS_MAX];
	unsigned hits;
	struct vhu_fault_edit_work work = {
	    .link = link,
	    .relay = relay,
	    .message =
		{
		    .session = session->number,
		    .channel = link->channel,
		    .from_back_end = from_back_end(link, relay),
		    .bytes = relay->buffer,
		    .size = (uint32_t)relay->got,
		    .fds = relay->fds,
		    .context = &session->context,
		},
	    .whole = relay->got == relay->size && relay->groups < 2 && relay->got <= VHU_RELAY_KEEP,
	    .reply = from_back_end(link, relay) == (link->channel == VHU_FRONT_END),
	};

	if (vhu_message_find(link->channel, relay->header.request, VHU_ANY, rows))
		work.row = rows[0];
	hits = vhu_faults_match(&session->proxy->faults, &session->faults, &work.message, hit);
	if (!hits && !link->replies->ours &&
	    !vhu_mask_speaks_of(&session->proxy->mask, link->channel, work.message.from_back_end,
				relay->header.request))
		return;
	work.plan = vhu_relay_plan_of(relay);
	if (!work.plan) {
		vhu_proxy_session_say(session, "no memory to alter a message");
		return;
	}
	work.text = vhu_line_in(work.plan->text, sizeof(work.plan->text));
	follow_replies(&work);
	if (!work.plan->drop) {
		apply_mask(&work);
		follow_faults(&work, hit, hits);
	}
}

void vhu_fault_dropped(const struct vhu_fault_link *link, struct vhu_relay *relay)
{
	const struct vhu_relay_plan *plan = relay->plan;
	struct vhu_relay *other = &link->relay[!from_back_end(link, relay)];
	const uint32_t version = link->channel == VHU_GPU ? 0 : VHU_FLAGS_VERSION;
	const struct vhu_header header = {relay->header.request, version | VHU_FLAG_REPLY, 8};
	uint8_t bytes[VHU_HEADER_SIZE + 8];
	char text[64];

	if (!plan->answer)
		return;
	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	vhu_integer_write(bytes + VHU_HEADER_SIZE, 8, vhu_host_is_big_endian(), plan->value);
	snprintf(text, sizeof(text), "fault %u: made by the proxy", plan->fault);
	if (vhu_relay_insert(other, bytes, sizeof(bytes), text))
		vhu_proxy_session_say(link->session, "fault %u: no room for one more answer",
				      plan->fault);
}

/* Read the feature bits that a message of the table sets. */
static uint64_t learn_bits(const struct vhu_relay *relay)
{
	return vhu_integer_read(relay->buffer + VHU_HEADER_SIZE, 8, vhu_host_is_big_endian());
}

void vhu_fault_learn(const struct vhu_fault_link *link, const struct vhu_relay *relay)
{
	struct vhu_context *context = &link->session->context;
	const uint32_t request = relay->header.request;

	if (link->channel != VHU_FRONT_END || from_back_end(link, relay))
		return;
	if (request == vhu_messages[VHU_MSG_POSTCOPY_LISTEN].request)
		context->postcopy = true;
	if (relay->got != VHU_HEADER_SIZE + 8)
		return;
	if (request == vhu_messages[VHU_MSG_SET_FEATURES].request) {
		context->has_features = true;
		context->features = learn_bits(relay);
	} else if (request == vhu_messages[VHU_MSG_SET_PROTOCOL_FEATURES].request) {
		context->has_protocol_features = true;
		context->protocol_features = learn_bits(relay);
	}
}
