/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as lines of JSON. docs/json/dump.json lists the keys. */
#include <string.h>

#include "lib/show/dump.h"
#include "lib/show/fields_json.h"
#include "lib/show/snapshot.h"
#include "lib/show/state.h"
#include "lib/util/util.h"

/* What docs/json describes. */
#define SCHEMA "dump/1"

/* Write a message and what it means. */
static void put_message(struct vhu_json *json, const struct vhu_record *record,
			const struct vhu_annotation *note)
{
	char name[128];
	struct vhu_annotation request = *note;

	request.reply = false;
	vhu_annotation_name(&request, record, name, sizeof(name));
	vhu_json_string(json, "from", record->from_back_end ? "back-end" : "front-end");
	vhu_json_string(json, "message", name);
	vhu_json_bool(json, "reply", note->reply);
	if (note->has_header) {
		vhu_json_unsigned(json, "request", note->header.request);
		vhu_json_unsigned(json, "flags", note->header.flags);
		vhu_json_unsigned(json, "size", note->header.size);
	}
	vhu_json_string(json, "dialect", vhu_dialect_name(note->context.dialect));
	if (note->request_number) {
		vhu_json_unsigned(json, "request_number", note->request_number);
		if (note->clock_back)
			vhu_json_bool(json, "clock_back", true);
		else
			vhu_json_unsigned(json, "delay_ns", note->delay_ns);
	}
	if (note->reply_number)
		vhu_json_unsigned(json, "reply_number", note->reply_number);
	if (note->unanswered != VHU_UNANSWERED_NOT)
		vhu_json_string(json, "unanswered",
				note->unanswered == VHU_UNANSWERED_NEVER ? "never" : "yet");
	if (note->vring >= 0)
		vhu_json_unsigned(json, "vring", (uint64_t)note->vring);
	if (note->layout)
		vhu_show_payload_json(json, "payload", note->layout, &note->payload,
				      &note->context);
	else if (note->payload.captured)
		vhu_json_bytes(json, "payload_bytes", note->payload.bytes, note->payload.captured);
}

/* Write what the session knows of where a message points to, and what is wrong with it. */
static void put_meaning(struct vhu_json *json, const struct vhu_annotation *note)
{
	if (note->offered_by)
		vhu_json_unsigned(json, "offered", note->offer);
	if (note->places)
		vhu_json_array(json, "places");
	for (unsigned i = 0; i < note->places; i++) {
		vhu_json_object(json, NULL);
		vhu_json_string(json, "what", note->place[i].what);
		vhu_json_unsigned(json, "region_index", note->place[i].region);
		vhu_json_unsigned(json, "offset", note->place[i].offset);
		if (note->place[i].length)
			vhu_json_unsigned(json, "length", note->place[i].length);
		vhu_json_object_end(json);
	}
	if (note->places)
		vhu_json_array_end(json);
	if (note->findings)
		vhu_json_array(json, "findings");
	for (unsigned i = 0; i < note->findings; i++) {
		char id[16];

		snprintf(id, sizeof(id), "V%u", note->finding[i].rule->id);
		vhu_json_object(json, NULL);
		vhu_json_string(json, "rule", id);
		vhu_json_string(json, "name", note->finding[i].rule->name);
		vhu_json_string(json, "severity",
				vhu_severity_name(note->finding[i].rule->severity));
		vhu_json_string(json, "text", note->finding[i].text);
		vhu_json_object_end(json);
	}
	if (note->findings)
		vhu_json_array_end(json);
}

