/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record says, as a sentence. */
#include <inttypes.h>
#include <string.h>

#include "lib/protocol/line.h"
#include "lib/protocol/text.h"
#include "lib/session/session.h"

/* More descriptors than these are counted, not listed. */
#define FDS_LISTED 4

/* Add a message's name. */
static void add_name(struct vhu_line *sentence, const struct vhu_annotation *note)
{
	if (!note->has_header)
		vhu_line_add(sentence, "part of a header");
	else if (!note->message)
		vhu_line_printf(sentence, "message %" PRIu32, note->header.request);
	else if (note->or_message)
		vhu_line_printf(sentence, "%s or %s", note->message->name, note->or_message->name);
	else
		vhu_line_add(sentence, note->message->name);
	if (note->reply)
		vhu_line_add(sentence, " reply");
}

/* Add the descriptors that came with a message. */
static void add_fds(struct vhu_line *sentence, const struct vhu_record *record)
{
	for (unsigned i = 0; i < record->fds && i < FDS_LISTED; i++) {
		char text[128];

		vhu_fd_text(&record->fd[i], text, sizeof(text));
		vhu_line_add(sentence, ", ");
		vhu_line_add(sentence, text);
	}
	if (record->fds > FDS_LISTED)
		vhu_line_printf(sentence, ", %u more descriptors", record->fds - FDS_LISTED);
}

/* Add what a message's payload says. */
static void add_payload(struct vhu_line *sentence, const struct vhu_annotation *note)
{
	size_t before = sentence->length, at;

	if (!note->layout) {
		if (note->payload.size)
			vhu_line_printf(sentence, ", %" PRIu32 " bytes", note->payload.size);
		return;
	}
	if (!note->layout->fields && !note->payload.size)
		return;
	vhu_line_add(sentence, " ");
	at = sentence->length < sentence->size ? sentence->length : sentence->size;
	sentence->length +=
	    (size_t)vhu_brief_text(note->layout, &note->payload, &note->context,
				   sentence->size ? sentence->to + at : NULL, sentence->size - at);
	/* Nothing said: take the space back. */
	if (sentence->length == before + 1)
		vhu_line_back(sentence, before);
}

/* Add a text that a capture brings; NULL for none. */
static void add_foreign(struct vhu_line *sentence, const char *text)
{
	if (text)
		vhu_line_foreign(sentence, text, strlen(text), "");
}

/* Add what is to be known about how a message passed. */
static void add_marks(struct vhu_line *sentence, const struct vhu_annotation *note,
		      const struct vhu_record *record)
{
	if (record->marks & VHU_MARK_PARTIAL)
		vhu_line_printf(sentence, ", closed after %" PRIu64 " of %" PRIu64 " bytes",
				record->message_sent,
				(uint64_t)VHU_HEADER_SIZE +
				    (note->has_header ? note->header.size : 0));
	else if (record->message_size < record->message_sent && record->marks & VHU_MARK_EARLIER)
		vhu_line_printf(sentence, ", kept up to %" PRIu32 " of %" PRIu64 " bytes",
				record->message_size, record->message_sent);
	else if (record->message_size < record->message_sent)
		vhu_line_printf(sentence,
				", cut by the snap length to %" PRIu32 " of %" PRIu64 " bytes",
				record->message_size, record->message_sent);
	if (record->marks & VHU_MARK_TRUNCATED)
		vhu_line_add(sentence, ", descriptors lost");
	if (record->marks & VHU_MARK_ALTERED)
		vhu_line_add(sentence, ", altered by the proxy");
	if ((record->marks & VHU_MARK_ALTERED) && record->text && *record->text) {
		vhu_line_add(sentence, ": ");
		add_foreign(sentence, record->text);
	}
}

/* Add who is at one side of a session. */
static void add_peer(struct vhu_line *sentence, const char *side, const struct vhu_peer *peer)
{
	if (!peer->known && !(peer->path && *peer->path))
		return;
	vhu_line_printf(sentence, ", %s", side);
	if (peer->known) {
		vhu_line_add(sentence, " ");
		add_foreign(sentence, peer->comm);
		vhu_line_printf(sentence, " (pid %" PRIu32 ")", peer->pid);
	}
	if (peer->path && *peer->path) {
		vhu_line_add(sentence, " at ");
		add_foreign(sentence, peer->path);
	}
}

/* Add what happened to a session or to one of its channels. */
static void add_event(struct vhu_line *sentence, const struct vhu_record *record, const char *event)
{
	const char *channel = vhu_channel_name(record->channel);

	if (!record->session)
		vhu_line_printf(sentence, "capture %s", event);
	else if (record->channel == VHU_FRONT_END)
		vhu_line_printf(sentence, "session %s", event);
	else
		vhu_line_printf(sentence, "%s channel %s", channel ? channel : "unknown", event);
	if (record->text && *record->text) {
		vhu_line_add(sentence, ": ");
		add_foreign(sentence, record->text);
	}
}

