/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about headers, negotiation and replies. */
#include <inttypes.h>
#include <linux/virtio_ids.h>

#include "lib/protocol/text.h"
#include "lib/session/internal.h"

/* No payload of the front-end's and back-end's channels comes near this. */
#define SIZE_SANE 65536

#define NAMES_MAX 160

/* Return a message's name for a finding. */
static const char *name_of(const struct vhu_message *message)
{
	return message ? message->name : "a message of unknown id";
}

void vhu_check_framing(struct vhu_look *look)
{
	const struct vhu_note *note = look->note;
	uint32_t flags = note->header.flags;

	if (look->record->channel == VHU_GPU)
		return;
	if ((flags & VHU_FLAGS_VERSION_MASK) != VHU_FLAGS_VERSION)
		vhu_report(look, VHU_RULE_AT_101, 0, "%s has version %" PRIu32 " in its flags 0x%" PRIx32,
			   name_of(note->message), flags & VHU_FLAGS_VERSION_MASK, flags);
	if (flags & VHU_FLAGS_RESERVED)
		vhu_report(look, VHU_RULE_AT_102, 0, "%s has reserved bits in its flags 0x%" PRIx32,
			   name_of(note->message), flags);
	if (note->header.size > SIZE_SANE)
		vhu_report(look, VHU_RULE_AT_103, 0, "%s says that %" PRIu32 " bytes follow",
			   name_of(note->message), note->header.size);
	if (!note->message)
		vhu_report(look, VHU_RULE_AT_104, 0,
			   "message %" PRIu32 " of %" PRIu32 " bytes is not known%s%s",
			   note->header.request, note->header.size,
			   note->context.dialect == VHU_ANY ? "" : " in dialect ",
			   note->context.dialect == VHU_ANY ? ""
							    : vhu_dialect_name(note->context.dialect));
	if (!note->reply && (flags & VHU_FLAG_REPLY))
		vhu_report(look, VHU_RULE_AT_406, 0, "%s is a request and has the REPLY bit",
			   name_of(note->message));
}

/* Report the message whose feature is not negotiated. @bit: of a protocol feature. */
static void report_need(struct vhu_look *look, unsigned bit)
{
	const struct vhu_message *message = look->note->message;
	const struct vhu_name *name =
		vhu_name_find(VHU_NAMES_protocol_features, bit, &look->note->context);

	/* rust-vmm's vhost up to 0.16 wrote SHMEM where GPA_ADDRESSES came to be. */
	if (bit == VHU_PF_SHMEM && vhu_taken(look, VHU_PF_GPA_ADDRESSES)) {
		vhu_report(look, VHU_RULE_AT_206, look->state->protocol_features.taken_by,
			   "%s needs SHMEM, bit 22, and bit 21 was taken: GPA_ADDRESSES to one side, "
			   "an older SHMEM to the other",
			   message->name);
		return;
	}
	vhu_report(look, VHU_RULE_AT_205, look->state->protocol_features.taken_by,
		   "%s needs %s, which was not negotiated", message->name, name ? name->name : "?");
}

/* Look at what a message needs. */
static void check_needs(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	const struct vhu_message *message = look->note->message;
	uint64_t missing;

	if (look->note->reply || !message || look->note->or_message)
		return;
	missing = message->needs_protocol & ~(message->needs_offer_only
						      ? state->protocol_features.offered
						      : state->context.protocol_features);
	/* The standalone proposals have rules of their own. */
	if (missing & (UINT64_C(1) << VHU_PF_STANDALONE) && message->dialect != VHU_UPSTREAM)
		missing = 0;
	if (missing && (state->context.has_protocol_features || look->whole))
		report_need(look, (unsigned)__builtin_ctzll(missing));
	/* Bit 30 has rules of its own. */
	missing = message->needs_feature & ~(UINT64_C(1) << VHU_F_PROTOCOL_FEATURES) &
		  ~state->context.features;
	if (missing && state->context.has_features) {
		struct vhu_context context = look->note->context;
		const struct vhu_name *name;

		if (!context.device)
			context.device = VIRTIO_ID_NET; /* whose bits some messages need */
		name = vhu_name_find(VHU_NAMES_virtio_features,
				     (unsigned)__builtin_ctzll(missing), &context);
		vhu_report(look, VHU_RULE_AT_205, state->features.taken_by,
			   "%s needs virtio feature %s, which was not taken", message->name,
			   name ? name->name : "?");
	}
}

