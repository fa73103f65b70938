/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as lines for people. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "lib/protocol/text.h"
#include "lib/show/dump.h"
#include "lib/show/snapshot.h"
#include "lib/util/util.h"

/* Write a record's time in the form asked for. */
static void put_time(struct vhu_dump *dump, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / VHU_NS_PER_S);
	uint64_t since;
	struct tm tm;
	char text[32] = "";

	switch (dump->time) {
	case VHU_TIME_ABSOLUTE:
		if (localtime_r(&seconds, &tm))
			strftime(text, sizeof(text), "%F %T", &tm);
		fprintf(dump->to, "%s.%09" PRIu64, text, time_ns % VHU_NS_PER_S);
		return;
	case VHU_TIME_EPOCH:
		fprintf(dump->to, "%" PRIu64 ".%09" PRIu64, time_ns / VHU_NS_PER_S,
			time_ns % VHU_NS_PER_S);
		return;
	case VHU_TIME_RELATIVE:
	case VHU_TIME_DELTA:
		break;
	}
	since = dump->time == VHU_TIME_DELTA ? dump->before_ns : dump->first_ns;
	/* Channels are read one by one: a record may be older than the one before it. */
	if (time_ns < since)
		fprintf(dump->to, "-%" PRIu64 ".%09" PRIu64, (since - time_ns) / VHU_NS_PER_S,
			(since - time_ns) % VHU_NS_PER_S);
	else
		fprintf(dump->to, "%" PRIu64 ".%09" PRIu64, (time_ns - since) / VHU_NS_PER_S,
			(time_ns - since) % VHU_NS_PER_S);
}

/* Write how long an answer took, in the unit that reads best. */
static void put_delay(FILE *to, uint64_t ns)
{
	if (ns < 10000)
		fprintf(to, " (after %" PRIu64 " ns)", ns);
	else if (ns < 10000000)
		fprintf(to, " (after %" PRIu64 " us)", ns / 1000);
	else
		fprintf(to, " (after %" PRIu64 " ms)", ns / 1000000);
}

/* Write how a reply follows its request, and whether a request gets its reply. */
static void put_answer(FILE *to, const struct vhu_annotation *note)
{
	static const char *const unanswered[] = {
	    [VHU_UNANSWERED_NOT] = "",
	    [VHU_UNANSWERED_NEVER] = "never answered",
	    [VHU_UNANSWERED_STILL] = "not answered yet",
	};
	bool needs = note->has_header && !note->reply && note->header.flags & VHU_FLAG_NEED_REPLY;
	const char *text = unanswered[note->unanswered];

	if (note->clock_back)
		fprintf(to, " (the clock went back)");
	else if (note->request_number)
		put_delay(to, note->delay_ns);
	else if (needs || *text)
		fprintf(to, " (%s%s%s)", needs ? "NEED_REPLY" : "", needs && *text ? ", " : "",
			text);
}

/* Begin a line of a field. */
static void put_label(FILE *to, unsigned depth, const char *label)
{
	fprintf(to, "%*s%s: ", 8 + 4 * depth, "", label);
}

/* Return whether a value is worth a line: what ought to be zero is not while it is. */
static bool worth_a_line(const struct vhu_item *item)
{
	const char *path = item->field->path;

	return item->value || (item->field->kind != VHU_PADDING && strcmp(path, "reserved"));
}

/* Write one field. */
static void put_field(FILE *to, unsigned depth, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	char text[1024];

	if (!worth_a_line(item))
		return;
	vhu_value_text(item, context, text, sizeof(text));
	put_label(to, depth, item->field->label);
	fprintf(to, "%s\n", text);
}

/* Write bytes in hexadecimal, 16 a line, with their offsets. */
static void put_bytes(FILE *to, unsigned depth, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size; at += 16) {
		fprintf(to, "%*s%04zx ", 8 + 4 * depth, "", at);
		for (size_t i = at; i < at + 16 && i < size; i++)
			fprintf(to, " %02x", bytes[i]);
		fputc('\n', to);
	}
}

