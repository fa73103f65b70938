/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of vrings as text and as JSON. */
#include "lib/show/snapshot.h"

#include <inttypes.h>
#include <string.h>

#include "lib/show/state.h"
#include "lib/util/duration.h"

/* Begin a line. */
static void put_label(FILE *to, const char *label)
{
	fprintf(to, "        %s: ", label);
}

/* Write the indexes and what each side asks of the other. */
static void put_ring(FILE *to, const struct vhu_vring_snapshot *snapshot)
{
	char age[VHU_DURATION_TEXT_SIZE];

	put_label(to, "Ring");
	if (!(snapshot->has & VHU_SNAPSHOT_HAS_RING)) {
		fprintf(to, "not read: %s\n", strerror((int)snapshot->error));
		return;
	}
	fprintf(to, "%s, size %" PRIu32, snapshot->packed ? "packed" : "split", snapshot->size);
	if (snapshot->packed)
		fprintf(to, ", available %u wrap %u, used %u wrap %u", snapshot->available & 0x7fff,
			snapshot->available >> 15, snapshot->used & 0x7fff, snapshot->used >> 15);
	else
		fprintf(to, ", available %u, used %u", snapshot->available, snapshot->used);
	fprintf(to, ", %" PRIu32 " waiting", snapshot->waiting);
	if (snapshot->has & VHU_SNAPSHOT_HAS_IN_FLIGHT)
		fprintf(to, ", %" PRIu32 " in flight", snapshot->in_flight);
	if (snapshot->has & VHU_SNAPSHOT_HAS_AGE)
		fprintf(to, ", oldest %s", vhu_duration_text(snapshot->age_ns, age));
	fputc('\n', to);
	put_label(to, "Driver");
	fprintf(to, "flags 0x%x", snapshot->driver_flags);
	if (snapshot->has & VHU_SNAPSHOT_HAS_EVENTS)
		fprintf(to, ", event %u", snapshot->driver_event);
	fputc('\n', to);
	put_label(to, "Device");
	fprintf(to, "flags 0x%x", snapshot->device_flags);
	if (snapshot->has & VHU_SNAPSHOT_HAS_EVENTS)
		fprintf(to, ", event %u", snapshot->device_event);
	fputc('\n', to);
}

/* Write an eventfd. */
static void put_eventfd(FILE *to, const char *label, const struct vhu_snapshot_eventfd *eventfd)
{
	put_label(to, label);
	fprintf(to, "eventfd %" PRIu32 ", count %" PRIu64 "\n", eventfd->id, eventfd->count);
}

/* Return a process's state as a text. */
static const char *state_text(const struct vhu_snapshot_process *process, char to[2])
{
	to[0] = process->state > ' ' && process->state < 0x7f ? process->state : '?';
	to[1] = '\0';
	return to;
}

/* Write a process. */
static void put_process(FILE *to, const char *label, const struct vhu_snapshot_process *process)
{
	char state[2];

	put_label(to, label);
	fprintf(to, "pid %" PRIu32 ", state %s, %" PRIu64 " bytes unread\n", process->pid,
		state_text(process, state), process->unread);
}

/* Write a request. */
static void put_request(FILE *to, const struct vhu_snapshot_request *request)
{
	put_label(to, "Request");
	fprintf(to,
		"head %u, id %u%s, %" PRIu32 " buffer%s, %" PRIu64 " bytes to read, %" PRIu64
		" to write",
		request->head, request->id, request->taken ? ", in flight" : "", request->buffers,
		request->buffers == 1 ? "" : "s", request->readable, request->writable);
	if (*request->fault) {
		fprintf(to, "; it ");
		vhu_show_foreign(to, request->fault);
	}
	if (*request->header) {
		fprintf(to, ": ");
		vhu_show_foreign(to, request->header);
	}
	fputc('\n', to);
	for (unsigned i = 0; i < request->listed; i++) {
		const struct vhu_snapshot_buffer *buffer = &request->buffer[i];

		fprintf(to, "            Buffer: 0x%" PRIx64 ", size %" PRIu32 ", flags 0x%x%s%s\n",
			buffer->address, buffer->size, buffer->flags,
			buffer->indirect ? ", in an indirect table" : "",
			buffer->untranslated ? ", not translated"
			: buffer->not_mapped ? ", outside memory"
					     : "");
	}
}

