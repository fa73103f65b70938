/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which message a record is, and how its payload lies. */
#include <string.h>

#include "lib/session/identify.h"
#include "lib/session/state/learn.h"
#include "lib/util/util.h"

void vhu_annotation_take_apart(struct vhu_annotation *note, const struct vhu_record *record)
{
	uint64_t sent = record->message_sent > record->message_size ? record->message_sent
								    : record->message_size;

	if (record->message_size < VHU_HEADER_SIZE)
		return;
	note->has_header = true;
	note->header = vhu_header_read(record->message, record->marks & VHU_MARK_BIG_ENDIAN);
	sent -= VHU_HEADER_SIZE;
	note->payload = (struct vhu_payload){
	    .bytes = record->message + VHU_HEADER_SIZE,
	    .captured = record->message_size - VHU_HEADER_SIZE,
	    .size = sent < UINT32_MAX ? (uint32_t)sent : UINT32_MAX,
	    .big_endian = record->marks & VHU_MARK_BIG_ENDIAN,
	};
	/* Requests go one way on each channel, so the direction tells, whatever the flag says. */
	note->reply = record->from_back_end == (record->channel == VHU_FRONT_END);
}

/* Return whether one of a set's layouts has just this size, or reaches it with some elements. */
static bool shapes_have_size(enum vhu_shapes_id id, uint32_t size)
{
	const struct vhu_shapes *shapes = &vhu_shapes[id];

	for (unsigned i = 0; i < shapes->shapes; i++) {
		const struct vhu_layout *layout = &vhu_layouts[shapes->shape[i].layout];
		const struct vhu_field *last = vhu_layout_repeats(layout);

		if (last && last->size
			? size > layout->size && (size - layout->size) % last->size == 0
			: size == layout->size)
			return true;
	}
	return false;
}

/*
 * Return whether a message's sizes are those of @row.
 * @request, @reply: payload sizes; -1 not known.
 * A row that answers in the layouts of its request sends the one that it got.
 */
static bool row_has_sizes(const struct vhu_message *row, int64_t request, int64_t reply)
{
	if (request >= 0 && !shapes_have_size(row->shape[0], (uint32_t)request))
		return false;
	if (reply >= 0 && !shapes_have_size(row->shape[1], (uint32_t)reply))
		return false;
	return request < 0 || reply < 0 || row->shape[0] != row->shape[1] || request == reply;
}

unsigned vhu_annotation_identify(struct vhu_annotation *note, enum vhu_channel channel, bool sure,
				 enum vhu_dialect except, int64_t request, int64_t reply)
{
	const struct vhu_message *row[VHU_DIALECTS];
	enum vhu_dialect dialect = note->context.dialect;
	unsigned rows =
	    vhu_message_find(channel, note->header.request, sure ? dialect : VHU_ANY, row);
	unsigned agree = 0;

	note->message = rows ? row[0] : NULL;
	note->or_message = NULL;
	if (rows < 2)
		return rows;
	for (unsigned i = 0; i < rows; i++)
		if (row_has_sizes(row[i], request, reply) && !(row[i]->dialect == except && except))
			row[agree++] = row[i];
	/* That dialect is the rarest, and shows in requests of a size that no other has. */
	if (agree > 1 && row[agree - 1]->dialect == VHU_DAX && dialect != VHU_DAX)
		agree--;
	/* A reply of no known size keeps its request's name. */
	if (agree == 0 && reply >= 0) {
		vhu_annotation_identify(note, channel, sure, except, request < 0 ? 0 : request, -1);
		return 0;
	}
	if (agree == 0)
		return 0;
	for (unsigned i = 0; i < agree; i++) {
		if (row[i]->dialect == dialect) {
			note->message = row[i];
			return agree;
		}
	}
	/* Rows come with the merged specification first; where a proposal's agrees too, that the
	 * merged message was sent without its payload is the least likely. */
	note->message = row[agree > 2 ? agree - 2 : 0];
	note->or_message = agree > 1 ? row[agree - 1] : NULL;
	return agree;
}

const struct vhu_field *vhu_layout_repeats(const struct vhu_layout *layout)
{
	const struct vhu_field *last =
	    layout->fields ? &vhu_fields[layout->first + layout->fields - 1] : NULL;

	if (!last || last->offset < layout->size)
		return NULL;
	return last->kind == VHU_ARRAY || last->size == 0 ? last : NULL;
}

/* Return whether bytes are all 0. */
static bool is_zero(const uint8_t *bytes, uint32_t size)
{
	while (size && !*bytes) {
		bytes++;
		size--;
	}
	return !size;
}

