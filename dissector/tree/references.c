/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a message refers to. */
#include "dissector/tree/references.h"

#include "lib/protocol/text.h"

static int hf_vring = -1, hf_place = -1, hf_region = -1, hf_offset = -1;
static int hf_offer = -1, hf_not_taken = -1, hf_not_offered = -1;
static int ett_place = -1;

static hf_register_info fields[] = {
    {&hf_vring,
     {"Vring", "vhost_user.vring", FT_UINT32, BASE_DEC, NULL, 0, "That the message is about",
      HFILL}},
    {&hf_place,
     {"Place", "vhost_user.place", FT_STRING, BASE_NONE, NULL, 0,
      "Where in the session's memory an area of a vring lies", HFILL}},
    {&hf_region,
     {"Region", "vhost_user.place.region", FT_UINT32, BASE_DEC, NULL, 0,
      "Its place in the memory table", HFILL}},
    {&hf_offset,
     {"Offset", "vhost_user.place.offset", FT_UINT64, BASE_HEX, NULL, 0,
      "From the region's beginning, in bytes", HFILL}},
    {&hf_offer,
     {"Offered", "vhost_user.offer", FT_UINT64, BASE_HEX, NULL, 0,
      "The features that there were to choose from", HFILL}},
    {&hf_not_taken,
     {"Offered and not acked", "vhost_user.offer.not_taken", FT_UINT64, BASE_HEX, NULL, 0, NULL,
      HFILL}},
    {&hf_not_offered,
     {"Taken and not offered", "vhost_user.offer.not_offered", FT_UINT64, BASE_HEX, NULL, 0, NULL,
      HFILL}},
};

void vhu_references_register(int proto)
{
	static int *ett[] = {&ett_place};

	proto_register_field_array(proto, fields, array_length(fields));
	proto_register_subtree_array(ett, array_length(ett));
}

/* Add a set of features and, if the tree is shown, their names. */
static void add_features(proto_tree *tree, tvbuff_t *tvb, int hf, uint64_t value,
			 const struct vhu_annotation *note)
{
	proto_item *item = proto_tree_add_uint64(tree, hf, tvb, 0, 0, value);
	char text[512];

	proto_item_set_generated(item);
	if (!ws_is_visible(tree))
		return;
	vhu_bits_text(vhu_fields[note->layout->first].names, value, &note->context, text,
		      sizeof(text));
	proto_item_append_text(item, " (%s)", value ? text : "none");
}

/* Add the place of an area in memory. */
static void add_place(proto_tree *tree, tvbuff_t *tvb, const struct vhu_place *place)
{
	char text[96];
	proto_item *item;

	snprintf(text, sizeof(text), "%s in region %u at +0x%" PRIx64, place->what, place->region,
		 place->offset);
	item = proto_tree_add_string(tree, hf_place, tvb, 0, 0, text);
	proto_item_set_generated(item);
	tree = proto_item_add_subtree(item, ett_place);
	proto_item_set_generated(proto_tree_add_uint(tree, hf_region, tvb, 0, 0, place->region));
	proto_item_set_generated(proto_tree_add_uint64(tree, hf_offset, tvb, 0, 0, place->offset));
}

void vhu_references_add(proto_tree *tree, tvbuff_t *tvb, const struct vhu_annotation *note)
{
	uint64_t taken = 0;

	if (note->vring >= 0)
		proto_item_set_generated(
		    proto_tree_add_uint(tree, hf_vring, tvb, 0, 0, (uint32_t)note->vring));
	for (unsigned i = 0; i < note->places; i++)
		add_place(tree, tvb, &note->place[i]);
	if (!note->offered_by || !note->layout || !note->layout->fields ||
	    !vhu_field_read(&note->payload, note->layout->first, 0, &taken))
		return;
	add_features(tree, tvb, hf_offer, note->offer, note);
	add_features(tree, tvb, hf_not_taken, note->offer & ~taken, note);
	add_features(tree, tvb, hf_not_offered, taken & ~note->offer, note);
}