/* Write the descriptors that passed. */
static void put_fds(struct vhu_json *json, const struct vhu_record *record)
{
	vhu_json_array(json, "fds");
	for (unsigned i = 0; i < record->fds; i++) {
		const struct vhu_fd_info *fd = &record->fd[i];

		vhu_json_object(json, NULL);
		vhu_json_string(json, "kind", vhu_fd_kind_name(fd->kind));
		if (fd->has & VHU_FD_HAS_INODE) {
			vhu_json_unsigned(json, "inode", fd->inode);
			vhu_json_unsigned(json, "device_number", fd->device);
		}
		if (fd->has & VHU_FD_HAS_SIZE)
			vhu_json_unsigned(json, "size", fd->size);
		if (fd->has & VHU_FD_HAS_SEALS)
			vhu_json_unsigned(json, "seals", fd->seals);
		if (fd->has & VHU_FD_HAS_PAGE_SIZE)
			vhu_json_unsigned(json, "page_size", fd->page_size);
		if (fd->has & VHU_FD_HAS_EVENTFD)
			vhu_json_unsigned(json, "eventfd_id", fd->eventfd_id);
		if (fd->has & VHU_FD_HAS_COUNT)
			vhu_json_unsigned(json, "eventfd_count", fd->eventfd_count);
		if (fd->has & VHU_FD_HAS_SEMAPHORE)
			vhu_json_bool(json, "semaphore", fd->semaphore);
		vhu_json_unsigned(json, "flags", fd->flags);
		if (*fd->name)
			vhu_json_string(json, "name", fd->name);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write what happened on a vring, with the times that are known. */
static void put_vring(struct vhu_json *json, const struct vhu_vring_event *event)
{
	const char *act = vhu_vring_act_name(event->act), *fate = vhu_vring_fate_name(event->fate);

	vhu_json_string(json, "event", act ? act : "unknown");
	vhu_json_unsigned(json, "vring", event->vring);
	vhu_json_unsigned(json, "eventfd_id", event->eventfd_id);
	vhu_json_unsigned(json, "pid", event->pid);
	vhu_json_unsigned(json, "tid", event->tid);
	vhu_json_unsigned(json, "cpu", event->cpu);
	vhu_json_string(json, "comm", event->comm);
	if (event->has & VHU_VRING_HAS_KICK_TO_WAKE)
		vhu_json_unsigned(json, "kick_to_wake_ns", event->kick_to_wake);
	if (event->has & VHU_VRING_HAS_WAKE_TO_CALL)
		vhu_json_unsigned(json, "wake_to_call_ns", event->wake_to_call);
	if (event->has & VHU_VRING_HAS_KICK_TO_CALL)
		vhu_json_unsigned(json, "kick_to_call_ns", event->kick_to_call);
	if (event->has & VHU_VRING_HAS_FATE) {
		vhu_json_unsigned(json, "signals", event->signals);
		vhu_json_string(json, "fate", fate ? fate : "unknown");
	}
}

/* Write the names of the marks that are set. */
static void put_marks(struct vhu_json *json, uint16_t marks)
{
	static const struct {
		uint16_t mark;
		const char *name;
	} row[] = {
	    {VHU_MARK_BIG_ENDIAN, "big endian"},
	    {VHU_MARK_REDACTED, "redacted"},
	    {VHU_MARK_TRUNCATED, "truncated"},
	    {VHU_MARK_ALTERED, "altered"},
	    {VHU_MARK_PARTIAL, "partial"},
	    {VHU_MARK_EARLIER, "earlier"},
	    {VHU_MARK_LOST, "lost"},
	    {VHU_MARK_DROPPED, "dropped"},
	    {VHU_MARK_BEGUN, "begun"},
	    {VHU_MARK_RECONSTRUCTED, "reconstructed"},
	    {VHU_MARK_ENDED, "ended"},
	};

	vhu_json_array(json, "marks");
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		if (marks & row[i].mark)
			vhu_json_string(json, NULL, row[i].name);
	vhu_json_array_end(json);
}

/* Write a record's keys. @bytes: the message's bytes too. */
static void put_record(struct vhu_json *json, const struct vhu_record *record, uint64_t number,
		       const struct vhu_annotation *note, bool bytes)
{
	const char *channel = vhu_channel_name(record->channel);
	const char *type = vhu_record_type_name(record->type);
	char info[1024];

	vhu_annotation_text(note, record, info, sizeof(info));
	vhu_json_unsigned(json, "number", number);
	vhu_json_unsigned(json, "time_ns", record->time_ns);
	vhu_json_string(json, "type", type ? type : "unknown");
	vhu_json_unsigned(json, "session", record->session);
	vhu_json_string(json, "channel", channel ? channel : "unknown");
	vhu_json_string(json, "info", info);
	if (record->type == VHU_RECORD_MESSAGE)
		put_message(json, record, note);
	if (record->type == VHU_RECORD_VRING)
		put_vring(json, &record->vring);
	if (record->type == VHU_RECORD_SNAPSHOT)
		vhu_show_snapshot_json(json, &record->snapshot);
	if (record->fds)
		put_fds(json, record);
	if (record->marks)
		put_marks(json, record->marks);
	if (record->type == VHU_RECORD_OPENED) {
		vhu_show_peer_json(json, "front_end", &record->front_end);
		vhu_show_peer_json(json, "back_end", &record->back_end);
	}
	put_meaning(json, note);
	if (note->state)
		vhu_show_changes_json(json, "changes", note->state, number);
	if (*record->text)
		vhu_json_string(json, "text", record->text);
	if (bytes && record->message_size)
		vhu_json_bytes(json, "bytes", record->message, record->message_size);
}

void vhu_dump_head_json(struct vhu_dump *dump, const struct vhu_packets_head *head)
{
	const struct {
		const char *key, *text;
	} row[] = {{"program", head->program},
		   {"os", head->os},
		   {"hardware", head->hardware},
		   {"comment", head->comment}};
	struct vhu_json json = {.to = dump->to};

	vhu_json_document(&json, NULL, SCHEMA);
	vhu_json_string(&json, "type", "capture");
	if (dump->file)
		vhu_json_string(&json, "file", dump->file);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		if (*row[i].text)
			vhu_json_string(&json, row[i].key, row[i].text);
	if (head->counted)
		vhu_json_unsigned(&json, "dropped", head->dropped);
	vhu_json_object_end(&json);
	fputc('\n', dump->to);
}

void vhu_show_record_json(struct vhu_json *json, const char *key, const struct vhu_record *record,
			  uint64_t number, const struct vhu_annotation *note, bool bytes)
{
	vhu_json_document(json, key, SCHEMA);
	put_record(json, record, number, note, bytes);
	vhu_json_object_end(json);
}

void vhu_dump_json(struct vhu_dump *dump, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note)
{
	struct vhu_json json = {.to = dump->to};

	vhu_json_document(&json, NULL, SCHEMA);
	if (dump->file)
		vhu_json_string(&json, "file", dump->file);
	put_record(&json, record, number, note, dump->bytes);
	vhu_json_object_end(&json);
	fputc('\n', dump->to);
}
