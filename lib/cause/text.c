/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the line about a session's end. */
#include <inttypes.h>
#include <string.h>

#include "lib/cause/internal.h"
#include "lib/util/duration.h"

/* The most of a message's line that is shown. */
#define MESSAGE_TEXT_MAX 200

void vhu_cause_add_side(struct vhu_cause_end *end, enum vhu_cause_side side)
{
	const char *comm = end->state->peer[side].comm;

	vhu_line_add(&end->line, side == VHU_CAUSE_BACK ? "the back-end" : "the front-end");
	if (!*comm)
		return;
	vhu_line_add(&end->line, " (");
	vhu_line_foreign(&end->line, comm, strlen(comm), "");
	vhu_line_add(&end->line, ")");
}

void vhu_cause_add_time(struct vhu_cause_end *end, uint64_t from_ns, uint64_t to_ns)
{
	char text[VHU_DURATION_TEXT_SIZE];

	vhu_line_add(&end->line, to_ns < from_ns ? "an unknown time (the clock went back)"
						 : vhu_duration_text(to_ns - from_ns, text));
}

void vhu_cause_add_close(struct vhu_cause_end *end)
{
	if (!end->fate) {
		vhu_line_add(&end->line, "closed");
	} else {
		if (!strncmp(end->fate, "killed", 6))
			vhu_line_add(&end->line, "was ");
		vhu_line_foreign(&end->line, end->fate, strlen(end->fate), "");
	}
	if (end->unread)
		vhu_line_add(&end->line, ", leaving bytes unread");
}

void vhu_cause_add_running(struct vhu_cause_end *end)
{
	unsigned running = vhu_state_running(end->state);

	if (running)
		vhu_line_printf(&end->line, " while %u vring%s ran", running,
				running > 1 ? "s" : "");
}

const char *vhu_cause_name(const struct vhu_message *message)
{
	return message ? message->name : "a message of unknown id";
}

const struct vhu_cause_message *vhu_cause_message_at(const struct vhu_cause *cause, uint64_t number)
{
	const struct vhu_cause_message *message = &cause->message[0][0][0];
	const unsigned messages = sizeof(cause->message) / sizeof(*message);

	for (unsigned i = 0; i < messages; i++)
		if (number && message[i].number == number)
			return &message[i];
	return NULL;
}

void vhu_cause_add_message(struct vhu_cause_end *end, uint64_t number,
			   const struct vhu_message *message, bool reply)
{
	const struct vhu_cause_message *kept = vhu_cause_message_at(end->cause, number);
	const struct vhu_record record = {.type = VHU_RECORD_MESSAGE};
	struct vhu_annotation note = {.has_header = true};
	char text[MESSAGE_TEXT_MAX];

	if (kept && kept->message) {
		note.header.request = kept->request;
		note.header.size = kept->size;
		note.message = kept->message;
		note.or_message = kept->or_message;
		note.reply = kept->reply;
		note.layout = kept->layout;
		note.context = kept->context;
		note.payload =
		    (struct vhu_payload){kept->bytes, kept->captured, kept->size, kept->big_endian};
		vhu_annotation_text(&note, &record, text, sizeof(text));
		vhu_line_add(&end->line, text);
	} else {
		vhu_line_printf(&end->line, "%s%s", vhu_cause_name(message), reply ? " reply" : "");
	}
	vhu_line_printf(&end->line, " (%" PRIu64 ")", number);
}

void vhu_cause_add_last(struct vhu_cause_end *end, enum vhu_cause_side side)
{
	vhu_cause_add_message(end, end->main->last[side].by, end->main->last_message[side],
			      end->main->last_is_reply[side]);
}

enum vhu_cause_side vhu_cause_last_side(const struct vhu_cause_end *end)
{
	const struct vhu_told *last = end->main->last;

	if (!last[VHU_CAUSE_FRONT].by && !last[VHU_CAUSE_BACK].by)
		return VHU_CAUSE_NOBODY;
	return last[VHU_CAUSE_BACK].by > last[VHU_CAUSE_FRONT].by ? VHU_CAUSE_BACK
								  : VHU_CAUSE_FRONT;
}