/* Look at protocol features that are taken. */
static void check_protocol_features(struct vhu_look *look, uint64_t taken)
{
	const struct vhu_state *state = look->state;
	const struct vhu_context *context = &look->note->context;
	uint64_t beyond = taken & ~state->protocol_features.offered;
	char names[NAMES_MAX], depends[NAMES_MAX];

	if (!state->protocol_features.offered_by) {
		if (look->whole)
			vhu_report(look, VHU_RULE_AT_204, 0,
				   "protocol features 0x%" PRIx64 " are set and were not asked for",
				   taken);
	} else if (beyond) {
		vhu_bits_text(VHU_NAMES_protocol_features, beyond, context, names, sizeof(names));
		vhu_report(look, VHU_RULE_AT_203, state->protocol_features.offered_by,
			   "takes %s, which was not offered", names);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t lacks = taken >> bit & 1
					 ? vhu_protocol_feature_depends(bit, context->dialect) & ~taken
					 : 0;
		const struct vhu_name *name;

		if (!lacks || bit == VHU_PF_STANDALONE)
			continue;
		name = vhu_name_find(VHU_NAMES_protocol_features, bit, context);
		vhu_bits_text(VHU_NAMES_protocol_features, lacks, context, depends, sizeof(depends));
		vhu_report(look, VHU_RULE_AT_207, 0, "takes %s without %s", name ? name->name : "?",
			   depends);
	}
}

/* Look at virtio features that are taken. */
static void check_features(struct vhu_look *look, uint64_t taken)
{
	const struct vhu_state *state = look->state;
	const uint64_t ours = UINT64_C(1) << VHU_F_LOG_ALL | UINT64_C(1) << VHU_F_PROTOCOL_FEATURES;
	const uint64_t version_1 = UINT64_C(1) << 32;
	uint64_t beyond = taken & ~state->features.offered & ~ours;
	char names[NAMES_MAX];

	if (state->features.offered_by && beyond) {
		vhu_bits_text(VHU_NAMES_virtio_features, beyond, &look->note->context, names,
			      sizeof(names));
		vhu_report(look, VHU_RULE_AT_212, state->features.offered_by,
			   "takes %s, which was not offered", names);
	}
	if (state->features.taken_by && !(state->features.taken & version_1) &&
	    (taken & version_1) && (taken & state->features.taken) == state->features.taken &&
	    (state->features.offered & version_1))
		vhu_report(look, VHU_RULE_AT_211, state->features.taken_by,
			   "takes VERSION_1, which message %" PRIu64 " left out though it was offered",
			   state->features.taken_by);
	if ((taken >> VHU_F_LOG_ALL & 1) && !state->log_by && look->whole)
		vhu_report(look, VHU_RULE_AT_514, 0, "takes LOG_ALL and no log was set");
	if ((taken >> VHU_F_ACCESS_PLATFORM & 1) && state->context.has_protocol_features &&
	    !(vhu_taken(look, VHU_PF_BACKEND_REQ) && vhu_taken(look, VHU_PF_REPLY_ACK)))
		vhu_report(look, VHU_RULE_AT_613, state->protocol_features.taken_by,
			   "takes ACCESS_PLATFORM without BACKEND_REQ and REPLY_ACK");
}

