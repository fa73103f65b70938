/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message as a tree. */
#include "dissector/tree/message.h"

#include <string.h>

#include "dissector/tree/expert.h"
#include "dissector/tree/payload.h"
#include "dissector/tree/references.h"

static int hf_header = -1, hf_request = -1, hf_flags = -1, hf_size = -1;
static int hf_version = -1, hf_flag_reply = -1, hf_need_reply = -1, hf_reserved = -1;
static int hf_message = -1, hf_reply = -1, hf_dialect = -1, hf_device = -1;
static int hf_request_in = -1, hf_reply_in = -1, hf_response_time = -1, hf_response_us = -1;
static int ett_header = -1, ett_flags = -1;

static value_string dialects[VHU_DIALECTS + 1];

#define FLAG(hf, label, filter, mask)                                                              \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.flags." filter, FT_BOOLEAN, 32, TFS(&tfs_set_notset),   \
			    mask, NULL, HFILL                                                      \
		}                                                                                  \
	}

static hf_register_info fields[] = {
    {&hf_message,
     {"Message", "vhost_user.message", FT_STRING, BASE_NONE, NULL, 0,
      "Its name, without VHOST_USER_", HFILL}},
    {&hf_reply,
     {"Reply", "vhost_user.reply", FT_BOOLEAN, BASE_NONE, NULL, 0, "It answers another message",
      HFILL}},
    {&hf_dialect,
     {"Dialect", "vhost_user.dialect", FT_UINT8, BASE_DEC, VALS(dialects), 0,
      "As the session has told, or as the preference says", HFILL}},
    {&hf_device,
     {"Virtio device", "vhost_user.device", FT_UINT32, BASE_DEC, NULL, 0,
      "As the session has told, or as the preference says", HFILL}},
    {&hf_request_in,
     {"Request in", "vhost_user.request_in", FT_FRAMENUM, BASE_NONE,
      FRAMENUM_TYPE(FT_FRAMENUM_REQUEST), 0, NULL, HFILL}},
    {&hf_reply_in,
     {"Reply in", "vhost_user.reply_in", FT_FRAMENUM, BASE_NONE,
      FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE), 0, NULL, HFILL}},
    {&hf_response_time,
     {"Response time", "vhost_user.response_time", FT_RELATIVE_TIME, BASE_NONE, NULL, 0,
      "From the request to its reply", HFILL}},
    {&hf_response_us,
     {"Response time in us", "vhost_user.response_us", FT_UINT64, BASE_DEC, NULL, 0,
      "Whole microseconds, for columns and graphs", HFILL}},
    {&hf_header, {"Header", "vhost_user.header", FT_NONE, BASE_NONE, NULL, 0, NULL, HFILL}},
    {&hf_request,
     {"Request", "vhost_user.request", FT_UINT32, BASE_DEC, NULL, 0, "The message's id", HFILL}},
    {&hf_flags, {"Flags", "vhost_user.flags", FT_UINT32, BASE_HEX, NULL, 0, NULL, HFILL}},
    {&hf_version,
     {"Version", "vhost_user.flags.version", FT_UINT32, BASE_DEC, NULL, VHU_FLAGS_VERSION_MASK,
      NULL, HFILL}},
    FLAG(hf_flag_reply, "Reply", "reply", VHU_FLAG_REPLY),
    FLAG(hf_need_reply, "Need reply", "need_reply", VHU_FLAG_NEED_REPLY),
    {&hf_reserved,
     {"Reserved", "vhost_user.flags.reserved", FT_UINT32, BASE_HEX, NULL, VHU_FLAGS_RESERVED, NULL,
      HFILL}},
    {&hf_size,
     {"Size", "vhost_user.size", FT_UINT32, BASE_DEC, NULL, 0, "Of the payload, in bytes", HFILL}},
};

void vhu_message_register(int proto)
{
	static int *ett[] = {&ett_header, &ett_flags};

	for (unsigned i = 0; i < VHU_DIALECTS; i++)
		dialects[i] = (value_string){i, vhu_dialect_name((enum vhu_dialect)i)};
	proto_register_field_array(proto, fields, array_length(fields));
	proto_register_subtree_array(ett, array_length(ett));
	vhu_references_register(proto);
	vhu_payload_register(proto);
}

