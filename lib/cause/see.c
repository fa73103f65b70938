/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of a session for the case that it ends badly. */
#include <stdio.h>
#include <string.h>

#include "lib/cause/internal.h"
#include "lib/session/rules/table.h"

/* Remember a message. */
static void keep_message(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number,
			 const struct vhu_annotation *note)
{
	const enum vhu_channel channel = record->channel;
	const bool side = record->from_back_end;
	const unsigned at = cause->messages[channel][side]++ % VHU_CAUSE_MESSAGES;
	struct vhu_cause_message *kept = &cause->message[channel][side][at];

	kept->number = number;
	kept->message = note->message;
	kept->or_message = note->or_message;
	kept->layout = note->layout;
	kept->context = note->context;
	kept->request = note->header.request;
	kept->size = note->payload.size;
	kept->captured =
	    note->payload.captured < VHU_CAUSE_BYTES ? note->payload.captured : VHU_CAUSE_BYTES;
	kept->reply = note->reply;
	kept->big_endian = note->payload.big_endian;
	if (kept->captured)
		memcpy(kept->bytes, note->payload.bytes, kept->captured);
}

/* Remember a finding. */
static void keep_finding(struct vhu_cause *cause, const struct vhu_finding *finding,
			 uint64_t time_ns)
{
	if (finding->rule->severity == VHU_INFO) {
		cause->info[cause->infos++ % VHU_CAUSE_INFOS] = *finding;
		return;
	}
	if (finding->rule->severity == VHU_ERROR)
		cause->worst = *finding;
	if (cause->findings == VHU_CAUSE_FINDINGS)
		memmove(cause->finding, cause->finding + 1,
			--cause->findings * sizeof(*cause->finding));
	cause->finding[cause->findings++] = (struct vhu_cause_finding){*finding, time_ns};
}

void vhu_cause_see(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note, const bool *chosen)
{
	for (unsigned i = 0; i < note->findings; i++)
		if (!chosen || chosen[note->finding[i].rule - vhu_rules])
			keep_finding(cause, &note->finding[i],
				     record ? record->time_ns : note->state->last_ns);
	if (!record)
		return;
	/* That records are missing says nothing about the session. */
	if (record->type == VHU_RECORD_ERROR && record->text && !(record->marks & VHU_MARK_LOST))
		snprintf(cause->error, sizeof(cause->error), "%s", record->text);
	vhu_cause_see_vring(cause, record, number);
	if (record->type != VHU_RECORD_MESSAGE || (unsigned)record->channel >= VHU_CHANNELS)
		return;
	if (!(record->marks & VHU_MARK_PARTIAL) && note->has_header) {
		keep_message(cause, record, number, note);
	} else if (record->channel == VHU_FRONT_END && (record->marks & VHU_MARK_PARTIAL)) {
		cause->partial.number = number;
		cause->partial.message = note->message;
		cause->partial.bytes = record->message_sent;
		cause->partial.size = VHU_HEADER_SIZE + (note->has_header ? note->header.size : 0);
		cause->partial.from_back_end = record->from_back_end;
	}
}