void vhu_check_negotiation(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	const struct vhu_message *message = look->note->message;
	const uint64_t bit30 = UINT64_C(1) << VHU_F_PROTOCOL_FEATURES;

	check_needs(look);
	if (look->note->reply || !message)
		return;
	if (message->needs_offer_only && (message->needs_feature & bit30) &&
	    state->features.offered_by && !(state->features.offered & bit30))
		vhu_report(look, VHU_RULE_AT_201, state->features.offered_by,
			   "%s, and the back-end did not offer bit 30", message->name);
	if (message->reply_rule == VHU_REPLY_ACK &&
	    (look->note->header.flags & VHU_FLAG_NEED_REPLY) &&
	    state->context.has_protocol_features && !vhu_taken(look, VHU_PF_REPLY_ACK) &&
	    look->record->channel != VHU_GPU)
		vhu_report(look, VHU_RULE_AT_401, state->protocol_features.taken_by,
			   "%s asks for a reply, and REPLY_ACK was not negotiated", message->name);
	switch (vhu_look_at(look)) {
	case VHU_REQUEST(SET_PROTOCOL_FEATURES):
		check_protocol_features(look, vhu_get(look, look->note->layout->first));
		break;
	case VHU_REQUEST(SET_FEATURES):
		check_features(look, vhu_get(look, look->note->layout->first));
		break;
	case VHU_REQUEST(SET_OWNER):
		if (state->owner_by)
			vhu_report(look, VHU_RULE_AT_217, state->owner_by,
				   "%s again, after message %" PRIu64, message->name, state->owner_by);
		break;
	case VHU_REQUEST(RESET_OWNER):
		vhu_report(look, VHU_RULE_AT_616, 0, "%s is deprecated", message->name);
		break;
	case VHU_REQUEST(SET_MEM_TABLE):
	case VHU_REQUEST(ADD_MEM_REG):
	case VHU_REQUEST(SET_VRING_KICK):
		if (look->whole && !state->owner_by && vhu_report_first(look, VHU_RULE_AT_216))
			vhu_report(look, VHU_RULE_AT_216, 0, "%s before %s", message->name,
				   vhu_messages[VHU_MSG_SET_OWNER].name);
		break;
	}
	if (!look->note->reply && look->record->channel == VHU_FRONT_END &&
	    !vhu_look_size_fits(look->note, message->shape[0]) && !look->note->or_message) {
		vhu_report(look, VHU_RULE_AT_410, 0, "%s has a payload of %" PRIu32 " bytes",
			   message->name, look->note->payload.size);
	}
}

/* Look at how long a reply took. */
static void check_delay(struct vhu_look *look)
{
	const struct vhu_message *message = look->note->message;
	bool drains = message && (message->id == VHU_MSG_GET_VRING_BASE ||
				  message->id == VHU_MSG_GET_VRING_BASE_SKIP_DRAIN);
	uint64_t limit = drains ? look->drain_ns : look->late_ns;

	if (look->note->delay_ns > limit)
		vhu_report(look, VHU_RULE_AT_404, look->request.number,
			   "%s was answered after %" PRIu64 " ms", name_of(message),
			   look->note->delay_ns / 1000000);
}

/* Look at the size of a reply. */
static void check_reply_size(struct vhu_look *look)
{
	const struct vhu_note *note = look->note;
	const struct vhu_message *message = note->message;
	uint32_t size = note->payload.size;

	if (message->id == VHU_MSG_SET_LOG_BASE && vhu_look_size_fits(note, message->shape[1])) {
		if (size != 16)
			vhu_report(look, VHU_RULE_AT_409, look->request.number,
				   "%s is answered with %" PRIu32
				   " bytes; rust-vmm's front-end insists on 16",
				   message->name, size);
		return;
	}
	if (!vhu_look_size_fits(note, message->shape[1]))
		vhu_report(look, VHU_RULE_AT_408, look->request.number,
			   "the reply to %s has a payload of %" PRIu32 " bytes", message->name, size);
}

void vhu_check_reply(struct vhu_look *look, unsigned older)
{
	const struct vhu_note *note = look->note;
	const struct vhu_channel_state *channel = &look->state->channel[look->record->channel];

	if (!(note->header.flags & VHU_FLAG_REPLY))
		vhu_report(look, VHU_RULE_AT_406, look->request.number,
			   "the reply to %s lacks the REPLY bit", name_of(note->message));
	if (!look->request.number) {
		if (!look->whole)
			return;
		if (channel->answered && channel->answered == note->message)
			vhu_report(look, VHU_RULE_AT_405, channel->answered_number,
				   "%s was answered before, by message %" PRIu64,
				   name_of(note->message), channel->answered_number);
		else
			vhu_report(look, VHU_RULE_AT_405, 0,
				   "a reply to %s, and nothing asked for it", name_of(note->message));
		return;
	}
	if (older)
		vhu_report(look, VHU_RULE_AT_407, channel->pending[0].number,
			   "a reply to %s while %s, message %" PRIu64 ", waits",
			   name_of(note->message), name_of(channel->pending[0].message),
			   channel->pending[0].number);
	check_delay(look);
	if (note->message && !note->or_message && !(look->record->marks & VHU_MARK_PARTIAL))
		check_reply_size(look);
	if (note->layout == &vhu_layouts[VHU_LAYOUT_ack] && note->payload.size == 8 &&
	    vhu_get(look, VHU_FIELD_ack_ack))
		vhu_report(look, VHU_RULE_AT_412, look->request.number, "%s was refused with %" PRIu64,
			   name_of(note->message), vhu_get(look, VHU_FIELD_ack_ack));
}
