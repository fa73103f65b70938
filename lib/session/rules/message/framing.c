/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about headers, negotiation and replies. */
#include <inttypes.h>
#include <linux/virtio_ids.h>
#include <stdio.h>

#include "lib/protocol/text.h"
#include "lib/session/identify.h"
#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/util/util.h"

/* No payload of the front-end's and back-end's channels comes near this. */
#define SIZE_SANE 65536

/* Clocks of two processors differ by less. */
#define CLOCK_NS UINT64_C(1000000)

#define NAMES_MAX    160
/* More names than these are counted. */
#define NAMES_LISTED 4

/* Return a message's name for a finding. */
static const char *name_of(const struct vhu_message *message)
{
	return message ? message->name : "a message of unknown id";
}

/* Report an id that the session's dialect does not know. */
static void report_unknown(struct vhu_check_context *check)
{
	const struct vhu_header *header = &check->note->header;
	const struct vhu_message *row[VHU_DIALECTS];
	enum vhu_dialect dialect = check->note->context.dialect;

	if (vhu_message_find(check->record->channel, header->request, VHU_ANY, row))
		vhu_report(check, VHU_RULE_AT_206, 0,
			   "message %" PRIu32 " of %" PRIu32
			   " bytes is unknown in this session's dialect %s; in %s it is %s",
			   header->request, header->size, vhu_dialect_name(dialect),
			   vhu_dialect_name(row[0]->dialect), row[0]->name);
	else
		vhu_report(check, VHU_RULE_AT_104, 0,
			   "message %" PRIu32 " of %" PRIu32 " bytes is not known%s%s",
			   header->request, header->size, dialect == VHU_ANY ? "" : " in dialect ",
			   dialect == VHU_ANY ? "" : vhu_dialect_name(dialect));
}

/* Report a message whose sender closed before it was whole. */
static void report_cut(struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;
	const char *sender = check->record->from_back_end ? "back-end" : "front-end";

	if (note->has_header)
		vhu_report(check, VHU_RULE_AT_105, 0,
			   "the %s closed after %" PRIu32 " of the %" PRIu32
			   " bytes that follow in %s%s",
			   sender, note->payload.size, note->header.size, name_of(note->message),
			   note->reply ? "'s reply" : "");
	else
		vhu_report(check, VHU_RULE_AT_105, 0,
			   "the %s closed after %" PRIu32 " of the %d bytes of a header", sender,
			   check->record->message_size, VHU_HEADER_SIZE);
}

/* Look at a message's time against that of the one before on its channel. */
static void check_clock(struct vhu_check_context *check)
{
	const struct vhu_told *last = check->state->channel[check->record->channel].last;
	const unsigned later = last[1].by > last[0].by;

	if (last[later].value <= check->record->time_ns ||
	    last[later].value - check->record->time_ns < CLOCK_NS ||
	    !vhu_report_first(check, VHU_RULE_AT_106))
		return;
	vhu_report(check, VHU_RULE_AT_106, last[later].by,
		   "the clock went back by %" PRIu64 " ms since message %" PRIu64
		   ": times and delays mean nothing here",
		   (last[later].value - check->record->time_ns) / 1000000, last[later].by);
}

void vhu_rules_framing(struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;
	uint32_t flags = note->header.flags;

	check_clock(check);
	if (check->record->marks & VHU_MARK_PARTIAL)
		report_cut(check);
	if (!note->has_header)
		return;
	if (check->record->marks & VHU_MARK_TRUNCATED)
		vhu_report(check, VHU_RULE_AT_502, 0,
			   "descriptors of %s were lost on the way: its receiver had no room for "
			   "them",
			   name_of(note->message));
	if (!note->message)
		report_unknown(check);
	if (check->record->channel == VHU_GPU)
		return;
	if ((flags & VHU_FLAGS_VERSION_MASK) != VHU_FLAGS_VERSION)
		vhu_report(check, VHU_RULE_AT_101, 0,
			   "%s has version %" PRIu32 " in its flags 0x%" PRIx32,
			   name_of(note->message), flags & VHU_FLAGS_VERSION_MASK, flags);
	if (flags & VHU_FLAGS_RESERVED)
		vhu_report(check, VHU_RULE_AT_102, 0,
			   "%s has reserved bits in its flags 0x%" PRIx32, name_of(note->message),
			   flags);
	if (note->header.size > SIZE_SANE)
		vhu_report(check, VHU_RULE_AT_103, 0, "%s says that %" PRIu32 " bytes follow",
			   name_of(note->message), note->header.size);
	if (!note->reply && (flags & VHU_FLAG_REPLY))
		vhu_report(check, VHU_RULE_AT_406, 0, "%s is a request and has the REPLY bit",
			   name_of(note->message));
}

