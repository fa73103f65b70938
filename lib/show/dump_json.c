/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as lines of JSON. docs/vhu-dump.1 lists the keys. */
#include <string.h>

#include "lib/protocol/field.h"
#include "lib/protocol/text.h"
#include "lib/show/dump.h"
#include "lib/show/snapshot.h"
#include "lib/show/state.h"
#include "lib/util/util.h"

/* Write the name of a value or the names of its bits, under the field's key with a suffix. */
static void put_names(struct vhu_json *json, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const struct vhu_name *name;
	char key[64], unknown[16];

	if (!vhu_name_sets[field->names].bits) {
		name = vhu_name_find(field->names, item->value, context);
		snprintf(key, sizeof(key), "%s_name", vhu_field_key(field));
		if (name)
			vhu_json_string(json, key, name->name);
		return;
	}
	snprintf(key, sizeof(key), "%s_names", vhu_field_key(field));
	vhu_json_array(json, key);
	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(item->value >> bit & 1))
			continue;
		name = vhu_name_find(field->names, bit, context);
		snprintf(unknown, sizeof(unknown), "bit %u", bit);
		vhu_json_string(json, NULL, name ? name->name : unknown);
	}
	vhu_json_array_end(json);
}

/* Write one field. */
static void put_field(struct vhu_json *json, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	char text[1024];

	if (field->show == VHU_SECRET) {
		vhu_value_text(item, context, text, sizeof(text));
		vhu_json_string(json, vhu_field_key(field), text);
		return;
	}
	switch (field->kind) {
	case VHU_UINT:
	case VHU_LE:
		if (field->show == VHU_BOOL)
			vhu_json_bool(json, vhu_field_key(field), item->value);
		else
			vhu_json_unsigned(json, vhu_field_key(field), item->value);
		break;
	case VHU_INT:
		vhu_json_signed(json, vhu_field_key(field), (int64_t)item->value);
		break;
	case VHU_MAC:
	case VHU_UUID:
		vhu_value_text(item, context, text, sizeof(text));
		vhu_json_string(json, vhu_field_key(field), text);
		break;
	case VHU_TEXT:
		snprintf(text, sizeof(text), "%.*s", (int)item->size, (const char *)item->bytes);
		vhu_json_string(json, vhu_field_key(field), text);
		break;
	case VHU_PADDING:
		if (!item->value)
			break;
		/* fall through */
	default:
		vhu_json_bytes(json, vhu_field_key(field), item->bytes, item->size);
		break;
	}
	if (field->names != VHU_NAMES_none)
		put_names(json, item, context);
}

/* Write the bytes that a walk could not have, or had no field for. */
static void put_rest(struct vhu_json *json, const struct vhu_item *item)
{
	if (item->what == VHU_ITEM_MISSING)
		vhu_json_unsigned(json, "missing", item->size);
	else if (item->what == VHU_ITEM_CUT)
		vhu_json_unsigned(json, "cut", item->size);
	else
		vhu_json_bytes(json, "left_over", item->bytes, item->size);
}

/* Write a payload's fields. Elements of an array stand one after the other in the walk; the array
 * ends with the first step after an element that opens no further one. */
static void put_payload(struct vhu_json *json, const struct vhu_annotation *note)
{
	struct vhu_walk walk;
	struct vhu_item item;
	bool after_element = false;

	vhu_json_object(json, "payload");
	vhu_walk_start(&walk, note->layout, &note->payload, &note->context);
	while (vhu_walk_next(&walk, &item)) {
		bool opens = item.what == VHU_ITEM_OPEN && item.element;

		if (after_element && !(opens && item.index))
			vhu_json_array_end(json);
		after_element = item.what == VHU_ITEM_CLOSE && item.element;
		if (opens && item.index == 0)
			vhu_json_array(json, vhu_field_key(item.field));
		if (item.what == VHU_ITEM_VALUE)
			put_field(json, &item, &note->context);
		else if (item.what == VHU_ITEM_OPEN)
			vhu_json_object(json, item.element ? NULL
					      : item.field->kind == VHU_CONFIG
						  ? "fields"
						  : vhu_field_key(item.field));
		else if (item.what == VHU_ITEM_CLOSE)
			vhu_json_object_end(json);
		else
			put_rest(json, &item);
	}
	if (after_element)
		vhu_json_array_end(json);
	vhu_json_object_end(json);
}

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
	if (note->unanswered != VHU_UNANSWERED_NOT)
		vhu_json_string(json, "unanswered",
				note->unanswered == VHU_UNANSWERED_NEVER ? "never" : "yet");
	if (note->vring >= 0)
		vhu_json_unsigned(json, "vring", (uint64_t)note->vring);
	if (note->layout)
		put_payload(json, note);
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
		vhu_json_unsigned(json, "region", note->place[i].region);
		vhu_json_unsigned(json, "offset", note->place[i].offset);
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
			vhu_json_unsigned(json, "device", fd->device);
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

	vhu_json_unsigned(json, "number", number);
	vhu_json_unsigned(json, "time_ns", record->time_ns);
	vhu_json_string(json, "type", type ? type : "unknown");
	vhu_json_unsigned(json, "session", record->session);
	vhu_json_string(json, "channel", channel ? channel : "unknown");
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
	if (*record->text)
		vhu_json_string(json, "text", record->text);
	if (bytes && record->message_size)
		vhu_json_bytes(json, "bytes", record->message, record->message_size);
}

void vhu_show_record_json(struct vhu_json *json, const char *key, const struct vhu_record *record,
			  uint64_t number, const struct vhu_annotation *note, bool bytes)
{
	vhu_json_object(json, key);
	put_record(json, record, number, note, bytes);
	vhu_json_object_end(json);
}

void vhu_dump_json(struct vhu_dump *dump, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note)
{
	struct vhu_json json = {.to = dump->to};

	vhu_json_object(&json, NULL);
	if (dump->file)
		vhu_json_string(&json, "file", dump->file);
	put_record(&json, record, number, note, dump->bytes);
	vhu_json_object_end(&json);
	fputc('\n', dump->to);
}
