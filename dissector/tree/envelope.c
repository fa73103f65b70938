/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record around a message. */
#include "dissector/tree/envelope.h"

#include <string.h>

#include "dissector/tree/expert.h"

static int hf_type = -1, hf_session = -1, hf_channel = -1, hf_direction = -1, hf_text = -1;
static int hf_marks = -1, hf_big_endian = -1, hf_redacted = -1, hf_truncated = -1;
static int hf_altered = -1, hf_partial = -1, hf_earlier = -1, hf_lost = -1;
static int hf_dropped = -1, hf_begun = -1, hf_reconstructed = -1, hf_ended = -1, hf_change = -1;
static int hf_segments = -1, hf_segment = -1;
static int hf_stream = -1;
static int ett_marks = -1, ett_segments = -1, ett_peer = -1;

static value_string types[VHU_RECORD_TYPES + 1], channels[VHU_CHANNELS + 1];
static const value_string directions[] = {{0, "to back-end"}, {1, "to front-end"}, {0, NULL}};

/* A peer's fields. */
struct peer_fields {
	int peer, pid, uid, gid, comm, path;
};
static struct peer_fields front_end = {-1, -1, -1, -1, -1, -1};
static struct peer_fields back_end = {-1, -1, -1, -1, -1, -1};

#define MARK(hf, label, filter, mask, blurb)                                                       \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.marks." filter, FT_BOOLEAN, 16, TFS(&tfs_set_notset),   \
			    mask, blurb, HFILL                                                     \
		}                                                                                  \
	}
#define PEER(side, label, filter)                                                                  \
	{&side.peer,                                                                               \
	 {label, "vhost_user.peer." filter, FT_NONE, BASE_NONE, NULL, 0, NULL, HFILL}},            \
	    {&side.pid,                                                                            \
	     {"Process", "vhost_user.peer." filter ".pid", FT_UINT32, BASE_DEC, NULL, 0, NULL,     \
	      HFILL}},                                                                             \
	    {&side.uid,                                                                            \
	     {"User", "vhost_user.peer." filter ".uid", FT_UINT32, BASE_DEC, NULL, 0, NULL,        \
	      HFILL}},                                                                             \
	    {&side.gid,                                                                            \
	     {"Group", "vhost_user.peer." filter ".gid", FT_UINT32, BASE_DEC, NULL, 0, NULL,       \
	      HFILL}},                                                                             \
	    {&side.comm,                                                                           \
	     {"Command", "vhost_user.peer." filter ".comm", FT_STRING, BASE_NONE, NULL, 0, NULL,   \
	      HFILL}},                                                                             \
	{                                                                                          \
		&side.path,                                                                        \
		{                                                                                  \
			"Socket", "vhost_user.peer." filter ".path", FT_STRING, BASE_NONE, NULL,   \
			    0, NULL, HFILL                                                         \
		}                                                                                  \
	}

