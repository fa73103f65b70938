/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session after a packet that changed it. */
#include "dissector/tree/state.h"

#include "lib/protocol/text.h"

static int hf_state = -1, hf_running = -1, hf_memory = -1, hf_region = -1, hf_inode = -1;
static int hf_added_in = -1, hf_vring = -1, hf_index = -1;
/* The facts of lib/session/state/state.def, in its order; those without a filter stay -1. */
static int hf_session[VHU_HISTORY_SESSION_FACTS], hf_fact[VHU_HISTORY_VRING_FACTS];
static int hf_frame[VHU_HISTORY_VRING_FRAMES], hf_area[VHU_HISTORY_REGION_FACTS];
static int ett_state = -1, ett_memory = -1, ett_region = -1, ett_vring = -1;

/* So many texts of features are kept. */
#define NAMES_KEPT 31

/* A row that says what its field is called, how it is filtered by and how it is shown. */
#define ROW(hf, label, filter, type, base, blurb)                                                  \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.now" filter, type, base, NULL, 0, blurb, HFILL          \
		}                                                                                  \
	}
#define FRAME(hf, label, filter)                                                                   \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.now" filter, FT_FRAMENUM, BASE_NONE,                    \
			    FRAMENUM_TYPE(FT_FRAMENUM_NONE), 0, NULL, HFILL                        \
		}                                                                                  \
	}

/* How each form of a fact is shown. */
#define TYPE_COUNT   FT_UINT32, BASE_DEC
#define TYPE_INDEX   FT_UINT32, BASE_DEC
#define TYPE_BITS    FT_UINT32, BASE_HEX
#define TYPE_ADDRESS FT_UINT64, BASE_HEX
#define TYPE_SAID    FT_BOOLEAN, BASE_NONE
#define TYPE_FLAG    FT_BOOLEAN, BASE_NONE
#define TYPE_RUNS    FT_BOOLEAN, BASE_NONE
#define TYPE_EVENT   FT_BOOLEAN, BASE_NONE

/* The same for a row of lib/session/state/state.def; the macro's other arguments have to be spread
 * first. */
#define FACT(...) ROW(__VA_ARGS__)