/* Return a protocol feature's name. */
static const char *feature_name(const struct vhu_check_context *check, unsigned bit)
{
	const struct vhu_name *name =
	    vhu_name_find(VHU_NAMES_protocol_features, bit, &check->note->context);

	return name ? name->name : "a feature without a name";
}

/* Report the message whose feature is not negotiated. @bit: of a protocol feature. */
static void report_need(struct vhu_check_context *check, unsigned bit)
{
	/* Bits that a feature had in texts before the one it has: SHARED_OBJECT in QEMU 8.1, SHMEM
	 * in drafts and in rust-vmm's vhost up to 0.16. */
	static const struct {
		unsigned bit, older;
	} moved[] = {
	    {VHU_PF_SHARED_OBJECT, VHU_PF_XEN_MMAP},
	    {VHU_PF_SHMEM, VHU_PF_GPA_ADDRESSES},
	    {VHU_PF_SHMEM, VHU_PF_GET_VRING_BASE_INFLIGHT},
	};
	const struct vhu_state *state = check->state;
	const struct vhu_message *message = check->note->message;
	const char *name = feature_name(check, bit);

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(moved); i++) {
		unsigned older = moved[i].older;
		uint64_t depends = vhu_protocol_feature_depends(older, VHU_ANY);

		/* One that comes with what it depends on is meant as it is written today. */
		if (moved[i].bit != bit || !vhu_taken(check, older) ||
		    (depends && !(depends & ~state->context.protocol_features)))
			continue;
		vhu_report(check, VHU_RULE_AT_206, state->protocol_features.acked.by,
			   "%s needs %s, bit %u, and bit %u was acked: %s to one side, an older "
			   "%s to the other",
			   message->name, name, bit, older, feature_name(check, older), name);
		return;
	}
	vhu_report(check, VHU_RULE_AT_205,
		   message->needs_offer_only ? state->protocol_features.offered.by
					     : state->protocol_features.acked.by,
		   "%s needs %s, which was not %s", message->name, name,
		   message->needs_offer_only ? "offered" : "negotiated");
}

/* Write the names of the lowest bits of a set, and how many more there are. */
static void names_text(const struct vhu_check_context *check, enum vhu_names_id set, uint64_t bits,
		       char *to, size_t size)
{
	uint64_t few = 0;
	int length;

	for (unsigned i = 0; i < NAMES_LISTED && bits; i++) {
		few |= bits & -bits;
		bits &= bits - 1;
	}
	length = vhu_bits_text(set, few, &check->note->context, to, size);
	if (bits && (size_t)length < size)
		snprintf(to + length, size - (size_t)length, " and %d more",
			 __builtin_popcountll(bits));
}

/*
 * Return whether a message is the time to look at what it needs: a request is, unless it is another
 * one in other dialects and nothing up to it told for certain which dialect this is. Then the
 * reply that tells is, also where a reading before told already.
 */
static bool is_certain(const struct vhu_check_context *check)
{
	const uint64_t told_at = check->state->dialect_told_at;

	if (check->note->reply)
		return told_at == check->number && check->request.number;
	return told_at <= check->number || check->note->message->dialect == VHU_ANY ||
	       !vhu_check_other_reading(check, (int64_t)check->note->payload.size);
}

