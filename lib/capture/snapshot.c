/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of vrings, written, read, and named. */
#include "lib/capture/put.h"
#include "lib/capture/snapshot_layout.h"
#include "lib/protocol/line.h"

/* Flags of a request and of a buffer in their TLV. */
#define REQUEST_TAKEN       (1 << 0)
#define BUFFER_INDIRECT     (1 << 0)
#define BUFFER_NOT_MAPPED   (1 << 1)
#define BUFFER_UNTRANSLATED (1 << 2)

/* All of a snapshot's TLVs fit into the room of a record's head. */
#define FIXED_MAX   256
#define VERDICT_MAX (4 * (VHU_SNAPSHOT_TEXT_MAX + 1) + 8)
#define REQUEST_MAX (48 + 2 * (VHU_RECORD_TEXT_MAX + 1) + 15 * VHU_SNAPSHOT_BUFFERS_MAX)
_Static_assert(FIXED_MAX + VERDICT_MAX + VHU_SNAPSHOT_REQUESTS_MAX * REQUEST_MAX + 2048 <
		   VHU_RECORD_HEAD_MAX,
	       "a snapshot fits into a record's head");

/* Append an eventfd. */
static uint8_t *put_eventfd(uint8_t *to, const struct vhu_snapshot_eventfd *eventfd)
{
	return put_64(put_32(to, eventfd->id), eventfd->count);
}

/* Append a process. */
static uint8_t *put_process(uint8_t *to, const struct vhu_snapshot_process *process)
{
	return put_64(put_8(put_32(to, process->pid), (uint8_t)process->state), process->unread);
}

/* Append the TLV of what was read. */
static uint8_t *put_numbers(uint8_t *from, const struct vhu_vring_snapshot *snapshot)
{
	uint8_t *to = from + TLV_HEAD_SIZE;

	to = put_8(to, (uint8_t)snapshot->reason);
	to = put_8(to, snapshot->packed);
	to = put_16(to, snapshot->has);
	to = put_32(put_32(put_32(to, snapshot->vring), snapshot->error), snapshot->size);
	to = put_16(put_16(to, snapshot->available), snapshot->used);
	to = put_32(to, snapshot->waiting);
	to = put_16(put_16(to, snapshot->driver_flags), snapshot->driver_event);
	to = put_16(put_16(to, snapshot->device_flags), snapshot->device_event);
	to = put_32(to, snapshot->in_flight);
	to = put_eventfd(put_eventfd(to, &snapshot->kick), &snapshot->call);
	to = put_process(put_process(to, &snapshot->front_end), &snapshot->back_end);
	to = put_8(put_32(to, snapshot->pending_request), snapshot->pending_of_back_end);
	to = put_64(put_64(to, snapshot->pending_ns), snapshot->age_ns);
	return put_tlv_head(from, TLV_SNAPSHOT, to);
}

/* Append the TLV of the verdict. */
static uint8_t *put_verdict(uint8_t *from, const struct vhu_vring_snapshot *snapshot)
{
	uint8_t *to = put_8(from + TLV_HEAD_SIZE, snapshot->hangs);

	to = put_text(to, snapshot->verdict, VHU_SNAPSHOT_TEXT_MAX);
	to = put_text(to, snapshot->alternatives, VHU_SNAPSHOT_TEXT_MAX);
	to = put_text(to, snapshot->title, VHU_SNAPSHOT_TEXT_MAX);
	to = put_text(to, snapshot->text, VHU_SNAPSHOT_TEXT_MAX);
	return put_tlv_head(from, TLV_VERDICT, to);
}