static hf_register_info fields[] = {
    ROW(hf_state, "State of the session", "", FT_NONE, BASE_NONE, "After this packet"),
#define VHU_FEATURES(member, title, json, field, filter, label)                                    \
	ROW(hf_session[VHU_HISTORY_##member], label, filter, FT_UINT64, BASE_HEX, NULL),
#define VHU_SESSION_SHOWN(member, repeat, form, json, filter, label, blurb)                        \
	FACT(hf_session[VHU_HISTORY_##member], label, filter, TYPE_##form, blurb),
#include "lib/session/state/state.def"
    ROW(hf_running, "Vrings running", ".running", FT_UINT32, BASE_DEC, "Started and enabled"),
    ROW(hf_memory, "Regions of memory", ".regions", FT_UINT32, BASE_DEC, NULL),
    ROW(hf_region, "Region", ".region", FT_UINT32, BASE_DEC, "Its place in the memory table"),
#define VHU_REGION_SHOWN(member, column, filter, label)                                            \
	ROW(hf_area[VHU_HISTORY_REGION_##member], label, filter, FT_UINT64, BASE_HEX, NULL),
#include "lib/session/state/state.def"
    ROW(hf_inode, "Inode", ".region.inode", FT_UINT64, BASE_DEC, "Of its file"),
    FRAME(hf_added_in, "Added in", ".region.added_in"),
    ROW(hf_vring, "Vring", ".vring", FT_NONE, BASE_NONE, NULL),
    ROW(hf_index, "Index", ".vring.index", FT_UINT32, BASE_DEC, NULL),
#define VHU_VRING_SHOWN(member, repeat, form, json, column, filter, label, blurb)                  \
	FACT(hf_fact[VHU_HISTORY_VRING_##member], label, filter, TYPE_##form, blurb),
#define VHU_VRING_FD(role, json, filter, label)                                                    \
	ROW(hf_fact[VHU_HISTORY_VRING_##role], label, filter, FT_UINT32, BASE_DEC, "Its id"),
#define VHU_VRING_FRAME(member, filter, label)                                                     \
	FRAME(hf_frame[VHU_HISTORY_FRAME_##member], label, filter),
#include "lib/session/state/state.def"
};

void vhu_state_register(int proto)
{
	static int *ett[] = {&ett_state, &ett_memory, &ett_region, &ett_vring};

	for (unsigned i = 0; i < array_length(fields); i++) {
		*fields[i].p_id = -1;
		/* Facts that are not shown have no field. */
		if (*fields[i].hfinfo.name)
			proto_register_field_array(proto, &fields[i], 1);
	}
	proto_register_subtree_array(ett, array_length(ett));
}

/* Return whether anybody asks for the state: looks at the tree, or refers to one of its fields. */
static bool is_wanted(proto_tree *tree)
{
	for (unsigned i = 0; i < array_length(fields); i++)
		if (*fields[i].p_id > 0 && proto_field_is_referenced(tree, *fields[i].p_id))
			return true;
	return false;
}

/* What is added, and where. */
struct vhu_state_place {
	proto_tree *tree;
	tvbuff_t *tvb;
};

/* Add a number. Returns its item. */
static proto_item *add(const struct vhu_state_place *to, int hf, uint64_t value)
{
	proto_item *item;

	if (proto_registrar_get_ftype(hf) == FT_UINT64)
		item = proto_tree_add_uint64(to->tree, hf, to->tvb, 0, 0, value);
	else if (proto_registrar_get_ftype(hf) == FT_BOOLEAN)
		item = proto_tree_add_boolean(to->tree, hf, to->tvb, 0, 0, value != 0);
	else
		item = proto_tree_add_uint(to->tree, hf, to->tvb, 0, 0, (uint32_t)value);
	proto_item_set_generated(item);
	return item;
}

/* Return the names of features. Sessions of one device have the same ones frame after frame, so
 * that the last few are kept. */
static const char *names_of(enum vhu_names_id set, uint64_t value,
			    const struct vhu_context *context)
{
	static struct names {
		enum vhu_names_id set;
		uint64_t value;
		enum vhu_dialect dialect;
		uint32_t device;
		char text[512];
	} kept[NAMES_KEPT];
	struct names *names = &kept[(value ^ value >> 24 ^ value >> 12) % NAMES_KEPT];

	if (*names->text && names->set == set && names->value == value &&
	    names->dialect == context->dialect && names->device == context->device)
		return names->text;
	names->set = set;
	names->value = value;
	names->dialect = context->dialect;
	names->device = context->device;
	vhu_bits_text(set, value, context, names->text, sizeof(names->text));
	return names->text;
}

/* Add features that were acked, with their names. */
static void add_features(const struct vhu_state_place *to, int hf, enum vhu_field_id field,
			 uint64_t value, const struct vhu_context *context)
{
	if (value && ws_is_visible(to->tree))
		proto_item_set_generated(proto_tree_add_uint64_format_value(
		    to->tree, hf, to->tvb, 0, 0, value, "0x%" PRIx64 " (%s)", value,
		    names_of(vhu_fields[field].names, value, context)));
	else
		add(to, hf, value);
}

/* Add what goes for the session as a whole. */
static void add_session(const struct vhu_state_place *to, const struct vhu_history_session *past,
			const struct vhu_context *context)
{
#define VHU_FEATURES(member, title, json, field, ...)                                              \
	if (vhu_history_knows(past->known, VHU_HISTORY_##member))                                  \
		add_features(to, hf_session[VHU_HISTORY_##member], VHU_FIELD_##field,              \
			     past->value[VHU_HISTORY_##member], context);
#define VHU_SESSION_SHOWN(member, ...)                                                             \
	if (vhu_history_knows(past->known, VHU_HISTORY_##member))                                  \
		add(to, hf_session[VHU_HISTORY_##member], past->value[VHU_HISTORY_##member]);
#include "lib/session/state/state.def"
}

/* Add a region of memory. */
static void add_region(const struct vhu_state_place *to, unsigned index,
		       const struct vhu_history_region *region)
{
	proto_item *item =
	    proto_tree_add_uint_format(to->tree, hf_region, to->tvb, 0, 0, index,
				       "Region %u: guest 0x%" PRIx64 ", size 0x%" PRIx64, index,
				       region->guest_address, region->size);
	struct vhu_state_place below = {proto_item_add_subtree(item, ett_region), to->tvb};

	proto_item_set_generated(item);
#define VHU_REGION_SHOWN(member, ...)                                                              \
	add(&below, hf_area[VHU_HISTORY_REGION_##member], region->member);
#include "lib/session/state/state.def"
	if (region->inode)
		add(&below, hf_inode, region->inode);
	add(&below, hf_added_in, region->added_by);
}

/* Add the memory map. */
static void add_memory(const struct vhu_state_place *to, const struct vhu_history_memory *memory)
{
	proto_item *item = add(to, hf_memory, memory->regions);
	struct vhu_state_place below = {proto_item_add_subtree(item, ett_memory), to->tvb};

	if (!memory->region && memory->regions)
		proto_item_append_text(item, " (not kept: too many changes of memory)");
	for (unsigned i = 0; memory->region && i < memory->regions; i++)
		add_region(&below, i, &memory->region[i]);
}

/* Return whether a vring's flag is set. */
#define IS(vring, member) ((vring)->value[VHU_HISTORY_VRING_##member] != 0)

/* Add a frame that told a fact, if there is one. */
static void add_frame(const struct vhu_state_place *to, int hf, uint32_t frame)
{
	if (frame)
		add(to, hf, frame);
}

/* Return how a flag of a vring stands, in words. A vring that was stopped is not started. */
static const char *flag_text(const struct vhu_history_vring *vring, unsigned fact, const char *yes,
			     const char *no)
{
	if (vring->value[fact])
		return yes;
	if (fact == VHU_HISTORY_VRING_started && vring->frame[VHU_HISTORY_FRAME_stopped])
		return no;
	return vhu_history_knows(vring->unseen, fact) ? "not seen" : no;
}

/* Add how a vring stands: its flags, and the frames that changed them. */
static void add_flags(const struct vhu_state_place *to, const struct vhu_history_vring *vring)
{
#define VHU_VRING_SHOWN(member, repeat, form, ...)                                                 \
	if ((VHU_FORM_##form == VHU_FORM_FLAG || VHU_FORM_##form == VHU_FORM_RUNS) &&              \
	    !vhu_history_knows(vring->unseen, VHU_HISTORY_VRING_##member))                         \
		add(to, hf_fact[VHU_HISTORY_VRING_##member], IS(vring, member));
#define VHU_VRING_FRAME(member, ...)                                                               \
	add_frame(to, hf_frame[VHU_HISTORY_FRAME_##member],                                        \
		  vring->frame[VHU_HISTORY_FRAME_##member]);
#include "lib/session/state/state.def"
}

/* Add a vring: what is known of it, then how it stands. */
static void add_vring(const struct vhu_state_place *to, unsigned index,
		      const struct vhu_history_vring *vring)
{
	proto_item *item = proto_tree_add_none_format(
	    to->tree, hf_vring, to->tvb, 0, 0, "Vring %u: %s, %s, size %u", index,
	    flag_text(vring, VHU_HISTORY_VRING_started, "started", "stopped"),
	    flag_text(vring, VHU_HISTORY_VRING_enabled, "enabled", "disabled"),
	    (unsigned)vring->value[VHU_HISTORY_VRING_size]);
	struct vhu_state_place below = {proto_item_add_subtree(item, ett_vring), to->tvb};

	proto_item_set_generated(item);
	add(&below, hf_index, index);
	for (unsigned fact = 0; fact < VHU_HISTORY_VRING_FACTS; fact++)
		if (vhu_history_knows(vring->known, fact))
			add(&below, hf_fact[fact], vring->value[fact]);
	add_flags(&below, vring);
}

void vhu_state_add(proto_tree *tree, tvbuff_t *tvb, const struct vhu_learnt *learnt,
		   uint32_t number)
{
	const struct vhu_history *history = learnt->history;
	const struct vhu_history_session *session;
	const struct vhu_history_memory *memory;
	struct vhu_state_place to = {NULL, tvb};
	unsigned running = 0;
	proto_item *item;

	if (!history || !is_wanted(tree))
		return;
	item = proto_tree_add_item(tree, hf_state, tvb, 0, 0, ENC_NA);
	proto_item_set_generated(item);
	to.tree = proto_item_add_subtree(item, ett_state);
	session = vhu_history_session(history, number);
	memory = vhu_history_memory(history, number);
	if (session)
		add_session(&to, session, &learnt->note.context);
	if (memory)
		add_memory(&to, memory);
	for (unsigned i = 0; i < vhu_history_vrings(history); i++) {
		const struct vhu_history_vring *vring = vhu_history_vring(history, i, number);

		if (!vring)
			continue;
		running += IS(vring, started) && IS(vring, enabled);
		add_vring(&to, i, vring);
	}
	add(&to, hf_running, running);
	if (ws_is_visible(tree))
		proto_item_append_text(item, ": %u vring%s running, %u region%s", running,
				       running == 1 ? "" : "s", memory ? memory->regions : 0,
				       memory && memory->regions == 1 ? "" : "s");
}
