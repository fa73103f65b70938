/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session after a packet that changed it. */
#include "dissector/state.h"

#include "lib/protocol/text.h"

static int hf_state = -1, hf_queues = -1, hf_slots = -1, hf_status = -1, hf_running = -1;
static int hf_features = -1, hf_protocol_features = -1;
static int hf_log = -1, hf_inflight = -1;
static int hf_memory = -1, hf_region = -1, hf_guest = -1, hf_region_size = -1, hf_user = -1;
static int hf_mmap_offset = -1, hf_inode = -1, hf_added_in = -1;
static int hf_vring = -1, hf_index = -1, hf_size = -1, hf_base = -1, hf_descriptor = -1;
static int hf_available = -1, hf_used = -1, hf_enabled = -1, hf_started = -1;
static int hf_started_in = -1, hf_stopped_in = -1;
static int hf_eventfd[VHU_VRING_ROLES] = {-1, -1, -1};
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

static hf_register_info fields[] = {
    ROW(hf_state, "State of the session", "", FT_NONE, BASE_NONE, "After this packet"),
    ROW(hf_features, "Features negotiated", ".features", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_protocol_features, "Protocol features negotiated", ".protocol_features", FT_UINT64,
	BASE_HEX, NULL),
    ROW(hf_queues, "Queues at most", ".queues", FT_UINT32, BASE_DEC, "As the back-end told"),
    ROW(hf_slots, "Memory slots at most", ".memory_slots", FT_UINT32, BASE_DEC,
	"As the back-end told"),
    ROW(hf_status, "Device status", ".status", FT_UINT32, BASE_HEX, NULL),
    ROW(hf_log, "Dirty log", ".log", FT_BOOLEAN, BASE_NONE, "There is one"),
    ROW(hf_inflight, "Inflight area", ".inflight", FT_BOOLEAN, BASE_NONE, "There is one"),
    ROW(hf_running, "Vrings running", ".running", FT_UINT32, BASE_DEC, "Started and enabled"),
    ROW(hf_memory, "Regions of memory", ".regions", FT_UINT32, BASE_DEC, NULL),
    ROW(hf_region, "Region", ".region", FT_UINT32, BASE_DEC, "Its place in the memory table"),
    ROW(hf_guest, "Guest address", ".region.guest_address", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_region_size, "Size", ".region.size", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_user, "User address", ".region.user_address", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_mmap_offset, "Mmap offset", ".region.mmap_offset", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_inode, "Inode", ".region.inode", FT_UINT64, BASE_DEC, "Of its file"),
    FRAME(hf_added_in, "Added in", ".region.added_in"),
    ROW(hf_vring, "Vring", ".vring", FT_NONE, BASE_NONE, NULL),
    ROW(hf_index, "Index", ".vring.index", FT_UINT32, BASE_DEC, NULL),
    ROW(hf_size, "Size", ".vring.size", FT_UINT32, BASE_DEC, "Descriptors"),
    ROW(hf_descriptor, "Descriptor area", ".vring.descriptor", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_available, "Available area", ".vring.available", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_used, "Used area", ".vring.used", FT_UINT64, BASE_HEX, NULL),
    ROW(hf_base, "Base", ".vring.base", FT_UINT32, BASE_DEC, "As it was set or told last"),
    ROW(hf_eventfd[VHU_KICK], "Kick eventfd", ".vring.kick", FT_UINT32, BASE_DEC, "Its id"),
    ROW(hf_eventfd[VHU_CALL], "Call eventfd", ".vring.call", FT_UINT32, BASE_DEC, "Its id"),
    ROW(hf_eventfd[VHU_ERR], "Error eventfd", ".vring.err", FT_UINT32, BASE_DEC, "Its id"),
    ROW(hf_enabled, "Enabled", ".vring.enabled", FT_BOOLEAN, BASE_NONE, NULL),
    ROW(hf_started, "Started", ".vring.started", FT_BOOLEAN, BASE_NONE, NULL),
    FRAME(hf_started_in, "Started in", ".vring.started_in"),
    FRAME(hf_stopped_in, "Stopped in", ".vring.stopped_in"),
};