/* Return whether elements of an array may follow those that it counts: any where the count is of
 * those that are not 0, as in a shared memory configuration; else empty ones, which User-mode Linux
 * sends. */
static bool may_follow(const struct vhu_layout *layout, const struct vhu_item *item)
{
	return layout == &vhu_layouts[VHU_LAYOUT_shmem_config] || is_zero(item->bytes, item->size);
}

/* Return whether a payload fills a layout whose size its contents tell. */
static bool fills(const struct vhu_annotation *note, const struct vhu_layout *layout)
{
	const struct vhu_field *last = vhu_layout_repeats(layout);
	struct vhu_walk walk;
	struct vhu_item item;

	vhu_walk_start(&walk, layout, &note->payload, &note->context);
	while (vhu_walk_next(&walk, &item)) {
		if (item.what == VHU_ITEM_MISSING)
			return false;
		if (item.what == VHU_ITEM_LEFT_OVER)
			return last->kind == VHU_ARRAY && item.size % last->size == 0 &&
			       may_follow(layout, &item);
	}
	return true;
}

/* Return whether a payload has a size that a layout allows. */
static bool fits(const struct vhu_annotation *note, const struct vhu_layout *layout)
{
	return vhu_layout_repeats(layout) ? fills(note, layout)
					  : note->payload.size == layout->size;
}

bool vhu_annotation_size_fits(const struct vhu_annotation *note, enum vhu_shapes_id id)
{
	const struct vhu_shapes *shapes = &vhu_shapes[id];

	for (unsigned i = 0; i < shapes->shapes; i++)
		if (fits(note, &vhu_layouts[shapes->shape[i].layout]))
			return true;
	return false;
}

/* Choose the layout of a note's message: the one that goes with what was negotiated, unless the
 * size is that of another. Then the sides do not agree, and the sender knows what it meant. */
static const struct vhu_layout *choose(const struct vhu_annotation *note)
{
	const struct vhu_shapes *shapes = &vhu_shapes[note->message->shape[note->reply]];
	const struct vhu_layout *layout =
	    vhu_message_layout(note->message, note->reply, &note->context, &note->payload);

	if (shapes->shapes == 1 || fits(note, layout))
		return layout;
	for (unsigned i = shapes->shapes; i-- > 0;) {
		const struct vhu_layout *other = &vhu_layouts[shapes->shape[i].layout];

		if (shapes->shape[i].when != VHU_IF_POSTCOPY && fits(note, other))
			return other;
	}
	return layout;
}

/* Return whether a reply is the number of an error in place of what would be longer: so DPDK
 * refuses. */
static bool is_refusal(const struct vhu_annotation *note)
{
	uint64_t value = 0;

	return note->reply && note->payload.size == vhu_layouts[VHU_LAYOUT_refusal].size &&
	       note->layout->size > note->payload.size &&
	       vhu_field_read(&note->payload, VHU_FIELD_refusal_refusal, 0, &value) && value &&
	       value <= UINT32_MAX;
}

void vhu_annotation_lay_out(struct vhu_annotation *note)
{
	uint64_t index;

	if (!note->message || (note->or_message && note->payload.size))
		return;
	note->layout = choose(note);
	if (is_refusal(note))
		note->layout = &vhu_layouts[VHU_LAYOUT_refusal];
	if (note->layout->fields && !strcmp(vhu_fields[note->layout->first].path, "vring.index") &&
	    vhu_field_read(&note->payload, note->layout->first, 0, &index))
		note->vring = index < INT32_MAX ? (int)index : INT32_MAX;
}

/* Return whether a message is answered in postcopy by the addresses that the back-end chose. */
static bool is_answered_in_postcopy(const struct vhu_annotation *note)
{
	const struct vhu_shapes *shapes = &vhu_shapes[note->message->shape[0]];

	/* The layout that there is for postcopy alone is what ends the exchange. */
	return note->context.postcopy && shapes->shape[0].when == VHU_IF_POSTCOPY &&
	       note->layout != &vhu_layouts[shapes->shape[0].layout];
}

enum vhu_answer vhu_annotation_answer(const struct vhu_annotation *note)
{
	const struct vhu_message *message = note->message;

	if (message && message->reply_rule == VHU_REPLY_ACK && is_answered_in_postcopy(note))
		return VHU_ANSWER_MUST;
	return vhu_pending_answer(message, note->header.flags, &note->context);
}

