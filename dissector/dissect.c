/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dissector "vhost_user".
 *
 * A packet is one record. Wireshark asks for the columns of every frame of a list, so the
 * dissector makes them in one go, and nothing else unless Wireshark asks for a tree. Nothing throws
 * until everything that was captured is shown.
 */
#include "dissector/dissect.h"

#include <errno.h>
#include <string.h>

#include "dissector/replay/replay.h"
#include "dissector/replay/stream.h"
#include "dissector/tap/conversation.h"
#include "dissector/tap/statistics.h"
#include "dissector/tap/tap.h"
#include "dissector/tree/descriptor.h"
#include "dissector/tree/envelope.h"
#include "dissector/tree/event.h"
#include "dissector/tree/expert.h"
#include "dissector/tree/finding.h"
#include "dissector/tree/message.h"
#include "dissector/tree/snapshot.h"
#include "dissector/tree/state.h"
#include "dissector/ws_compat.h"

/* Virtio device ids that the preference offers. */
#define DEVICES 64

/* The longest Info text; longer ones are cut. */
#define INFO_SIZE 1024

static int proto = -1;
static int ett = -1;
static int proto_malformed = -1, expert_tap; /* Wireshark's */
static int preferred_dialect = VHU_ANY, preferred_device;

/* A packet on its way. */
struct vhu_dissect_frame {
	tvbuff_t *tvb;
	packet_info *pinfo;
	const uint8_t *bytes;
	uint32_t captured, reported;
	struct vhu_record record;
	struct vhu_learnt learnt;
	const char *info;
};

/* Return a packet in one line of printable characters; nearly always @text is printable as it is.
 */
static const char *describe(const struct vhu_dissect_frame *frame, char text[INFO_SIZE])
{
	vhu_annotation_text(&frame->learnt.note, &frame->record, text, INFO_SIZE);
	for (const char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			return ws_printable(frame->pinfo->pool, text, strlen(text));
	return text;
}

/* Set the sender and the receiver of a message; the flow graph and conversations use them too. */
static void set_addresses(packet_info *pinfo, const struct vhu_record *record)
{
	static const char front_end[] = "front-end", back_end[] = "back-end";
	address *front = record->from_back_end ? &pinfo->dst : &pinfo->src;
	address *back = record->from_back_end ? &pinfo->src : &pinfo->dst;

	if (record->type != VHU_RECORD_MESSAGE)
		return;
	set_address(front, AT_STRINGZ, sizeof(front_end), front_end);
	set_address(back, AT_STRINGZ, sizeof(back_end), back_end);
}

/* Add everything known about a packet to @tree, below a line that sums it up. */
static void add_tree(const struct vhu_dissect_frame *frame, proto_tree *tree)
{
	const struct vhu_record *record = &frame->record;
	const struct vhu_learnt *learnt = &frame->learnt;
	int head = record->message ? (int)(record->message - frame->bytes) : (int)frame->captured;
	proto_item *item = proto_tree_add_item(tree, proto, frame->tvb, 0, -1, ENC_NA);
	proto_tree *below = proto_item_add_subtree(item, ett);

	if (ws_is_visible(tree))
		proto_item_append_text(item, ", session %" PRIu64 ": %s", record->session,
				       frame->info);
	vhu_envelope_add(below, frame->pinfo, frame->tvb, frame->bytes, head, record,
			 learnt->stream);
	vhu_finding_add_all(below, frame->pinfo, frame->tvb, learnt);
	if (record->type == VHU_RECORD_MESSAGE) {
		vhu_message_add(below, frame->pinfo, frame->tvb, head, record, &learnt->note,
				learnt->reply);
		vhu_descriptor_add_all(below, frame->pinfo->pool, frame->tvb, frame->bytes, head,
				       record);
	}
	if (record->type == VHU_RECORD_VRING)
		vhu_event_add(below, frame->tvb, frame->bytes, head, &record->vring);
	if (record->type == VHU_RECORD_SNAPSHOT)
		vhu_snapshot_add(below, frame->pinfo, frame->tvb, frame->bytes, head,
				 &record->snapshot);
	vhu_state_add(below, frame->tvb, learnt, frame->pinfo->num);
}

/* Show a packet whose record could not be decoded, for the reason @error. */
static void show_undecoded(const struct vhu_dissect_frame *frame, proto_tree *tree, int error)
{
	const char *text = error == -ENODATA ? "Cut before the message" : "Not a record of vhu";
	proto_item *item = proto_tree_add_item(tree, proto, frame->tvb, 0, -1, ENC_NA);

	col_set_str(frame->pinfo->cinfo, COL_INFO, text);
	if (error != -ENODATA)
		vhu_expert_note(item, frame->pinfo, VHU_EXPERT_RECORD, "%s", text);
}

/*
 * Return whether Wireshark needs the tree: to show it, to filter by its fields, or to gather expert
 * items, for a filter or for a tap.
 */
static bool is_wanted(proto_tree *tree)
{
	if (have_tap_listener(expert_tap))
		return true;
	return tree && (proto_field_is_referenced(tree, proto) ||
			proto_field_is_referenced(tree, proto_expert) ||
			proto_field_is_referenced(tree, proto_malformed));
}

/* Show a packet whose record was decoded. */
static void show(struct vhu_dissect_frame *frame, proto_tree *tree)
{
	packet_info *pinfo = frame->pinfo;
	bool seen = PINFO_FD_VISITED(pinfo);
	char text[INFO_SIZE];

	frame->info = "";
	frame->record.time_ns =
	    (uint64_t)pinfo->abs_ts.secs * 1000000000 + (uint64_t)pinfo->abs_ts.nsecs;
	if (seen)
		vhu_replay_recall(&frame->record, pinfo->num, &frame->learnt);
	else
		vhu_replay_learn(&frame->record, pinfo->num, &frame->learnt);
	vhu_stream_set(pinfo, frame->learnt.stream);
	set_addresses(pinfo, &frame->record);
	if (pinfo->cinfo || ws_is_visible(tree))
		frame->info = describe(frame, text);
	col_add_str(pinfo->cinfo, COL_INFO, frame->info);
	vhu_tap(pinfo, &frame->record, &frame->learnt);
	if (is_wanted(tree))
		add_tree(frame, tree);
}

/* Dissect a packet, as Wireshark calls it. Returns how many of its bytes were ours: all. */
static int dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data _U_)
{
	static struct vhu_fd_info fds[VHU_RECORD_FDS_MAX];
	struct vhu_dissect_frame frame;
	int ret;

	frame.tvb = tvb;
	frame.pinfo = pinfo;
	frame.captured = tvb_captured_length(tvb);
	frame.reported = tvb_reported_length(tvb);
	frame.bytes = frame.captured ? tvb_get_ptr(tvb, 0, (int)frame.captured) : NULL;
	col_set_str(pinfo->cinfo, COL_PROTOCOL, "vhost-user");
	ret = vhu_record_decode(&frame.record, fds, frame.bytes, frame.captured, frame.reported);
	if (ret)
		show_undecoded(&frame, tree, ret);
	else
		show(&frame, tree);
	/* All that there is was shown; Wireshark tells what was cut off. */
	if (frame.captured < frame.reported)
		tvb_ensure_bytes_exist(tvb, 0, (int)frame.reported);
	return frame.captured ? (int)frame.captured : 1;
}