static hf_register_info fields[] = {
    {&hf_type, {"Record", "vhost_user.type", FT_UINT8, BASE_DEC, VALS(types), 0, NULL, HFILL}},
    {&hf_session, {"Session", "vhost_user.session", FT_UINT64, BASE_DEC, NULL, 0, NULL, HFILL}},
    {&hf_stream,
     {"Stream", "vhost_user.stream", FT_UINT32, BASE_DEC, NULL, 0,
      "Each channel of each session, numbered from 0", HFILL}},
    {&hf_channel,
     {"Channel", "vhost_user.channel", FT_UINT8, BASE_DEC, VALS(channels), 0, NULL, HFILL}},
    {&hf_direction,
     {"Direction", "vhost_user.direction", FT_UINT8, BASE_DEC, VALS(directions), 0, NULL, HFILL}},
    {&hf_text,
     {"Text", "vhost_user.text", FT_STRING, BASE_NONE, NULL, 0,
      "Why the session ended, or what went wrong", HFILL}},
    {&hf_change,
     {"Altered", "vhost_user.altered", FT_STRING, BASE_NONE, NULL, 0,
      "What the proxy did to the message, and by which fault", HFILL}},
    {&hf_marks,
     {"Marks", "vhost_user.marks", FT_UINT16, BASE_HEX, NULL, 0, "Left by what captured it",
      HFILL}},
    MARK(hf_big_endian, "Big endian", "big_endian", VHU_MARK_BIG_ENDIAN,
	 "The message's byte order"),
    MARK(hf_redacted, "Redacted", "redacted", VHU_MARK_REDACTED,
	 "Key material was replaced by zeros"),
    MARK(hf_truncated, "Descriptors lost", "fds_lost", VHU_MARK_TRUNCATED, "MSG_CTRUNC"),
    MARK(hf_altered, "Altered", "altered", VHU_MARK_ALTERED, "The proxy changed the message"),
    MARK(hf_partial, "Partial", "partial", VHU_MARK_PARTIAL,
	 "The sender closed before the message was whole"),
    MARK(hf_earlier, "Earlier", "earlier", VHU_MARK_EARLIER,
	 "Told again: it passed before what follows, or before the file began"),
    MARK(hf_dropped, "Dropped", "dropped", VHU_MARK_DROPPED, "The proxy did not pass it on"),
    MARK(hf_lost, "Records lost", "lost", VHU_MARK_LOST, "Records before this one are missing"),
    MARK(hf_begun, "Began before", "begun", VHU_MARK_BEGUN,
	 "The session's beginning passed before the capture began"),
    MARK(hf_reconstructed, "Reconstructed", "reconstructed", VHU_MARK_RECONSTRUCTED,
	 "Made up from what was found elsewhere: nothing of it was captured"),
    MARK(hf_ended, "Ended", "ended", VHU_MARK_ENDED,
	 "The translation that this IOTLB update added holds no longer"),
    {&hf_segments,
     {"Segments", "vhost_user.segments", FT_UINT8, BASE_DEC, NULL, 0,
      "How many pieces the message arrived in", HFILL}},
    {&hf_segment, {"Segment", "vhost_user.segment", FT_UINT32, BASE_DEC, NULL, 0, "Bytes", HFILL}},
    PEER(front_end, "Front-end", "front_end"),
    PEER(back_end, "Back-end", "back_end"),
};

void vhu_envelope_register(int proto)
{
	static int *ett[] = {&ett_marks, &ett_segments, &ett_peer};

	for (unsigned i = 0; i < VHU_RECORD_TYPES; i++)
		types[i] = (value_string){i, vhu_record_type_name((enum vhu_record_type)i)};
	for (unsigned i = 0; i < VHU_CHANNELS; i++)
		channels[i] = (value_string){i, vhu_channel_name((enum vhu_channel)i)};
	proto_register_field_array(proto, fields, array_length(fields));
	proto_register_subtree_array(ett, array_length(ett));
}

/* Add a text of the record, which lies in @tvb, unless it is empty. */
static proto_item *add_text(proto_tree *tree, int hf, tvbuff_t *tvb, const uint8_t *bytes,
			    const char *text)
{
	if (!*text)
		return NULL;
	return proto_tree_add_item(tree, hf, tvb, (int)((const uint8_t *)text - bytes),
				   (int)strlen(text), ENC_UTF_8);
}

/* Add one side of the session, if anything is known about it. */
static void add_peer(proto_tree *tree, tvbuff_t *tvb, const uint8_t *bytes, int head,
		     const struct peer_fields *hf, const struct vhu_peer *peer)
{
	proto_tree *below;

	if (!peer->known && !*peer->path)
		return;
	below = proto_item_add_subtree(proto_tree_add_item(tree, hf->peer, tvb, 0, head, ENC_NA),
				       ett_peer);
	if (peer->known) {
		proto_tree_add_uint(below, hf->pid, tvb, 0, head, peer->pid);
		proto_tree_add_uint(below, hf->uid, tvb, 0, head, peer->uid);
		proto_tree_add_uint(below, hf->gid, tvb, 0, head, peer->gid);
		add_text(below, hf->comm, tvb, bytes, peer->comm);
	}
	add_text(below, hf->path, tvb, bytes, peer->path);
}