/* Look at what a message needs. */
static void check_needs(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_message *message = check->note->message;
	bool known = check->whole || (message && message->needs_offer_only
					  ? state->protocol_features.offered.by != 0
					  : state->context.has_protocol_features);
	uint64_t missing, features = state->context.features;

	if (!message || check->note->or_message || !is_certain(check))
		return;
	missing = message->needs_protocol &
		  ~(message->needs_offer_only ? state->protocol_features.offered.value
					      : state->context.protocol_features);
	/* The standalone proposals have rules of their own. */
	if (missing & (UINT64_C(1) << VHU_PF_STANDALONE) && message->dialect != VHU_UPSTREAM)
		missing = 0;
	if (missing && known)
		report_need(check, (unsigned)__builtin_ctzll(missing));
	/* Before rings start a driver may be about to take what it is offered. */
	if (!vhu_state_running(state))
		features |= state->features.offered.value;
	/* Bit 30 has rules of its own. */
	missing = message->needs_feature & ~(UINT64_C(1) << VHU_F_PROTOCOL_FEATURES) & ~features;
	if (missing && state->context.has_features) {
		struct vhu_context context = check->note->context;
		const struct vhu_name *name;

		if (!context.device)
			context.device = VIRTIO_ID_NET; /* whose bits some messages need */
		name = vhu_name_find(VHU_NAMES_virtio_features, (unsigned)__builtin_ctzll(missing),
				     &context);
		vhu_report(check, VHU_RULE_AT_205, state->features.acked.by,
			   "%s needs virtio feature %s, which was not acked", message->name,
			   name ? name->name : "?");
	}
}

/* Look at protocol features that are taken. */
static void check_protocol_features(struct vhu_check_context *check, uint64_t taken)
{
	const struct vhu_state *state = check->state;
	const struct vhu_context *context = &check->note->context;
	const char *name = check->note->message->name;
	uint64_t beyond = taken & ~state->protocol_features.offered.value;
	char names[NAMES_MAX], depends[NAMES_MAX];

	if (!state->protocol_features.offered.by) {
		if (check->whole)
			vhu_report(check, VHU_RULE_AT_204, 0,
				   "%s of 0x%" PRIx64 ", and no %s on this connection", name, taken,
				   vhu_messages[VHU_MSG_GET_PROTOCOL_FEATURES].name);
	} else if (beyond) {
		names_text(check, VHU_NAMES_protocol_features, beyond, names, sizeof(names));
		vhu_report(check, VHU_RULE_AT_203, state->protocol_features.offered.by,
			   "%s acks %s, which was not offered", name, names);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t lacks = taken >> bit & 1
				     ? vhu_protocol_feature_depends(bit, context->dialect) & ~taken
				     : 0;

		if (!lacks || bit == VHU_PF_STANDALONE)
			continue;
		names_text(check, VHU_NAMES_protocol_features, lacks, depends, sizeof(depends));
		vhu_report(check, VHU_RULE_AT_207, 0, "%s acks %s without %s, which it depends on",
			   name, feature_name(check, bit), depends);
	}
}