void vhu_state_register(int proto)
{
	static int *ett[] = {&ett_state, &ett_memory, &ett_region, &ett_vring};

	proto_register_field_array(proto, fields, array_length(fields));
	proto_register_subtree_array(ett, array_length(ett));
}

/* Return whether anybody asks for the state: looks at the tree, or refers to one of its fields. */
static bool is_wanted(proto_tree *tree)
{
	for (unsigned i = 0; i < array_length(fields); i++)
		if (proto_field_is_referenced(tree, *fields[i].p_id))
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

/* Add a number that is known, or else nothing. */
static void add_known(const struct vhu_state_place *to, bool known, int hf, uint64_t value)
{
	if (known)
		add(to, hf, value);
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

/* Add features that are known, with their names. */
static void add_features(const struct vhu_state_place *to, bool known, int hf,
			 enum vhu_field_id field, uint64_t value, const struct vhu_context *context)
{
	if (known && value && ws_is_visible(to->tree))
		proto_item_set_generated(proto_tree_add_uint64_format_value(
		    to->tree, hf, to->tvb, 0, 0, value, "0x%" PRIx64 " (%s)", value,
		    names_of(vhu_fields[field].names, value, context)));
	else if (known)
		add(to, hf, value);
}

/* Add what goes for the session as a whole. */
static void add_session(const struct vhu_state_place *to, const struct vhu_history_session *past,
			const struct vhu_context *context)
{
	add_features(to, past->has_features, hf_features, VHU_FIELD_features_features,
		     past->features, context);
	add_features(to, past->has_protocol_features, hf_protocol_features,
		     VHU_FIELD_protocol_features_protocol_features, past->protocol_features,
		     context);
	add_known(to, past->has_queues, hf_queues, past->queues);
	add_known(to, past->has_memory_slots, hf_slots, past->memory_slots);
	add_known(to, past->has_status, hf_status, past->status);
	add_known(to, past->has_log, hf_log, true);
	add_known(to, past->has_inflight, hf_inflight, true);
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
	add(&below, hf_guest, region->guest_address);
	add(&below, hf_region_size, region->size);
	add(&below, hf_user, region->user_address);
	add(&below, hf_mmap_offset, region->mmap_offset);
	add_known(&below, region->inode, hf_inode, region->inode);
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

/* Add a vring. */
static void add_vring(const struct vhu_state_place *to, unsigned index,
		      const struct vhu_history_vring *vring)
{
	proto_item *item = proto_tree_add_none_format(
	    to->tree, hf_vring, to->tvb, 0, 0, "Vring %u: %s, %s, size %u", index,
	    vring->started ? "started" : "stopped", vring->enabled ? "enabled" : "disabled",
	    vring->size);
	struct vhu_state_place below = {proto_item_add_subtree(item, ett_vring), to->tvb};

	proto_item_set_generated(item);
	add(&below, hf_index, index);
	add_known(&below, vring->has_size, hf_size, vring->size);
	add_known(&below, vring->has_addresses, hf_descriptor, vring->descriptor);
	add_known(&below, vring->has_addresses, hf_available, vring->available);
	add_known(&below, vring->has_addresses, hf_used, vring->used);
	add_known(&below, vring->has_base, hf_base, vring->base);
	for (unsigned i = 0; i < VHU_VRING_ROLES; i++)
		add_known(&below, vring->has_eventfd[i], hf_eventfd[i], vring->eventfd[i]);
	add(&below, hf_enabled, vring->enabled);
	add(&below, hf_started, vring->started);
	add_known(&below, vring->started_by, hf_started_in, vring->started_by);
	add_known(&below, vring->stopped_by, hf_stopped_in, vring->stopped_by);
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
		running += vring->started && vring->enabled;
		add_vring(&to, i, vring);
	}
	add(&to, hf_running, running);
	if (ws_is_visible(tree))
		proto_item_append_text(item, ": %u vring%s running, %u region%s", running,
				       running == 1 ? "" : "s", memory ? memory->regions : 0,
				       memory && memory->regions == 1 ? "" : "s");
}