/* Add the marks, with an expert item for each loss or change. */
static void add_marks(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, int head, unsigned marks)
{
	static int *const bits[] = {&hf_big_endian, &hf_redacted,      &hf_truncated, &hf_altered,
				    &hf_partial,    &hf_earlier,       &hf_lost,      &hf_dropped,
				    &hf_begun,      &hf_reconstructed, &hf_ended};
	proto_item *item = proto_tree_add_uint(tree, hf_marks, tvb, 0, head, marks);
	proto_tree *below = proto_item_add_subtree(item, ett_marks);

	for (unsigned i = 0; i < array_length(bits); i++)
		proto_tree_add_boolean(below, *bits[i], tvb, 0, head, marks);
	if (marks & VHU_MARK_REDACTED)
		vhu_expert_note(item, pinfo, VHU_EXPERT_REDACTED,
				"Key material was replaced by zeros");
	if (marks & VHU_MARK_TRUNCATED)
		vhu_expert_note(item, pinfo, VHU_EXPERT_FDS_LOST,
				"Descriptors were lost on the way (MSG_CTRUNC)");
	if (marks & VHU_MARK_PARTIAL)
		vhu_expert_note(item, pinfo, VHU_EXPERT_PARTIAL,
				"The sender closed before the message was whole");
}

/* Add the pieces that the message arrived in, if they are known. */
static void add_segments(proto_tree *tree, tvbuff_t *tvb, int head, const struct vhu_record *record)
{
	proto_tree *below;

	if (!record->segments)
		return;
	below = proto_item_add_subtree(
	    proto_tree_add_uint(tree, hf_segments, tvb, 0, head, record->segments), ett_segments);
	for (unsigned i = 0; i < record->segments; i++)
		proto_tree_add_uint(below, hf_segment, tvb, 0, head, record->segment[i]);
}

void vhu_envelope_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const uint8_t *bytes,
		      int head, const struct vhu_record *record, uint32_t stream)
{
	proto_item *text;

	proto_tree_add_uint(tree, hf_type, tvb, 0, head, record->type);
	proto_tree_add_uint64(tree, hf_session, tvb, 0, head, record->session);
	proto_item_set_generated(proto_tree_add_uint(tree, hf_stream, tvb, 0, 0, stream));
	proto_tree_add_uint(tree, hf_channel, tvb, 0, head, record->channel);
	if (record->type == VHU_RECORD_MESSAGE)
		proto_tree_add_uint(tree, hf_direction, tvb, 0, head, record->from_back_end);
	add_marks(tree, pinfo, tvb, head, record->marks);
	add_segments(tree, tvb, head, record);
	add_peer(tree, tvb, bytes, head, &front_end, &record->front_end);
	add_peer(tree, tvb, bytes, head, &back_end, &record->back_end);
	text = add_text(tree, record->type == VHU_RECORD_MESSAGE ? hf_change : hf_text, tvb, bytes,
			record->text);
	if (record->marks & VHU_MARK_ALTERED)
		vhu_expert_note(text ? text : tree, pinfo, VHU_EXPERT_ALTERED,
				"The proxy changed this message%s%s", *record->text ? ": " : "",
				ws_printable(pinfo->pool, record->text, strlen(record->text)));
	if (record->type == VHU_RECORD_ERROR)
		vhu_expert_note(text ? text : tree, pinfo, VHU_EXPERT_ERROR, "%s",
				*record->text
				    ? ws_printable(pinfo->pool, record->text, strlen(record->text))
				    : "The capture reports an error");
}
