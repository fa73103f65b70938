/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a vring was at a moment: its indexes, eventfds and requests, and the verdict on it. */
#include "dissector/tree/snapshot.h"

#include <string.h>

#include "dissector/tree/expert.h"

static int hf_vring = -1, hf_reason = -1, hf_verdict = -1, hf_verdict_id = -1;
static int hf_title = -1, hf_text = -1, hf_hangs = -1, hf_alternatives = -1;
static int hf_error = -1, hf_format = -1, hf_size = -1, hf_available = -1;
static int hf_available_wrap = -1, hf_used = -1, hf_used_wrap = -1, hf_waiting = -1;
static int hf_driver = -1, hf_driver_flags = -1, hf_driver_event = -1, hf_device = -1;
static int hf_device_flags = -1, hf_device_event = -1, hf_in_flight = -1, hf_age = -1;
static int hf_kick = -1, hf_kick_id = -1, hf_kick_count = -1, hf_call = -1;
static int hf_call_id = -1, hf_call_count = -1, hf_front_end = -1, hf_front_end_pid = -1;
static int hf_front_end_state = -1, hf_front_end_unread = -1, hf_back_end = -1,
	   hf_back_end_pid = -1;
static int hf_back_end_state = -1, hf_back_end_unread = -1, hf_pending = -1,
	   hf_pending_request = -1;
static int hf_pending_from = -1, hf_pending_age = -1, hf_request = -1, hf_head = -1;
static int hf_id = -1, hf_taken = -1, hf_descriptors = -1, hf_readable = -1;
static int hf_writable = -1, hf_header = -1, hf_fault = -1, hf_buffer = -1;
static int hf_address = -1, hf_buffer_size = -1, hf_flags = -1, hf_indirect = -1;
static int hf_mapped = -1;
static int ett_verdict = -1, ett_part = -1, ett_request = -1, ett_buffer = -1;

static value_string reasons[VHU_SNAPSHOT_REASONS + 1];
static const value_string formats[] = {{0, "split"}, {1, "packed"}, {0, NULL}};
static const value_string sides[] = {{0, "front-end"}, {1, "back-end"}, {0, NULL}};

#define FIELD(hf, label, filter, type, base, strings, blurb)                                       \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.snapshot." filter, type, base, strings, 0, blurb, HFILL \
		}                                                                                  \
	}

