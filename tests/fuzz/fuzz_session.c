/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz sessions: a stream of records, fed in order, and what is said of each.
 *
 * The input is a run of records: a byte of type, direction and marks, one of channel, session and how
 * many descriptors there are, two of the length of the message that follows and of the time until it.
 */
#include <stdlib.h>

#include "lib/session/session.h"
#include "tests/fuzz/fuzz.h"

#define HEAD 4
#define FDS_MAX 3
#define TEXT_SIZE 256

/* Make up descriptors from what @seed says. */
static void describe(struct vhu_fd_info *fd, unsigned fds, uint32_t seed)
{
	for (unsigned i = 0; i < fds; i++, seed = seed * 1103515245 + 12345)
		fd[i] = (struct vhu_fd_info){
			.kind = seed % (VHU_FD_KINDS + 1),
			.has = seed >> 3 & 0x7f,
			.size = (uint64_t)(seed >> 10 & 0xf) << 12,
			.seals = seed >> 14 & 0x1f,
			.flags = seed >> 19 & 3,
			.page_size = UINT64_C(1) << (seed >> 21 & 0x3f),
			.eventfd_id = seed >> 27 & 7,
			.name = seed & 1 ? "anon_inode:[\x1btimerfd]" : NULL,
		};
}

/* Have everything said of a record that can be. */
static void say(struct vhu_note *note, const struct vhu_record *record)
{
	char text[TEXT_SIZE];

	must(note->findings == 0 || note->finding != NULL);
	for (unsigned i = 0; i < note->findings; i++)
		must(note->finding[i].rule && note->finding[i].text[0]);
	vhu_note_text(note, record, text, sizeof(text));
	vhu_note_name(note, record, text, sizeof(text));
	if (note->state)
		vhu_state_last_words(note->state, text, sizeof(text));
	vhu_note_again(note, record, &note->context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhu_sessions *sessions = vhu_sessions_new(true);
	struct vhu_note note;
	struct vhu_fd_info fd[FDS_MAX];
	uint64_t number = 0, time_ns = 1;
	char text[TEXT_SIZE];

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
			.time_ns = time_ns += UINT64_C(1000) << (data[3] >> 4) * 2,
			.message = data + HEAD,
			.text = data[0] & 1 ? "back-end closed" : "front-end closed",
			.fds = data[1] >> 2 & 3,
			.fd = fd,
		};

		describe(fd, record.fds, length * 2654435761u + (uint32_t)number);
		length = length < size - HEAD ? length : (uint32_t)(size - HEAD);
		record.message_size = length;
		record.message_sent = length + (data[3] >> 4 & 1);
		vhu_session_feed(sessions, &record, ++number, &note);
		say(&note, &record);
		data += HEAD + length;
		size -= HEAD + length;
	}
	while (vhu_session_finish(sessions, &note))
		vhu_state_last_words(note.state, text, sizeof(text));
	vhu_sessions_free(sessions);
	return 0;
}