/* Add a time of a vring event, in the unit that reads best. */
static void add_time(struct vhu_line *sentence, const char *what, uint64_t ns)
{
	if (ns < 10000)
		vhu_line_printf(sentence, ", %s %" PRIu64 " ns", what, ns);
	else if (ns < 10000000)
		vhu_line_printf(sentence, ", %s %" PRIu64 " us", what, ns / 1000);
	else
		vhu_line_printf(sentence, ", %s %" PRIu64 " ms", what, ns / 1000000);
}

/* Add what happened on a vring. */
static void add_vring(struct vhu_line *sentence, const struct vhu_record *record)
{
	const struct vhu_vring_event *event = &record->vring;
	const char *act = vhu_vring_act_name(event->act), *fate = vhu_vring_fate_name(event->fate);

	vhu_line_printf(sentence, "vring %" PRIu32 " %s, eventfd %" PRIu32, event->vring,
			act ? act : "event", event->eventfd_id);
	if (event->has & VHU_VRING_HAS_KICK_TO_CALL)
		add_time(sentence, "kick to call", event->kick_to_call);
	if (event->has & VHU_VRING_HAS_KICK_TO_WAKE)
		add_time(sentence, "kick to wake", event->kick_to_wake);
	if (event->has & VHU_VRING_HAS_WAKE_TO_CALL)
		add_time(sentence, "wake to call", event->wake_to_call);
	vhu_line_add(sentence, ", ");
	add_foreign(sentence, event->comm);
	if (!(event->has & VHU_VRING_HAS_FATE)) {
		vhu_line_printf(sentence, " (pid %" PRIu32 ", cpu %" PRIu32 ")", event->pid,
				event->cpu);
		return;
	}
	/* The proxy knows a process, not where in it. */
	vhu_line_printf(sentence, " (pid %" PRIu32 ")", event->pid);
	if (event->signals != 1)
		vhu_line_printf(sentence, ", %" PRIu64 " at once", event->signals);
	if (event->fate != VHU_FATE_PASSED)
		vhu_line_printf(sentence, ", %s by the proxy",
				fate ? fate : "altered in an unknown way");
	if (record->text && *record->text) {
		vhu_line_add(sentence, ": ");
		add_foreign(sentence, record->text);
	}
}

/* Add how a vring was, and the verdict on it. */
static void add_snapshot(struct vhu_line *sentence, const struct vhu_vring_snapshot *snapshot)
{
	const char *reason = vhu_snapshot_reason_name(snapshot->reason);
	char text[2048];

	vhu_line_printf(sentence, "snapshot (%s), ", reason ? reason : "reason not known");
	vhu_snapshot_text(snapshot, text, sizeof(text));
	vhu_line_add(sentence, text);
}

int vhu_annotation_name(const struct vhu_annotation *note, const struct vhu_record *record,
			char *to, size_t size)
{
	struct vhu_line sentence = vhu_line_in(to, size);
	const char *type = vhu_record_type_name(record->type);

	if (record->type == VHU_RECORD_MESSAGE)
		add_name(&sentence, note);
	else
		vhu_line_printf(&sentence, "%s", type ? type : "unknown record");
	return (int)sentence.length;
}

int vhu_annotation_text(const struct vhu_annotation *note, const struct vhu_record *record,
			char *to, size_t size)
{
	struct vhu_line sentence = vhu_line_in(to, size);

	if (record->marks & VHU_MARK_RECONSTRUCTED)
		vhu_line_add(&sentence, "(reconstructed) ");
	else if (record->marks & VHU_MARK_EARLIER)
		vhu_line_add(&sentence, "(earlier) ");
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
		if (record->marks & VHU_MARK_BEGUN)
			vhu_line_add(&sentence, ", it began before the capture");
		add_peer(&sentence, "front-end", &record->front_end);
		add_peer(&sentence, "back-end", &record->back_end);
		break;
	case VHU_RECORD_CLOSED:
		add_event(&sentence, record, "closed");
		break;
	case VHU_RECORD_ERROR:
		add_event(&sentence, record, "error");
		break;
	case VHU_RECORD_VRING:
		add_vring(&sentence, record);
		break;
	case VHU_RECORD_CONTINUED:
		add_event(&sentence, record, "continued");
		break;
	case VHU_RECORD_SNAPSHOT:
		add_snapshot(&sentence, &record->snapshot);
		break;
	default:
		vhu_line_printf(&sentence, "record of type %d", (int)record->type);
		break;
	}
	return (int)sentence.length;
}
