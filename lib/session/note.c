/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record says, as a sentence. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/protocol/text.h"
#include "lib/session/session.h"

/* More descriptors than these are counted, not listed. */
#define FDS_LISTED 4

/* A sentence as it grows. */
struct sentence {
	char *to;
	size_t size, length;
};

/* Return where the sentence goes on, and in *@room for how many bytes. */
static char *rest(struct sentence *sentence, size_t *room)
{
	size_t at = sentence->length < sentence->size ? sentence->length : sentence->size;

	*room = sentence->size - at;
	return *room ? sentence->to + at : NULL;
}

/* Add what printf would print. */
static void __attribute__((format(printf, 2, 3)))
add(struct sentence *sentence, const char *format, ...)
{
	va_list arguments;
	size_t room;
	char *to = rest(sentence, &room);
	int length;

	va_start(arguments, format);
	length = vsnprintf(to, room, format, arguments);
	va_end(arguments);
	sentence->length += length > 0 ? (size_t)length : 0;
}

/* Begin a sentence in the room given. */
static struct sentence sentence_in(char *to, size_t size)
{
	if (size)
		to[0] = '\0';
	return (struct sentence){to, size, 0};
}

/* Add a message's name. */
static void add_name(struct sentence *sentence, const struct vhu_note *note)
{
	if (!note->has_header)
		add(sentence, "part of a header");
	else if (!note->message)
		add(sentence, "message %" PRIu32, note->header.request);
	else if (note->or_message)
		add(sentence, "%s or %s", note->message->name, note->or_message->name);
	else
		add(sentence, "%s", note->message->name);
	if (note->reply)
		add(sentence, " reply");
}

/* Add the descriptors that came with a message. */
static void add_fds(struct sentence *sentence, const struct vhu_record *record)
{
	for (unsigned i = 0; i < record->fds && i < FDS_LISTED; i++) {
		char text[128];

		vhu_fd_text(&record->fd[i], text, sizeof(text));
		add(sentence, ", %s", text);
	}
	if (record->fds > FDS_LISTED)
		add(sentence, ", %u more descriptors", record->fds - FDS_LISTED);
}

/* Add what a message's payload says. */
static void add_payload(struct sentence *sentence, const struct vhu_note *note)
{
	size_t room, before = sentence->length;
	char *to;

	if (!note->layout) {
		if (note->payload.size)
			add(sentence, ", %" PRIu32 " bytes", note->payload.size);
		return;
	}
	add(sentence, " ");
	to = rest(sentence, &room);
	sentence->length +=
		(size_t)vhu_brief_text(note->layout, &note->payload, &note->context, to, room);
	/* Nothing said: take the space back. */
	if (sentence->length == before + 1) {
		sentence->length = before;
		if (before < sentence->size)
			sentence->to[before] = '\0';
	}
}

/* Add what is to be known about how a message passed. */
static void add_marks(struct sentence *sentence, const struct vhu_note *note,
		      const struct vhu_record *record)
{
	if (record->marks & VHU_MARK_PARTIAL)
		add(sentence, ", closed after %" PRIu64 " of %" PRIu64 " bytes",
		    record->message_sent,
		    (uint64_t)VHU_HEADER_SIZE + (note->has_header ? note->header.size : 0));
	if (record->marks & VHU_MARK_TRUNCATED)
		add(sentence, ", descriptors lost");
	if (record->marks & VHU_MARK_ALTERED)
		add(sentence, ", altered by the proxy");
}

/* Add a text that a capture brings, without what a terminal would act on. */
static void add_foreign(struct sentence *sentence, const char *text)
{
	for (; text && *text; text++)
		add(sentence, (unsigned char)*text < ' ' || *text == 0x7f ? "\\x%02x" : "%c",
		    (unsigned char)*text);
}

/* Add who is at one side of a session. */
static void add_peer(struct sentence *sentence, const char *side, const struct vhu_peer *peer)
{
	if (!peer->known && !(peer->path && *peer->path))
		return;
	add(sentence, ", %s", side);
	if (peer->known) {
		add(sentence, " ");
		add_foreign(sentence, peer->comm);
		add(sentence, " (pid %" PRIu32 ")", peer->pid);
	}
	if (peer->path && *peer->path) {
		add(sentence, " at ");
		add_foreign(sentence, peer->path);
	}
}

/* Add what happened to a session or to one of its channels. */
static void add_event(struct sentence *sentence, const struct vhu_record *record, const char *event)
{
	const char *channel = vhu_channel_name(record->channel);

	if (record->channel == VHU_FRONT_END)
		add(sentence, "session %s", event);
	else
		add(sentence, "%s channel %s", channel ? channel : "unknown", event);
	if (record->text && *record->text) {
		add(sentence, ": ");
		add_foreign(sentence, record->text);
	}
}

int vhu_note_name(const struct vhu_note *note, const struct vhu_record *record, char *to,
		  size_t size)
{
	struct sentence sentence = sentence_in(to, size);
	const char *type = vhu_record_type_name(record->type);

	if (record->type == VHU_RECORD_MESSAGE)
		add_name(&sentence, note);
	else
		add(&sentence, "%s", type ? type : "unknown record");
	return (int)sentence.length;
}

int vhu_note_text(const struct vhu_note *note, const struct vhu_record *record, char *to,
		  size_t size)
{
	struct sentence sentence = sentence_in(to, size);

	switch (record->type) {
	case VHU_RECORD_MESSAGE:
		add_name(&sentence, note);
		if (note->has_header)
			add_payload(&sentence, note);
		add_fds(&sentence, record);
		add_marks(&sentence, note, record);
		break;
	case VHU_RECORD_OPENED:
		add_event(&sentence, record, "opened");
		/* The channels inside have the session's peers. */
		if (record->channel != VHU_FRONT_END)
			break;
		add_peer(&sentence, "front-end", &record->front_end);
		add_peer(&sentence, "back-end", &record->back_end);
		break;
	case VHU_RECORD_CLOSED:
		add_event(&sentence, record, "closed");
		break;
	case VHU_RECORD_ERROR:
		add_event(&sentence, record, "error");
		break;
	default:
		add(&sentence, "record of type %d", (int)record->type);
		break;
	}
	return (int)sentence.length;
}