void vhu_show_snapshot(FILE *to, const struct vhu_vring_snapshot *snapshot)
{
	struct vhu_snapshot_request request;
	char age[VHU_DURATION_TEXT_SIZE];
	size_t cursor = 0;

	put_ring(to, snapshot);
	if (snapshot->has & VHU_SNAPSHOT_HAS_KICK)
		put_eventfd(to, "Kick", &snapshot->kick);
	if (snapshot->has & VHU_SNAPSHOT_HAS_CALL)
		put_eventfd(to, "Call", &snapshot->call);
	if (snapshot->has & VHU_SNAPSHOT_HAS_FRONT_END)
		put_process(to, "Front-end", &snapshot->front_end);
	if (snapshot->has & VHU_SNAPSHOT_HAS_BACK_END)
		put_process(to, "Back-end", &snapshot->back_end);
	if (snapshot->has & VHU_SNAPSHOT_HAS_PENDING) {
		put_label(to, "No reply to");
		fprintf(to, "request %" PRIu32 " of the %s for %s\n", snapshot->pending_request,
			snapshot->pending_of_back_end ? "back-end" : "front-end",
			vhu_duration_text(snapshot->pending_ns, age));
	}
	while (vhu_snapshot_request_next(snapshot, &cursor, &request))
		put_request(to, &request);
}

/* Write the verdict. */
static void json_verdict(struct vhu_json *json, const struct vhu_vring_snapshot *snapshot)
{
	vhu_json_object(json, "verdict");
	vhu_json_string(json, "id", snapshot->verdict);
	vhu_json_string(json, "title", snapshot->title);
	vhu_json_string(json, "text", snapshot->text);
	vhu_json_bool(json, "hangs", snapshot->hangs);
	vhu_json_array(json, "alternatives");
	for (const char *other = snapshot->alternatives; *other;) {
		size_t length = strcspn(other, " ");
		char id[16];

		snprintf(id, sizeof(id), "%.*s", (int)(length < 16 ? length : 15), other);
		vhu_json_string(json, NULL, id);
		other += length + strspn(other + length, " ");
	}
	vhu_json_array_end(json);
	vhu_json_object_end(json);
}

void vhu_show_ring_index(struct vhu_json *json, const char *key, const char *wrap_key,
			 uint16_t value, bool packed)
{
	vhu_json_unsigned(json, key, packed ? value & 0x7fff : value);
	if (packed)
		vhu_json_bool(json, wrap_key, value >> 15);
}

void vhu_show_ring_asks(struct vhu_json *json, const char *key, bool events, uint16_t flags,
			uint16_t event)
{
	vhu_json_object(json, key);
	vhu_json_unsigned(json, "flags", flags);
	if (events)
		vhu_json_unsigned(json, "event_index", event);
	vhu_json_object_end(json);
}

/* Write what was read of the ring. */
static void json_ring(struct vhu_json *json, const struct vhu_vring_snapshot *snapshot)
{
	const bool events = snapshot->has & VHU_SNAPSHOT_HAS_EVENTS;

	if (!(snapshot->has & VHU_SNAPSHOT_HAS_RING)) {
		vhu_json_string(json, "error", strerror((int)snapshot->error));
		vhu_json_unsigned(json, "errno", snapshot->error);
		return;
	}
	vhu_json_string(json, "format", snapshot->packed ? "packed" : "split");
	vhu_json_unsigned(json, "size", snapshot->size);
	vhu_show_ring_index(json, "available", "available_wrap", snapshot->available,
			    snapshot->packed);
	vhu_show_ring_index(json, "used", "used_wrap", snapshot->used, snapshot->packed);
	vhu_json_unsigned(json, "waiting", snapshot->waiting);
	vhu_show_ring_asks(json, "driver_events", events, snapshot->driver_flags,
			   snapshot->driver_event);
	vhu_show_ring_asks(json, "device_events", events, snapshot->device_flags,
			   snapshot->device_event);
	if (snapshot->has & VHU_SNAPSHOT_HAS_IN_FLIGHT)
		vhu_json_unsigned(json, "in_flight", snapshot->in_flight);
	if (snapshot->has & VHU_SNAPSHOT_HAS_AGE)
		vhu_json_unsigned(json, "age_ns", snapshot->age_ns);
}