/* Append the TLV of a request. */
static uint8_t *put_request(uint8_t *from, const struct vhu_snapshot_request *request)
{
	uint8_t *to = from + TLV_HEAD_SIZE;
	unsigned listed = request->listed;

	if (listed > VHU_SNAPSHOT_BUFFERS_MAX)
		listed = VHU_SNAPSHOT_BUFFERS_MAX;
	to = put_16(put_16(to, request->head), request->id);
	to = put_8(to, request->taken ? REQUEST_TAKEN : 0);
	to = put_8(to, (uint8_t)listed);
	to = put_32(put_32(to, request->descriptors), request->buffers);
	to = put_64(put_64(to, request->readable), request->writable);
	for (unsigned i = 0; i < listed; i++) {
		const struct vhu_snapshot_buffer *buffer = &request->buffer[i];

		to = put_32(put_64(to, buffer->address), buffer->size);
		to = put_16(to, buffer->flags);
		to = put_8(to, (uint8_t)((buffer->indirect ? BUFFER_INDIRECT : 0) |
					 (buffer->not_mapped ? BUFFER_NOT_MAPPED : 0) |
					 (buffer->untranslated ? BUFFER_UNTRANSLATED : 0)));
	}
	to = put_text(to, request->header, VHU_RECORD_TEXT_MAX);
	to = put_text(to, request->fault, VHU_RECORD_TEXT_MAX);
	return put_tlv_head(from, TLV_REQUEST, to);
}

uint8_t *vhu_snapshot_encode(const struct vhu_vring_snapshot *snapshot, uint8_t *to)
{
	struct vhu_snapshot_request request;
	size_t cursor = 0;

	to = put_verdict(put_numbers(to, snapshot), snapshot);
	for (unsigned i = 0; i < VHU_SNAPSHOT_REQUESTS_MAX &&
			     vhu_snapshot_request_next(snapshot, &cursor, &request);
	     i++)
		to = put_request(to, &request);
	return to;
}

void vhu_snapshot_begin(struct vhu_vring_snapshot *snapshot)
{
	*snapshot = (struct vhu_vring_snapshot){
	    .reason = VHU_SNAPSHOT_REASONS,
	    .verdict = "",
	    .alternatives = "",
	    .title = "",
	    .text = "",
	};
}

/* Read an eventfd. */
static void get_eventfd(struct input *in, struct vhu_snapshot_eventfd *eventfd)
{
	eventfd->id = take_32(in);
	eventfd->count = take_64(in);
}

/* Read a process. */
static void get_process(struct input *in, struct vhu_snapshot_process *process)
{
	process->pid = take_32(in);
	process->state = (char)take_8(in);
	process->unread = take_64(in);
}

/* Read what was read of the vring. */
static void get_numbers(struct input *in, struct vhu_vring_snapshot *snapshot)
{
	uint8_t reason = take_8(in);

	snapshot->reason =
	    reason < VHU_SNAPSHOT_REASONS ? (enum vhu_snapshot_reason)reason : VHU_SNAPSHOT_REASONS;
	snapshot->packed = take_8(in);
	snapshot->has = take_16(in);
	snapshot->vring = take_32(in);
	snapshot->error = take_32(in);
	snapshot->size = take_32(in);
	snapshot->available = take_16(in);
	snapshot->used = take_16(in);
	snapshot->waiting = take_32(in);
	snapshot->driver_flags = take_16(in);
	snapshot->driver_event = take_16(in);
	snapshot->device_flags = take_16(in);
	snapshot->device_event = take_16(in);
	snapshot->in_flight = take_32(in);
	get_eventfd(in, &snapshot->kick);
	get_eventfd(in, &snapshot->call);
	get_process(in, &snapshot->front_end);
	get_process(in, &snapshot->back_end);
	snapshot->pending_request = take_32(in);
	snapshot->pending_of_back_end = take_8(in);
	snapshot->pending_ns = take_64(in);
	snapshot->age_ns = take_64(in);
}

/* Read the verdict. */
static void get_verdict(struct input *in, struct vhu_vring_snapshot *snapshot)
{
	snapshot->hangs = take_8(in);
	snapshot->verdict = take_text(in);
	snapshot->alternatives = take_text(in);
	snapshot->title = take_text(in);
	snapshot->text = take_text(in);
}