/* Begin with a file; Wireshark calls this before the first frame. The tap of expert items is looked
 * up here because Wireshark registers it later than protocols. */
static void begin(void)
{
	expert_tap = find_tap_id("expert");
	vhu_replay_begin((enum vhu_dialect)preferred_dialect, (uint32_t)preferred_device);
}

/* Register the preferences: a dialect and a device to assume. */
static void register_preferences(void)
{
	static enum_val_t dialects[VHU_DIALECTS + 1], devices[DEVICES + 1];
	module_t *module = prefs_register_protocol(proto, NULL);
	unsigned count = 1;

	dialects[0] = devices[0] = (enum_val_t){"auto", "auto", 0};
	for (int i = 1; i < VHU_DIALECTS; i++) {
		const char *name = vhu_dialect_name((enum vhu_dialect)i);

		dialects[i] = (enum_val_t){name, name, i};
	}
	for (unsigned i = 1; i < DEVICES; i++) {
		const char *name = vhu_device_name(i);
		char *small;

		if (!name)
			continue;
		small = wmem_ascii_strdown(wmem_epan_scope(), name, -1);
		devices[count++] = (enum_val_t){small, small, (int)i};
	}
	prefs_register_enum_preference(
	    module, "dialect", "Dialect",
	    "What messages 41 to 43, the back-end's 6 to 9 and protocol feature 18 mean",
	    &preferred_dialect, dialects, false);
	prefs_register_enum_preference(module, "device", "Virtio device",
				       "The device of all sessions, whose feature bits and "
				       "configuration space are shown by name",
				       &preferred_device, devices, false);
}

void vhu_dissect_register(void)
{
	static int *subtrees[] = {&ett};

	proto = proto_register_protocol("vhost-user protocol", "vhost-user", VHU_RECORD_DISSECTOR);
	vhu_envelope_register(proto);
	vhu_event_register(proto);
	vhu_snapshot_register(proto);
	vhu_message_register(proto);
	vhu_descriptor_register(proto);
	vhu_finding_register(proto);
	vhu_state_register(proto);
	vhu_expert_register(proto);
	proto_register_subtree_array(subtrees, array_length(subtrees));
	register_preferences();
	vhu_tap_register();
	vhu_statistics_register(proto);
	vhu_conversation_register(proto);
	register_init_routine(begin);
	register_cleanup_routine(vhu_replay_end);
	register_dissector(VHU_RECORD_DISSECTOR, dissect, proto);
}

void vhu_dissect_handoff(void)
{
	proto_malformed = proto_get_id_by_filter_name("_ws.malformed");
}