/* Add the header, whose size must agree with what was sent. */
static void add_header(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, int at,
		       const struct vhu_record *record, const struct vhu_annotation *note)
{
	unsigned encoding =
	    record->marks & VHU_MARK_BIG_ENDIAN ? ENC_BIG_ENDIAN : ENC_LITTLE_ENDIAN;
	static int *const flags[] = {&hf_version, &hf_flag_reply, &hf_need_reply, &hf_reserved};
	uint64_t sent = record->message_sent - VHU_HEADER_SIZE;
	proto_item *item;
	proto_tree *below;

	item = proto_tree_add_item(tree, hf_header, tvb, at, VHU_HEADER_SIZE, ENC_NA);
	tree = proto_item_add_subtree(item, ett_header);
	proto_tree_add_item(tree, hf_request, tvb, at, 4, encoding);
	item = proto_tree_add_item(tree, hf_flags, tvb, at + 4, 4, encoding);
	below = proto_item_add_subtree(item, ett_flags);
	for (unsigned i = 0; i < array_length(flags); i++)
		proto_tree_add_item(below, *flags[i], tvb, at + 4, 4, encoding);
	item = proto_tree_add_item(tree, hf_size, tvb, at + 8, 4, encoding);
	if (note->header.size != sent)
		vhu_expert_note(item, pinfo, VHU_EXPERT_SIZE,
				"The header says %u bytes, %" PRIu64 " were sent",
				note->header.size, sent);
}

/* Add the message's name; both of them where nothing has told yet which it is. */
static void add_name(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, int at,
		     const struct vhu_annotation *note)
{
	proto_item *item;

	if (!note->message) {
		vhu_expert_add(tree, pinfo, VHU_EXPERT_UNKNOWN, tvb, at, 4,
			       "No message of this channel has the id %u", note->header.request);
		return;
	}
	item = proto_tree_add_string(tree, hf_message, tvb, at, 4, note->message->name);
	if (!note->or_message)
		return;
	proto_tree_add_string(tree, hf_message, tvb, at, 4, note->or_message->name);
	vhu_expert_note(item, pinfo, VHU_EXPERT_AMBIGUOUS, "%s or %s: nothing has told yet which",
			note->message->name, note->or_message->name);
}

/* Add what was learnt of the session, and the frame that belongs to this one. */
static void add_learnt(proto_tree *tree, tvbuff_t *tvb, const struct vhu_annotation *note,
		       uint32_t reply)
{
	const char *device = vhu_device_name(note->context.device);
	nstime_t time;

	if (note->context.dialect != VHU_ANY)
		proto_item_set_generated(
		    proto_tree_add_uint(tree, hf_dialect, tvb, 0, 0, note->context.dialect));
	if (note->context.device)
		proto_item_set_generated(proto_tree_add_uint_format_value(
		    tree, hf_device, tvb, 0, 0, note->context.device, "%s (%u)",
		    device ? device : "unknown", note->context.device));
	proto_item_set_generated(proto_tree_add_boolean(tree, hf_reply, tvb, 0, 0, note->reply));
	if (reply)
		proto_item_set_generated(proto_tree_add_uint(tree, hf_reply_in, tvb, 0, 0, reply));
	if (!note->request_number)
		return;
	proto_item_set_generated(
	    proto_tree_add_uint(tree, hf_request_in, tvb, 0, 0, (uint32_t)note->request_number));
	if (note->clock_back)
		return;
	time.secs = (time_t)(note->delay_ns / 1000000000);
	time.nsecs = (int)(note->delay_ns % 1000000000);
	proto_item_set_generated(proto_tree_add_time(tree, hf_response_time, tvb, 0, 0, &time));
	/* The same once more, for columns, which show times in seconds. */
	proto_item_set_hidden(
	    proto_tree_add_uint64(tree, hf_response_us, tvb, 0, 0, note->delay_ns / 1000));
}

void vhu_message_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, int at,
		     const struct vhu_record *record, const struct vhu_annotation *note,
		     uint32_t reply)
{
	if (!note->has_header) {
		if (record->message_sent < VHU_HEADER_SIZE)
			vhu_expert_add(tree, pinfo, VHU_EXPERT_HEADER, tvb, at,
				       (int)record->message_size, "%" PRIu64 " bytes of a header",
				       record->message_sent);
		return;
	}
	add_name(tree, pinfo, tvb, at, note);
	add_learnt(tree, tvb, note, reply);
	vhu_references_add(tree, tvb, note);
	add_header(tree, pinfo, tvb, at, record, note);
	vhu_payload_add(tree, pinfo, tvb, at + VHU_HEADER_SIZE, note);
}