const struct vhu_message *vhu_check_other_reading(const struct vhu_check_context *check,
						  int64_t request)
{
	const struct vhu_annotation *note = check->note;
	const struct vhu_message *row[VHU_DIALECTS];
	unsigned rows =
	    vhu_message_find(check->record->channel, note->header.request, VHU_ANY, row);
	int64_t reply = note->reply ? (int64_t)note->payload.size : -1;

	for (unsigned i = 0; i < rows; i++)
		if (row[i] != note->message && row_has_sizes(row[i], request, reply))
			return row[i];
	return NULL;
}

/* Find the region that each area of a ring lies in. */
static void find_places(struct vhu_check_context *check)
{
	static const char *const what[] = {"descriptor area", "available area", "used area"};
	static const unsigned order[VHU_PLACES_MAX] = {0, 2, 1};
	const struct vhu_state *state = check->state;
	struct vhu_annotation *note = check->note;
	const struct vhu_vring *known =
	    note->vring >= 0 ? vhu_state_vring(state, (uint64_t)note->vring) : NULL;
	const struct vhu_vring vring = {
	    .size.value = known ? known->size.value : 0,
	    .descriptor.value = vhu_get(check, VHU_FIELD_vring_addr_descriptor),
	    .available.value = vhu_get(check, VHU_FIELD_vring_addr_available),
	    .used.value = vhu_get(check, VHU_FIELD_vring_addr_used),
	};
	const bool guest = vhu_taken(check, VHU_PF_GPA_ADDRESSES);
	struct vhu_vring_area area[VHU_PLACES_MAX];
	bool packed, format_known = vhu_check_format(check, &packed);

	vhu_vring_areas(&vring, packed, area);
	for (unsigned i = 0; i < VHU_PLACES_MAX; i++) {
		const struct vhu_vring_area *at = &area[order[i]];
		int region = vhu_state_region(state, at->address, 1, guest);

		if (region < 0)
			continue;
		note->place[note->places++] = (struct vhu_place){
		    what[order[i]],
		    (unsigned)region,
		    at->address - (guest ? state->region[region].guest_address
					 : state->region[region].user_address),
		    vring.size.value && format_known ? at->size : 0,
		};
	}
}

/* Return whether the id of a message means another one in another dialect. */
static bool is_shared_id(const struct vhu_annotation *note, enum vhu_channel channel)
{
	const struct vhu_message *row[VHU_DIALECTS];

	return vhu_message_find(channel, note->header.request, VHU_ANY, row) > 1;
}

/* Note which messages before it the meaning of a message, @at, depends on.
 * @dialect_by: what told the dialect before it. */
static void refer(struct vhu_annotation *note, const struct vhu_state *state,
		  enum vhu_channel channel, uint64_t dialect_by, int at)
{
	const struct vhu_feature_set *offered = NULL;

	if (at == VHU_REQUEST(SET_FEATURES))
		offered = &state->features;
	else if (at == VHU_REQUEST(SET_PROTOCOL_FEATURES))
		offered = &state->protocol_features;
	if (offered) {
		note->offer = offered->offered.value;
		note->offered_by = offered->offered.by;
	}
	/* Whether the back-end acknowledges it. */
	if (at == VHU_REQUEST(SET_VRING_ENABLE))
		note->read_by[1] = state->protocol_features.acked.by;
	if (is_shared_id(note, channel)) {
		note->read_by[1] = state->protocol_features.acked.by;
		note->read_by[3] = state->protocol_features.offered.by;
		note->read_by[4] = dialect_by;
	}
	if (!note->message || vhu_shapes[note->message->shape[note->reply]].shapes < 2)
		return;
	note->read_by[0] = state->features.acked.by;
	note->read_by[1] = state->protocol_features.acked.by;
	note->read_by[2] = state->context.postcopy ? state->postcopy.by : state->postcopy_end.by;
}

/* Return whether somebody may ask by PROBE: not where bit 18 was neither offered nor taken. */
static bool is_probe_possible(const struct vhu_state *state)
{
	const struct vhu_feature_set *set = &state->protocol_features;

	return !set->offered.by || (set->offered.value | set->acked.value) >> VHU_PF_PROBE & 1;
}

/* Return whether a message is SET_DEVICE_STATE_FD or its reply though the session speaks PROBE,
 * whose questions have neither a payload nor a descriptor. @request: the request's payload size. */
static bool is_device_state(const struct vhu_annotation *note, const struct vhu_record *record,
			    int64_t request)
{
	return note->context.dialect == VHU_PROBE && record->channel == VHU_FRONT_END &&
	       note->header.request == vhu_messages[VHU_MSG_SET_DEVICE_STATE_FD].request &&
	       request == vhu_layouts[VHU_LAYOUT_device_state].size && (note->reply || record->fds);
}