/* Write the fields of a payload. */
static void put_payload(FILE *to, const struct vhu_annotation *note)
{
	struct vhu_walk walk;
	struct vhu_item item;
	unsigned depth = 0;

	vhu_walk_start(&walk, note->layout, &note->payload, &note->context);
	while (vhu_walk_next(&walk, &item)) {
		switch (item.what) {
		case VHU_ITEM_VALUE:
			put_field(to, depth, &item, &note->context);
			break;
		case VHU_ITEM_OPEN:
			put_label(to, depth++, item.field->label);
			if (item.element)
				fprintf(to, "%u\n", item.index);
			else
				fprintf(to, "%s\n", item.layout->title);
			break;
		case VHU_ITEM_CLOSE:
			depth--;
			break;
		case VHU_ITEM_CUT:
			put_label(to, depth, item.field->label);
			fprintf(to, "%" PRIu32 " bytes not captured\n", item.size);
			break;
		case VHU_ITEM_MISSING:
			put_label(to, depth, item.field->label);
			fprintf(to, "%" PRIu32 " bytes missing\n", item.size);
			break;
		case VHU_ITEM_LEFT_OVER:
			put_label(to, depth, "Left over");
			fprintf(to, "%" PRIu32 " bytes\n", item.size);
			put_bytes(to, depth + 1, item.bytes, item.size);
			break;
		}
	}
}

/* Write the header's fields. */
static void put_header(FILE *to, const struct vhu_annotation *note)
{
	uint32_t flags = note->header.flags;

	put_label(to, 0, "Request");
	fprintf(to, "%" PRIu32 "\n", note->header.request);
	put_label(to, 0, "Flags");
	fprintf(to, "0x%" PRIx32 " (version %" PRIu32 "%s%s%s)\n", flags,
		flags & VHU_FLAGS_VERSION_MASK, flags & VHU_FLAG_REPLY ? ", REPLY" : "",
		flags & VHU_FLAG_NEED_REPLY ? ", NEED_REPLY" : "",
		flags & VHU_FLAGS_RESERVED ? ", reserved bits" : "");
	put_label(to, 0, "Size");
	fprintf(to, "%" PRIu32 "\n", note->header.size);
}

/* Write one descriptor that passed. */
static void put_fd(FILE *to, unsigned index, const struct vhu_fd_info *fd)
{
	char text[VHU_RECORD_TEXT_MAX + 64], names[VHU_FLAGS_TEXT];

	vhu_fd_text(fd, text, sizeof(text));
	put_label(to, 0, "Descriptor");
	fprintf(to, "%u: %s", index, text);
	if (fd->has & VHU_FD_HAS_INODE)
		fprintf(to, ", inode %" PRIu64 " on device 0x%" PRIx64, fd->inode, fd->device);
	if (fd->has & VHU_FD_HAS_SIZE)
		fprintf(to, ", size 0x%" PRIx64, fd->size);
	if (fd->has & VHU_FD_HAS_SEALS) {
		vhu_seals_text(fd->seals, names, sizeof(names));
		fprintf(to, ", seals %s", names);
	}
	if (fd->has & VHU_FD_HAS_PAGE_SIZE)
		fprintf(to, ", pages of 0x%" PRIx64, fd->page_size);
	if (fd->has & VHU_FD_HAS_COUNT)
		fprintf(to, ", count %" PRIu64, fd->eventfd_count);
	if ((fd->has & VHU_FD_HAS_SEMAPHORE) && fd->semaphore)
		fprintf(to, ", semaphore");
	vhu_open_flags_text(fd->flags, names, sizeof(names));
	fprintf(to, ", flags %s\n", names);
}

/* Write who was at one side. */
static void put_peer(FILE *to, const char *side, const struct vhu_peer *peer)
{
	if (!peer->known)
		return;
	put_label(to, 0, side);
	fprintf(to, "pid %" PRIu32 ", uid %" PRIu32 ", gid %" PRIu32 "\n", peer->pid, peer->uid,
		peer->gid);
}

