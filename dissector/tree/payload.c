/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message's payload as a tree. */
#include "dissector/tree/payload.h"

#include "dissector/tree/expert.h"
#include "dissector/tree/field.h"
#include "lib/protocol/text.h"

static int hf_payload = -1, hf_left_over = -1;
static int ett_payload = -1, ett_structure = -1;

/* The walk's structures as the tree has them. */
struct trees {
	proto_tree *tree[VHU_WALK_DEPTH + 1];
	proto_item *item[VHU_WALK_DEPTH + 1]; /* whose sub-tree each is */
	unsigned values[VHU_WALK_DEPTH + 1];  /* told in the structure's own line */
	unsigned depth;
	proto_item *last; /* added last */
};

void vhu_payload_register(int proto)
{
	static hf_register_info hf[] = {
	    {&hf_payload,
	     {"Payload", "vhost_user.payload", FT_BYTES, BASE_NONE, NULL, 0,
	      "What follows the header", HFILL}},
	    {&hf_left_over,
	     {"Left over", "vhost_user.left_over", FT_BYTES, BASE_NONE, NULL, 0,
	      "Bytes that the payload's layout has no place for", HFILL}},
	};
	static int *ett[] = {&ett_payload, &ett_structure};

	proto_register_field_array(proto, hf, array_length(hf));
	proto_register_subtree_array(ett, array_length(ett));
	vhu_field_register(proto);
}

/* Begin a structure. The fields of a configuration space go below its bytes, added before them. */
static void open_structure(struct trees *in, tvbuff_t *tvb, int at, const struct vhu_item *item,
			   const struct vhu_context *context)
{
	proto_tree *tree = in->tree[in->depth];
	proto_item *opened = in->last;

	if (item->field->kind != VHU_CONFIG)
		opened = vhu_field_add(tree, tvb, at, item, context);
	if (item->element && ws_is_visible(tree))
		proto_item_append_text(opened, " %u", item->index);
	in->depth++;
	in->tree[in->depth] = proto_item_add_subtree(opened, ett_structure);
	in->item[in->depth] = opened;
	in->values[in->depth] = 0;
}

/* Add a field, and its value to the line of the structure that it is in. */
static void add_value(struct trees *in, tvbuff_t *tvb, int at, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	proto_tree *tree = in->tree[in->depth];
	char text[64];

	in->last = vhu_field_add(tree, tvb, at, item, context);
	if (!in->depth || !item->field->brief || !ws_is_visible(tree))
		return;
	vhu_value_text(item, context, text, sizeof(text));
	proto_item_append_text(in->item[in->depth], "%s%s %s",
			       in->values[in->depth]++ ? ", " : ": ", item->field->brief, text);
}

/* Add the result of one step of the walk. */
static void add_step(struct trees *in, packet_info *pinfo, tvbuff_t *tvb, int at,
		     const struct vhu_item *item, const struct vhu_context *context)
{
	proto_tree *tree = in->tree[in->depth];
	int from = at + (int)item->offset;

	switch (item->what) {
	case VHU_ITEM_VALUE:
		add_value(in, tvb, at, item, context);
		break;
	case VHU_ITEM_OPEN:
		open_structure(in, tvb, at, item, context);
		break;
	case VHU_ITEM_CLOSE:
		in->depth--;
		break;
	case VHU_ITEM_CUT:
		break;
	case VHU_ITEM_MISSING:
		vhu_expert_add(in->tree[0], pinfo, VHU_EXPERT_MISSING, tvb, at, 0,
			       "%u bytes are missing from %s on", item->size, item->field->label);
		break;
	case VHU_ITEM_LEFT_OVER:
		in->last =
		    proto_tree_add_item(tree, hf_left_over, tvb, from, (int)item->size, ENC_NA);
		vhu_expert_note(in->last, pinfo, VHU_EXPERT_LEFT_OVER,
				"%u bytes more than the message has", item->size);
		break;
	}
}

void vhu_payload_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, int at,
		     const struct vhu_annotation *note)
{
	const struct vhu_payload *payload = &note->payload;
	struct vhu_walk walk;
	struct vhu_item item;
	struct trees in = {0};

	if (payload->size == 0 && (!note->layout || note->layout->size == 0))
		return;
	in.last = proto_tree_add_item(tree, hf_payload, tvb, at, (int)payload->captured, ENC_NA);
	if (!note->layout)
		return;
	if (ws_is_visible(tree))
		proto_item_set_text(in.last, "Payload: %s", note->layout->title);
	in.tree[0] = proto_item_add_subtree(in.last, ett_payload);
	vhu_walk_start(&walk, note->layout, payload, &note->context);
	while (vhu_walk_next(&walk, &item))
		add_step(&in, pinfo, tvb, at, &item, &note->context);
}