/* Look at virtio features that are taken. */
static void check_features(struct vhu_check_context *check, uint64_t taken)
{
	const struct vhu_state *state = check->state;
	const uint64_t version_1 = UINT64_C(1) << 32;
	const char *name = check->note->message->name;
	uint64_t beyond = taken & ~state->features.offered.value;
	char names[NAMES_MAX];

	if (state->features.offered.by && beyond) {
		names_text(check, VHU_NAMES_virtio_features, beyond, names, sizeof(names));
		vhu_report(check, VHU_RULE_AT_212, state->features.offered.by,
			   "%s acks %s, which was not offered", name, names);
	}
	/* A driver that was stopped in between may have been another one: firmware, then a kernel.
	 */
	if (state->features.acked.by > state->stopped.by &&
	    !(state->features.acked.value & version_1) && (taken & version_1) &&
	    (taken & state->features.acked.value) == state->features.acked.value &&
	    (state->features.offered.value & version_1))
		vhu_report(check, VHU_RULE_AT_211, state->features.acked.by,
			   "%s acks VERSION_1, which message %" PRIu64
			   " left out though it was offered",
			   name, state->features.acked.by);
	if ((taken >> VHU_F_LOG_ALL & 1) && !state->log.by && check->whole)
		vhu_report(check, VHU_RULE_AT_514, 0,
			   "%s acks LOG_ALL, and no %s told where to log", name,
			   vhu_messages[VHU_MSG_SET_LOG_BASE].name);
	if ((taken >> VHU_F_ACCESS_PLATFORM & 1) && state->context.has_protocol_features &&
	    !(vhu_taken(check, VHU_PF_BACKEND_REQ) && vhu_taken(check, VHU_PF_REPLY_ACK)))
		vhu_report(check, VHU_RULE_AT_613, state->protocol_features.acked.by,
			   "%s acks ACCESS_PLATFORM without BACKEND_REQ and REPLY_ACK: the "
			   "back-end cannot ask for translations",
			   name);
}

/* Return whether a message acks REPLY_ACK itself: User-mode Linux asks for a reply in that very
 * message, and is answered. */
static bool acks_reply_ack(const struct vhu_check_context *check)
{
	return vhu_check_message(check) == VHU_REQUEST(SET_PROTOCOL_FEATURES) &&
	       vhu_check_has_fields(check) &&
	       (vhu_get(check, check->note->layout->first) >> VHU_PF_REPLY_ACK & 1);
}

void vhu_rules_negotiation(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_message *message = check->note->message;
	const uint64_t bit30 = UINT64_C(1) << VHU_F_PROTOCOL_FEATURES;

	check_needs(check);
	if (check->note->reply || !message)
		return;
	if (message->needs_offer_only && (message->needs_feature & bit30) &&
	    state->features.offered.by && !(state->features.offered.value & bit30))
		vhu_report(check, VHU_RULE_AT_201, state->features.offered.by,
			   "%s, and the back-end did not offer bit 30", message->name);
	if (message->reply_rule == VHU_REPLY_ACK &&
	    (check->note->header.flags & VHU_FLAG_NEED_REPLY) &&
	    (state->context.has_protocol_features || check->whole) &&
	    !vhu_taken(check, VHU_PF_REPLY_ACK) && !acks_reply_ack(check) &&
	    check->record->channel != VHU_GPU)
		vhu_report(check, VHU_RULE_AT_401, state->protocol_features.acked.by,
			   "%s asks for a reply, and REPLY_ACK was not negotiated", message->name);
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(SET_PROTOCOL_FEATURES):
		if (vhu_check_has_fields(check))
			check_protocol_features(check, vhu_get(check, check->note->layout->first));
		break;
	case VHU_REQUEST(SET_FEATURES):
		if (vhu_check_has_fields(check))
			check_features(check, vhu_get(check, check->note->layout->first));
		break;
	case VHU_REQUEST(SET_OWNER):
		if (state->owner.by > state->owner_reset.by)
			vhu_report(check, VHU_RULE_AT_217, state->owner.by,
				   "%s again, after message %" PRIu64, message->name,
				   state->owner.by);
		break;
	case VHU_REQUEST(RESET_OWNER):
		vhu_report(check, VHU_RULE_AT_616, 0,
			   "%s is deprecated: back-ends disable vrings, reset all, or ignore it",
			   message->name);
		break;
	case VHU_REQUEST(SET_MEM_TABLE):
	case VHU_REQUEST(ADD_MEM_REG):
	case VHU_REQUEST(SET_VRING_KICK):
		if (check->whole && !state->owner.by && vhu_report_first(check, VHU_RULE_AT_216))
			vhu_report(check, VHU_RULE_AT_216, 0, "%s before %s", message->name,
				   vhu_messages[VHU_MSG_SET_OWNER].name);
		break;
	}
}
