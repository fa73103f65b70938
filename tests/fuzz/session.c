/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz sessions: a stream of records, fed in order, and what is said of each. */
#include <stdlib.h>

#include "lib/session/session.h"
#include "tests/fuzz/lib/fuzz.h"
#include "tests/fuzz/lib/stream.h"

#define TEXT_SIZE 256

/* Have everything said of a record that can be. */
static void say(struct vhu_annotation *note, const struct vhu_record *record)
{
	char text[TEXT_SIZE];

	must(note->findings == 0 || note->finding != NULL);
	for (unsigned i = 0; i < note->findings; i++)
		must(note->finding[i].rule && note->finding[i].text[0]);
	vhu_annotation_text(note, record, text, sizeof(text));
	vhu_annotation_name(note, record, text, sizeof(text));
	if (note->state)
		vhu_state_last_words(note->state, text, sizeof(text));
	vhu_annotation_again(note, record, &note->context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhu_sessions *sessions = vhu_sessions_new(true);
	struct fuzz_stream stream = {.data = data, .size = size};
	struct vhu_record record;
	struct vhu_annotation note;
	char text[TEXT_SIZE];

	if (!sessions)
		return 0;
	while (stream_next(&stream, &record)) {
		vhu_session_feed(sessions, &record, stream.number, &note);
		say(&note, &record);
	}
	while (vhu_session_finish(sessions, &note))
		vhu_state_last_words(note.state, text, sizeof(text));
	vhu_sessions_free(sessions);
	return 0;
}