/* Write an eventfd. */
static void json_eventfd(struct vhu_json *json, const char *key,
			 const struct vhu_snapshot_eventfd *eventfd)
{
	vhu_json_object(json, key);
	vhu_json_unsigned(json, "eventfd_id", eventfd->id);
	vhu_json_unsigned(json, "count", eventfd->count);
	vhu_json_object_end(json);
}

/* Write a process. */
static void json_process(struct vhu_json *json, const char *key,
			 const struct vhu_snapshot_process *process)
{
	char state[2];

	vhu_json_object(json, key);
	vhu_json_unsigned(json, "pid", process->pid);
	vhu_json_string(json, "state", state_text(process, state));
	vhu_json_unsigned(json, "unread", process->unread);
	vhu_json_object_end(json);
}

/* Write a request. */
static void json_request(struct vhu_json *json, const struct vhu_snapshot_request *request)
{
	vhu_json_object(json, NULL);
	vhu_json_unsigned(json, "head", request->head);
	vhu_json_unsigned(json, "buffer_id", request->id);
	vhu_json_bool(json, "taken", request->taken);
	vhu_json_unsigned(json, "descriptors", request->descriptors);
	vhu_json_unsigned(json, "readable", request->readable);
	vhu_json_unsigned(json, "writable", request->writable);
	if (*request->header)
		vhu_json_string(json, "header", request->header);
	if (*request->fault)
		vhu_json_string(json, "fault", request->fault);
	vhu_json_array(json, "buffers");
	for (unsigned i = 0; i < request->listed; i++) {
		const struct vhu_snapshot_buffer *buffer = &request->buffer[i];

		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "address", buffer->address);
		vhu_json_unsigned(json, "size", buffer->size);
		vhu_json_unsigned(json, "flags", buffer->flags);
		vhu_json_bool(json, "indirect", buffer->indirect);
		vhu_json_bool(json, "mapped", !buffer->not_mapped);
		if (buffer->untranslated)
			vhu_json_bool(json, "translated", false);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
	vhu_json_object_end(json);
}

void vhu_show_snapshot_json(struct vhu_json *json, const struct vhu_vring_snapshot *snapshot)
{
	const char *reason = vhu_snapshot_reason_name(snapshot->reason);
	struct vhu_snapshot_request request;
	size_t cursor = 0;

	vhu_json_string(json, "reason", reason ? reason : "unknown");
	vhu_json_unsigned(json, "vring", snapshot->vring);
	json_verdict(json, snapshot);
	json_ring(json, snapshot);
	if (snapshot->has & VHU_SNAPSHOT_HAS_KICK)
		json_eventfd(json, "kick", &snapshot->kick);
	if (snapshot->has & VHU_SNAPSHOT_HAS_CALL)
		json_eventfd(json, "call", &snapshot->call);
	if (snapshot->has & VHU_SNAPSHOT_HAS_FRONT_END)
		json_process(json, "front_end", &snapshot->front_end);
	if (snapshot->has & VHU_SNAPSHOT_HAS_BACK_END)
		json_process(json, "back_end", &snapshot->back_end);
	if (snapshot->has & VHU_SNAPSHOT_HAS_PENDING) {
		vhu_json_object(json, "pending");
		vhu_json_unsigned(json, "request_number", snapshot->pending_request);
		vhu_json_string(json, "from",
				snapshot->pending_of_back_end ? "back-end" : "front-end");
		vhu_json_unsigned(json, "age_ns", snapshot->pending_ns);
		vhu_json_object_end(json);
	}
	vhu_json_array(json, "requests");
	while (vhu_snapshot_request_next(snapshot, &cursor, &request))
		json_request(json, &request);
	vhu_json_array_end(json);
}