/* Write what features that are taken leave of the offer, and what they add. */
static void put_offer(FILE *to, const struct vhu_annotation *note)
{
	const struct vhu_field *field = &vhu_fields[note->layout->first];
	uint64_t taken;
	char names[1024];

	if (!note->offered_by || !vhu_field_read(&note->payload, note->layout->first, 0, &taken))
		return;
	if (note->offer & ~taken) {
		vhu_bits_text(field->names, note->offer & ~taken, &note->context, names,
			      sizeof(names));
		put_label(to, 0, "Offered, not acked");
		fprintf(to, "%s\n", names);
	}
	if (taken & ~note->offer) {
		vhu_bits_text(field->names, taken & ~note->offer, &note->context, names,
			      sizeof(names));
		put_label(to, 0, "Taken, not offered");
		fprintf(to, "%s\n", names);
	}
}

/* Write what the session knows of a message, and what is wrong with it. */
static void put_meaning(FILE *to, const struct vhu_annotation *note)
{
	if (note->request_number) {
		put_label(to, 0, "Answers message");
		fprintf(to, "%" PRIu64 "\n", note->request_number);
	}
	if (note->layout && note->layout->fields)
		put_offer(to, note);
	for (unsigned i = 0; i < note->places; i++) {
		put_label(to, 0, "Place");
		fprintf(to, "%s in region %u at +0x%" PRIx64 "\n", note->place[i].what,
			note->place[i].region, note->place[i].offset);
	}
	for (unsigned i = 0; i < note->findings; i++) {
		const struct vhu_finding *finding = &note->finding[i];

		fprintf(to, "        ! %s V%u %s: %s\n", vhu_severity_name(finding->rule->severity),
			finding->rule->id, finding->rule->name, finding->text);
	}
}

/* Write all that a record holds. */
static void put_fields(struct vhu_dump *dump, const struct vhu_record *record,
		       const struct vhu_annotation *note)
{
	if (note->has_header)
		put_header(dump->to, note);
	if (note->layout)
		put_payload(dump->to, note);
	else if (note->payload.captured && !dump->bytes)
		put_bytes(dump->to, 0, note->payload.bytes, note->payload.captured);
	for (unsigned i = 0; i < record->fds; i++)
		put_fd(dump->to, i, &record->fd[i]);
	if (record->segments > 1) {
		put_label(dump->to, 0, "Arrived in pieces of");
		for (unsigned i = 0; i < record->segments; i++)
			fprintf(dump->to, "%s%" PRIu32, i ? ", " : "", record->segment[i]);
		fputc('\n', dump->to);
	}
	if (record->marks & VHU_MARK_REDACTED) {
		put_label(dump->to, 0, "Redacted");
		fprintf(dump->to, "key material was replaced by zeros\n");
	}
	put_peer(dump->to, "Front-end", &record->front_end);
	put_peer(dump->to, "Back-end", &record->back_end);
	if (record->type == VHU_RECORD_SNAPSHOT)
		vhu_show_snapshot(dump->to, &record->snapshot);
	put_meaning(dump->to, note);
}

bool vhu_dump_begin(struct vhu_dump *dump, const struct vhu_record *record)
{
	if (dump->begun)
		return false;
	dump->first_ns = dump->before_ns = record->time_ns;
	dump->begun = true;
	return true;
}

void vhu_dump_text(struct vhu_dump *dump, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note)
{
	const char *channel = vhu_channel_name(record->channel);
	char text[1024];

	vhu_dump_begin(dump, record);
	fprintf(dump->to, "%5" PRIu64 " ", number);
	put_time(dump, record->time_ns);
	dump->before_ns = record->time_ns;
	vhu_annotation_text(note, record, text, sizeof(text));
	fprintf(dump->to, " %" PRIu64 " %-9s %s %s", record->session, channel ? channel : "?",
		record->type != VHU_RECORD_MESSAGE ? "--"
		: record->from_back_end            ? "<-"
						   : "->",
		text);
	put_answer(dump->to, note);
	fputc('\n', dump->to);
	if (dump->fields)
		put_fields(dump, record, note);
	if (dump->bytes && record->message_size)
		put_bytes(dump->to, 0, record->message, record->message_size);
}
