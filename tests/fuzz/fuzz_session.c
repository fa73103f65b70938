/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz sessions: a stream of records, fed in order, and what is said of each.
 *
 * The input is a run of records: a byte of type and direction, one of channel and session, two of
 * the length of the message that follows.
 */
#include <stdlib.h>

#include "lib/session/session.h"
#include "tests/fuzz/fuzz.h"

#define HEAD 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhu_sessions *sessions = vhu_sessions_new(true);
	struct vhu_note note;
	uint64_t number = 0;
	char text[256];

	if (!sessions)
		return 0;
	while (size >= HEAD) {
		uint32_t length = (uint32_t)(data[2] | (data[3] & 0xf) << 8);
		struct vhu_record record = {
			.type = data[0] >> 1 & 7,
			.from_back_end = data[0] & 1,
			.marks = data[0] >> 4,
			.channel = data[1] & 3,
			.session = data[1] >> 4,
			.time_ns = number * 1000,
			.message = data + HEAD,
			.text = "",
		};

		length = length < size - HEAD ? length : (uint32_t)(size - HEAD);
		record.message_size = length;
		record.message_sent = length + (data[3] >> 4);
		vhu_session_feed(sessions, &record, ++number, &note);
		vhu_note_text(&note, &record, text, sizeof(text));
		vhu_note_name(&note, &record, text, sizeof(text));
		vhu_note_again(&note, &record, &note.context);
		data += HEAD + length;
		size -= HEAD + length;
	}
	vhu_sessions_free(sessions);
	return 0;
}