/* Return whether a reply of a size that no dialect has is that to GET_BACKEND_SPECS, which has
 * grown: bit 18 comes with STATUS in this proposal alone, and upstream's reply of that id has a
 * descriptor. */
static bool is_longer_specs(const struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;

	return check->record->channel == VHU_FRONT_END && note->reply && !check->record->fds &&
	       note->header.request == vhu_messages[VHU_MSG_GET_BACKEND_SPECS].request &&
	       note->payload.size >= vhu_layouts[VHU_LAYOUT_backend_specs].size &&
	       vhu_taken(check, VHU_PF_STANDALONE) && vhu_taken(check, VHU_PF_STATUS);
}

/* Return whether a message that has FS_SYNC's number is FS_IO or its reply, as in the later drafts:
 * that brings a descriptor. */
static bool is_fs_io(const struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;

	if (note->message != &vhu_messages[VHU_MSG_BACKEND_FS_SYNC])
		return false;
	return note->reply ? check->request.message == &vhu_messages[VHU_MSG_BACKEND_FS_IO]
			   : check->record->fds > 0;
}

/* Note which request a reply answers, and how long that took. */
static void note_request(struct vhu_check_context *check, const struct vhu_pending *request)
{
	struct vhu_annotation *note = check->note;

	note->request_number = request->number;
	note->delay_ns = vhu_elapsed_ns(request->time_ns, check->record->time_ns);
	note->clock_back = check->record->time_ns < request->time_ns;
}

void vhu_annotate(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	struct vhu_annotation *note = check->note;
	enum vhu_channel channel = check->record->channel;
	int64_t request = note->reply ? -1 : (int64_t)note->payload.size;
	const uint64_t dialect_by = state->dialect.by;
	struct vhu_pending withheld;
	unsigned agree;

	check->withheld = note->reply && (check->record->marks & VHU_MARK_DROPPED) &&
			  vhu_state_withhold(state, channel, note->header.request, &withheld);
	if (check->withheld) {
		note_request(check, &withheld);
	} else if (note->reply &&
		   vhu_state_answer(state, channel, note->header.request, check->number,
				    &check->request, &check->skipped)) {
		note_request(check, &check->request);
		request = (int64_t)check->request.size;
	}
	agree = vhu_annotation_identify(note, channel, state->dialect_is_sure,
					is_probe_possible(state) ? VHU_ANY : VHU_PROBE, request,
					note->reply ? (int64_t)note->payload.size : -1);
	if (is_device_state(note, check->record, request)) {
		note->message = &vhu_messages[VHU_MSG_SET_DEVICE_STATE_FD];
		agree = 0;
	}
	if (agree == 0 && request == 0 && is_longer_specs(check)) {
		note->message = &vhu_messages[VHU_MSG_GET_BACKEND_SPECS];
		note->or_message = NULL;
		agree = 1;
	}
	if (is_fs_io(check))
		note->message = &vhu_messages[VHU_MSG_BACKEND_FS_IO];
	/* A message of one dialect alone tells the session's; one cut short tells nothing. */
	if (agree == 1 && !(check->record->marks & VHU_MARK_PARTIAL)) {
		vhu_state_learn_dialect(state, note->message->dialect, true, check->number);
		note->context.dialect = state->context.dialect;
	}
	vhu_annotation_lay_out(note);
	if (vhu_check_message(check) == VHU_REQUEST(SET_VRING_ADDR))
		find_places(check);
	refer(note, state, channel, dialect_by, vhu_check_message(check));
}

void vhu_annotation_again(struct vhu_annotation *note, const struct vhu_record *record,
			  const struct vhu_context *context)
{
	uint64_t number = note->request_number, delay = note->delay_ns;
	bool clock_back = note->clock_back;

	*note = (struct vhu_annotation){
	    .context = *context,
	    .request_number = number,
	    .delay_ns = delay,
	    .clock_back = clock_back,
	    .vring = -1,
	};
	if (record->type != VHU_RECORD_MESSAGE || (unsigned)record->channel >= VHU_CHANNELS)
		return;
	vhu_annotation_take_apart(note, record);
	if (!note->has_header)
		return;
	vhu_annotation_identify(note, record->channel, context->dialect != VHU_ANY, VHU_ANY,
				note->reply ? -1 : (int64_t)note->payload.size,
				note->reply ? (int64_t)note->payload.size : -1);
	if (is_device_state(note, record, note->reply ? -1 : (int64_t)note->payload.size))
		note->message = &vhu_messages[VHU_MSG_SET_DEVICE_STATE_FD];
	vhu_annotation_lay_out(note);
}