/* Read a request. Buffers beyond those that there is room for are passed over. */
static void get_request(struct input *in, struct vhu_snapshot_request *request)
{
	unsigned listed;

	request->head = take_16(in);
	request->id = take_16(in);
	request->taken = take_8(in) & REQUEST_TAKEN;
	listed = take_8(in);
	request->descriptors = take_32(in);
	request->buffers = take_32(in);
	request->readable = take_64(in);
	request->writable = take_64(in);
	request->listed = listed < VHU_SNAPSHOT_BUFFERS_MAX ? listed : VHU_SNAPSHOT_BUFFERS_MAX;
	for (unsigned i = 0; i < listed; i++) {
		struct vhu_snapshot_buffer buffer = {.address = take_64(in), .size = take_32(in)};
		uint8_t bits;

		buffer.flags = take_16(in);
		bits = take_8(in);
		buffer.indirect = bits & BUFFER_INDIRECT;
		buffer.not_mapped = bits & BUFFER_NOT_MAPPED;
		buffer.untranslated = bits & BUFFER_UNTRANSLATED;
		if (i < request->listed)
			request->buffer[i] = buffer;
	}
	request->header = take_text(in);
	request->fault = take_text(in);
}

void vhu_snapshot_decode(struct vhu_vring_snapshot *snapshot, uint16_t type, struct input *in)
{
	struct vhu_snapshot_request request;

	switch (type) {
	case TLV_SNAPSHOT:
		get_numbers(in, snapshot);
		break;
	case TLV_VERDICT:
		get_verdict(in, snapshot);
		break;
	case TLV_REQUEST:
		get_request(in, &request);
		snapshot->requests++;
		break;
	}
}

bool vhu_snapshot_request_next(const struct vhu_vring_snapshot *snapshot, size_t *cursor,
			       struct vhu_snapshot_request *request)
{
	struct input in;

	if (snapshot->request) {
		if (*cursor >= snapshot->requests)
			return false;
		*request = snapshot->request[(*cursor)++];
		return true;
	}
	if (!snapshot->tlvs || *cursor > snapshot->tlvs_size)
		return false;
	in = (struct input){snapshot->tlvs + *cursor, snapshot->tlvs_size - *cursor, false};
	while (in.left) {
		uint16_t type = take_16(&in), size = take_16(&in);
		struct input part = {take(&in, size), size, false};

		if (in.over)
			break;
		if (type != TLV_REQUEST)
			continue;
		*cursor = snapshot->tlvs_size - in.left;
		get_request(&part, request);
		return !part.over;
	}
	return false;
}

const char *vhu_snapshot_reason_name(enum vhu_snapshot_reason reason)
{
	static const char *const name[VHU_SNAPSHOT_REASONS] = {
	    [VHU_SNAPSHOT_ASKED] = "asked for",
	    [VHU_SNAPSHOT_STALL] = "stall",
	    [VHU_SNAPSHOT_END] = "end of the session",
	};

	return (unsigned)reason < VHU_SNAPSHOT_REASONS ? name[reason] : NULL;
}

/* Add a text that a capture brought. */
static void add_foreign(struct vhu_line *line, const char *text)
{
	if (text)
		vhu_line_foreign(line, text, strnlen(text, VHU_SNAPSHOT_TEXT_MAX), "");
}

int vhu_snapshot_text(const struct vhu_vring_snapshot *snapshot, char *to, size_t size)
{
	struct vhu_line line = vhu_line_in(to, size);

	vhu_line_printf(&line, "vring %u: ", snapshot->vring);
	add_foreign(&line, snapshot->text);
	/* "moving" and "unread" say nothing that the text does not. */
	if (!snapshot->verdict || *snapshot->verdict != 'D')
		return (int)line.length;
	vhu_line_add(&line, ": ");
	add_foreign(&line, snapshot->title);
	vhu_line_add(&line, " (");
	add_foreign(&line, snapshot->verdict);
	for (const char *other = snapshot->alternatives; other && *other;) {
		size_t length = strcspn(other, " ");

		vhu_line_add(&line, " or ");
		vhu_line_foreign(&line, other, length, "");
		other += length + strspn(other + length, " ");
	}
	vhu_line_add(&line, ")");
	return (int)line.length;
}