static hf_register_info fields[] = {
    {&hf_vring, {"Vring", "vhost_user.vring", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
    FIELD(hf_reason, "Reason", "reason", FT_UINT8, BASE_DEC, VALS(reasons),
	  "Why the vring was looked at"),
    FIELD(hf_verdict, "Verdict", "verdict", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_verdict_id, "Verdict", "verdict.id", FT_STRING, BASE_NONE, NULL, NULL),
    FIELD(hf_title, "Cause", "verdict.title", FT_STRING, BASE_NONE, NULL, NULL),
    FIELD(hf_text, "Evidence", "verdict.text", FT_STRING, BASE_NONE, NULL, NULL),
    FIELD(hf_hangs, "Hangs", "verdict.hangs", FT_BOOLEAN, BASE_NONE, NULL, NULL),
    FIELD(hf_alternatives, "Or", "verdict.alternatives", FT_STRING, BASE_NONE, NULL,
	  "Another verdict that the evidence fits"),
    FIELD(hf_error, "Error", "error", FT_UINT32, BASE_DEC, NULL,
	  "Why the ring was not read, an errno of Linux"),
    FIELD(hf_format, "Format", "format", FT_UINT8, BASE_DEC, VALS(formats), NULL),
    FIELD(hf_size, "Size", "size", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_available, "Available index", "available", FT_UINT16, BASE_DEC, NULL, NULL),
    FIELD(hf_available_wrap, "Available wrap counter", "available_wrap", FT_BOOLEAN, BASE_NONE,
	  NULL, NULL),
    FIELD(hf_used, "Used index", "used", FT_UINT16, BASE_DEC, NULL, NULL),
    FIELD(hf_used_wrap, "Used wrap counter", "used_wrap", FT_BOOLEAN, BASE_NONE, NULL, NULL),
    FIELD(hf_waiting, "Waiting", "waiting", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_driver, "Driver", "driver", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_driver_flags, "Flags", "driver.flags", FT_UINT16, BASE_HEX, NULL, NULL),
    FIELD(hf_driver_event, "Event", "driver.event", FT_UINT16, BASE_DEC, NULL, NULL),
    FIELD(hf_device, "Device", "device", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_device_flags, "Flags", "device.flags", FT_UINT16, BASE_HEX, NULL, NULL),
    FIELD(hf_device_event, "Event", "device.event", FT_UINT16, BASE_DEC, NULL, NULL),
    FIELD(hf_in_flight, "In flight", "in_flight", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_age, "Age of the oldest", "age", FT_RELATIVE_TIME, BASE_NONE, NULL, NULL),
    FIELD(hf_kick, "Kick", "kick", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_kick_id, "Eventfd", "kick.eventfd_id", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_kick_count, "Count", "kick.count", FT_UINT64, BASE_DEC, NULL, NULL),
    FIELD(hf_call, "Call", "call", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_call_id, "Eventfd", "call.eventfd_id", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_call_count, "Count", "call.count", FT_UINT64, BASE_DEC, NULL, NULL),
    FIELD(hf_front_end, "Front-end", "front_end", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_front_end_pid, "Process", "front_end.pid", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_front_end_state, "State", "front_end.state", FT_STRING, BASE_NONE, NULL, NULL),
    FIELD(hf_front_end_unread, "Unread", "front_end.unread", FT_UINT64, BASE_DEC, NULL,
	  "Bytes in the receive queue of its socket"),
    FIELD(hf_back_end, "Back-end", "back_end", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_back_end_pid, "Process", "back_end.pid", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_back_end_state, "State", "back_end.state", FT_STRING, BASE_NONE, NULL, NULL),
    FIELD(hf_back_end_unread, "Unread", "back_end.unread", FT_UINT64, BASE_DEC, NULL,
	  "Bytes in the receive queue of its socket"),
    FIELD(hf_pending, "Request without a reply", "pending", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_pending_request, "Request", "pending.request", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_pending_from, "From", "pending.from", FT_UINT8, BASE_DEC, VALS(sides), NULL),
    FIELD(hf_pending_age, "Age", "pending.age", FT_RELATIVE_TIME, BASE_NONE, NULL, NULL),
    FIELD(hf_request, "Request", "request", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_head, "Head", "request.head", FT_UINT16, BASE_DEC, NULL, NULL),
    FIELD(hf_id, "Id", "request.id", FT_UINT16, BASE_DEC, NULL, NULL),
    FIELD(hf_taken, "In flight", "request.taken", FT_BOOLEAN, BASE_NONE, NULL, NULL),
    FIELD(hf_descriptors, "Descriptors", "request.descriptors", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_readable, "Bytes to read", "request.readable", FT_UINT64, BASE_DEC, NULL, NULL),
    FIELD(hf_writable, "Bytes to write", "request.writable", FT_UINT64, BASE_DEC, NULL, NULL),
    FIELD(hf_header, "Header", "request.header", FT_STRING, BASE_NONE, NULL, NULL),
    FIELD(hf_fault, "Fault", "request.fault", FT_STRING, BASE_NONE, NULL,
	  "What is wrong with its chain"),
    FIELD(hf_buffer, "Buffer", "request.buffer", FT_NONE, BASE_NONE, NULL, NULL),
    FIELD(hf_address, "Address", "request.buffer.address", FT_UINT64, BASE_HEX, NULL, NULL),
    FIELD(hf_buffer_size, "Size", "request.buffer.size", FT_UINT32, BASE_DEC, NULL, NULL),
    FIELD(hf_flags, "Flags", "request.buffer.flags", FT_UINT16, BASE_HEX, NULL, NULL),
    FIELD(hf_indirect, "Indirect", "request.buffer.indirect", FT_BOOLEAN, BASE_NONE, NULL, NULL),
    FIELD(hf_mapped, "In memory", "request.buffer.mapped", FT_BOOLEAN, BASE_NONE, NULL, NULL),
};

void vhu_snapshot_register(int proto)
{
	static int *ett[] = {&ett_verdict, &ett_part, &ett_request, &ett_buffer};

	for (unsigned i = 0; i < VHU_SNAPSHOT_REASONS; i++)
		reasons[i] =
		    (value_string){i, vhu_snapshot_reason_name((enum vhu_snapshot_reason)i)};
	proto_register_field_array(proto, fields, array_length(fields));
	proto_register_subtree_array(ett, array_length(ett));
}

/* Where a snapshot lies. */
struct vhu_snapshot_place {
	tvbuff_t *tvb;
	const uint8_t *bytes;
	int head;
};

/* Add a line with a tree below it. Returns that. */
static proto_tree *add_part(proto_tree *tree, const struct vhu_snapshot_place *at, int hf, int ett)
{
	return proto_item_add_subtree(proto_tree_add_item(tree, hf, at->tvb, 0, at->head, ENC_NA),
				      ett);
}

/* Add a number. */
static void add_number(proto_tree *tree, const struct vhu_snapshot_place *at, int hf,
		       uint64_t value)
{
	switch (proto_registrar_get_ftype(hf)) {
	case FT_BOOLEAN:
		proto_tree_add_boolean(tree, hf, at->tvb, 0, at->head, value != 0);
		break;
	case FT_UINT64:
		proto_tree_add_uint64(tree, hf, at->tvb, 0, at->head, value);
		break;
	default:
		proto_tree_add_uint(tree, hf, at->tvb, 0, at->head, (uint32_t)value);
		break;
	}
}

/* Add a time. */
static void add_time(proto_tree *tree, const struct vhu_snapshot_place *at, int hf, uint64_t ns)
{
	nstime_t time = {(time_t)(ns / 1000000000), (int)(ns % 1000000000)};

	proto_tree_add_time(tree, hf, at->tvb, 0, at->head, &time);
}

/* Add a text of @size bytes that lies in the packet, unless it is empty. */
static void add_text(proto_tree *tree, const struct vhu_snapshot_place *at, int hf,
		     const char *text, size_t size)
{
	if (size)
		proto_tree_add_item(tree, hf, at->tvb, (int)((const uint8_t *)text - at->bytes),
				    (int)size, ENC_UTF_8);
}

/* Add the verdict, with an expert item if the vring hangs. */
static void add_verdict(proto_tree *tree, packet_info *pinfo, const struct vhu_snapshot_place *at,
			const struct vhu_vring_snapshot *snapshot)
{
	proto_tree *below = add_part(tree, at, hf_verdict, ett_verdict);
	char text[1024];

	add_text(below, at, hf_verdict_id, snapshot->verdict, strlen(snapshot->verdict));
	add_text(below, at, hf_title, snapshot->title, strlen(snapshot->title));
	add_text(below, at, hf_text, snapshot->text, strlen(snapshot->text));
	add_number(below, at, hf_hangs, snapshot->hangs);
	for (const char *other = snapshot->alternatives; *other;) {
		size_t length = strcspn(other, " ");

		add_text(below, at, hf_alternatives, other, length);
		other += length + strspn(other + length, " ");
	}
	vhu_snapshot_text(snapshot, text, sizeof(text));
	proto_item_append_text(below, ": %s", ws_printable(pinfo->pool, text, strlen(text)));
	if (snapshot->hangs)
		vhu_expert_note(below, pinfo, VHU_EXPERT_HANGS, "%s",
				ws_printable(pinfo->pool, text, strlen(text)));
}

/* Add what one side asks of the other. */
static void add_suppression(proto_tree *tree, const struct vhu_snapshot_place *at, const int hf[3],
			    uint16_t flags, bool events, uint16_t event)
{
	proto_tree *below = add_part(tree, at, hf[0], ett_part);

	add_number(below, at, hf[1], flags);
	if (events)
		add_number(below, at, hf[2], event);
}

/* Add what was read of the ring. */
static void add_ring(proto_tree *tree, const struct vhu_snapshot_place *at,
		     const struct vhu_vring_snapshot *snapshot)
{
	const int driver[] = {hf_driver, hf_driver_flags, hf_driver_event};
	const int device[] = {hf_device, hf_device_flags, hf_device_event};
	const bool events = snapshot->has & VHU_SNAPSHOT_HAS_EVENTS, packed = snapshot->packed;

	if (!(snapshot->has & VHU_SNAPSHOT_HAS_RING)) {
		add_number(tree, at, hf_error, snapshot->error);
		return;
	}
	add_number(tree, at, hf_format, packed);
	add_number(tree, at, hf_size, snapshot->size);
	add_number(tree, at, hf_available, snapshot->available & (packed ? 0x7fff : 0xffff));
	if (packed)
		add_number(tree, at, hf_available_wrap, snapshot->available >> 15);
	add_number(tree, at, hf_used, snapshot->used & (packed ? 0x7fff : 0xffff));
	if (packed)
		add_number(tree, at, hf_used_wrap, snapshot->used >> 15);
	add_number(tree, at, hf_waiting, snapshot->waiting);
	add_suppression(tree, at, driver, snapshot->driver_flags, events, snapshot->driver_event);
	add_suppression(tree, at, device, snapshot->device_flags, events, snapshot->device_event);
	if (snapshot->has & VHU_SNAPSHOT_HAS_IN_FLIGHT)
		add_number(tree, at, hf_in_flight, snapshot->in_flight);
	if (snapshot->has & VHU_SNAPSHOT_HAS_AGE)
		add_time(tree, at, hf_age, snapshot->age_ns);
}

/* Add an eventfd. */
static void add_eventfd(proto_tree *tree, const struct vhu_snapshot_place *at, const int hf[3],
			const struct vhu_snapshot_eventfd *eventfd)
{
	proto_tree *below = add_part(tree, at, hf[0], ett_part);

	add_number(below, at, hf[1], eventfd->id);
	add_number(below, at, hf[2], eventfd->count);
}

/* Add a process. */
static void add_process(proto_tree *tree, const struct vhu_snapshot_place *at, const int hf[4],
			const struct vhu_snapshot_process *process)
{
	proto_tree *below = add_part(tree, at, hf[0], ett_part);
	const char state[2] = {process->state > ' ' && process->state < 0x7f ? process->state : '?',
			       '\0'};

	add_number(below, at, hf[1], process->pid);
	proto_tree_add_string(below, hf[2], at->tvb, 0, at->head, state);
	add_number(below, at, hf[3], process->unread);
}

/* Add the request on the socket that has no reply. */
static void add_pending(proto_tree *tree, const struct vhu_snapshot_place *at,
			const struct vhu_vring_snapshot *snapshot)
{
	proto_tree *below = add_part(tree, at, hf_pending, ett_part);

	add_number(below, at, hf_pending_request, snapshot->pending_request);
	add_number(below, at, hf_pending_from, snapshot->pending_of_back_end);
	add_time(below, at, hf_pending_age, snapshot->pending_ns);
}

/* Add a request. */
static void add_request(proto_tree *tree, const struct vhu_snapshot_place *at,
			const struct vhu_snapshot_request *request)
{
	proto_tree *below = add_part(tree, at, hf_request, ett_request);

	proto_item_append_text(below, ", head %u%s", request->head,
			       request->taken ? ", in flight" : "");
	add_number(below, at, hf_head, request->head);
	add_number(below, at, hf_id, request->id);
	add_number(below, at, hf_taken, request->taken);
	add_number(below, at, hf_descriptors, request->descriptors);
	add_number(below, at, hf_readable, request->readable);
	add_number(below, at, hf_writable, request->writable);
	add_text(below, at, hf_header, request->header, strlen(request->header));
	add_text(below, at, hf_fault, request->fault, strlen(request->fault));
	for (unsigned i = 0; i < request->listed; i++) {
		const struct vhu_snapshot_buffer *buffer = &request->buffer[i];
		proto_tree *part = add_part(below, at, hf_buffer, ett_buffer);

		add_number(part, at, hf_address, buffer->address);
		add_number(part, at, hf_buffer_size, buffer->size);
		add_number(part, at, hf_flags, buffer->flags);
		add_number(part, at, hf_indirect, buffer->indirect);
		add_number(part, at, hf_mapped, !buffer->not_mapped);
	}
}

void vhu_snapshot_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const uint8_t *bytes,
		      int head, const struct vhu_vring_snapshot *snapshot)
{
	const int kick[] = {hf_kick, hf_kick_id, hf_kick_count};
	const int call[] = {hf_call, hf_call_id, hf_call_count};
	const int front_end[] = {hf_front_end, hf_front_end_pid, hf_front_end_state,
				 hf_front_end_unread};
	const int back_end[] = {hf_back_end, hf_back_end_pid, hf_back_end_state,
				hf_back_end_unread};
	const struct vhu_snapshot_place at = {tvb, bytes, head};
	struct vhu_snapshot_request request;
	size_t cursor = 0;

	add_number(tree, &at, hf_reason, snapshot->reason);
	add_number(tree, &at, hf_vring, snapshot->vring);
	add_verdict(tree, pinfo, &at, snapshot);
	add_ring(tree, &at, snapshot);
	if (snapshot->has & VHU_SNAPSHOT_HAS_KICK)
		add_eventfd(tree, &at, kick, &snapshot->kick);
	if (snapshot->has & VHU_SNAPSHOT_HAS_CALL)
		add_eventfd(tree, &at, call, &snapshot->call);
	if (snapshot->has & VHU_SNAPSHOT_HAS_FRONT_END)
		add_process(tree, &at, front_end, &snapshot->front_end);
	if (snapshot->has & VHU_SNAPSHOT_HAS_BACK_END)
		add_process(tree, &at, back_end, &snapshot->back_end);
	if (snapshot->has & VHU_SNAPSHOT_HAS_PENDING)
		add_pending(tree, &at, snapshot);
	while (vhu_snapshot_request_next(snapshot, &cursor, &request))
		add_request(tree, &at, &request);
}
