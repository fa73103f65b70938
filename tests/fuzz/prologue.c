/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the prologue: whatever records passed, those that it repeats make the sessions that
 * are open what they are.
 */
#include "lib/recording/prologue.h"

#include <stdio.h>

#include "lib/session/session.h"
#include "tests/fuzz/lib/fuzz.h"
#include "tests/fuzz/lib/stream.h"
#include "tests/lib/state_differs.h"

/* The repeated records. */
struct told {
	struct vhu_sessions *sessions;
	uint64_t passed;
};

/* Take a repeated record. Returns 0. */
static int take(void *context, const struct vhu_record *record, uint64_t number)
{
	struct told *told = context;
	struct vhu_annotation note;

	must(record->marks & VHU_MARK_EARLIER);
	must(record->session && number > told->passed);
	told->passed = number;
	vhu_session_feed(told->sessions, record, number, &note);
	must(!note.findings);
	return 0;
}

/* Count a finding. */
static void found(void *context, const struct vhu_finding *finding)
{
	uint64_t *count = context;

	must(finding->rule && finding->session);
	++*count;
}

/* Return whether a prologue looks at @record, when @checked are the sessions that it knows. */
static bool is_taken(const struct vhu_record *record, const struct vhu_sessions *checked)
{
	if (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END)
		return vhu_sessions_state(checked, record->session) != NULL;
	return record->session &&
	       (record->type == VHU_RECORD_OPENED || record->type == VHU_RECORD_CLOSED ||
		record->type == VHU_RECORD_MESSAGE);
}

/* Return whether so many requests of @session wait that the next one pushes out the oldest. No
 * record says which one went, so the session's state may differ after that. */
static bool is_full(struct vhu_sessions *sessions, uint64_t session)
{
	const struct vhu_state *state = vhu_sessions_state(sessions, session);

	for (unsigned c = 0; state && c < VHU_CHANNELS; c++)
		if (state->channel[c].pending.count == VHU_PENDING_MAX)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhu_sessions *passed = vhu_sessions_new(false), *checked = vhu_sessions_new(false);
	uint64_t at_once = 0, later = 0;
	bool differs = false; /* what is looked at later */
	struct told told = {.sessions = vhu_sessions_new(false)};
	struct fuzz_stream stream = {.data = data, .size = size};
	struct vhu_prologue *prologue = vhu_prologue_new(), *states = vhu_prologue_new();
	bool full[STREAM_SESSIONS] = {false};
	struct vhu_record record;
	struct vhu_annotation note;
	uint64_t number = 0; /* as the prologue counts: the records of sessions */

	if (passed && checked && told.sessions && prologue && states) {
		vhu_prologue_only_states(states);
		/* Later than at once, the rules find what they find at once. */
		vhu_prologue_check(states, found, &later);
		vhu_sessions_learn_alone(checked);
		vhu_sessions_only_learn(passed);
		vhu_sessions_only_learn(told.sessions);
		while (stream_next(&stream, &record)) {
			/* The proxy never marks its own first records so. */
			record.marks &= (uint16_t) ~(VHU_MARK_EARLIER | VHU_MARK_LOST);
			if (record.channel >= VHU_CHANNELS)
				continue;
			vhu_prologue_take(prologue, &record);
			vhu_prologue_take(states, &record);
			number += record.session != 0;
			vhu_session_feed(passed, &record, number, &note);
			/* Descriptors of no kind have one after they were encoded. */
			differs |= record.fds || record.message_size > VHU_PROLOGUE_MESSAGE_MAX;
			if (is_taken(&record, checked)) {
				vhu_session_feed(checked, &record, number, &note);
				at_once += note.findings;
			}
			full[record.session] |= is_full(passed, record.session);
		}
		must(!vhu_prologue_tell(prologue, take, &told));
		for (uint64_t session = 1; session < STREAM_SESSIONS; session++) {
			const struct vhu_state *a = vhu_sessions_state(passed, session);
			const struct vhu_state *b = vhu_sessions_state(told.sessions, session);
			const struct vhu_state *c = vhu_prologue_state(states, session);
			const struct vhu_state *d = vhu_sessions_state(checked, session);
			const char *what = a && b && !full[session] ? state_differs(a, b) : NULL;

			if (d && c && !what)
				what = state_differs(d, c);
			if (what)
				fprintf(stderr, "session %llu: %s\n", (unsigned long long)session,
					what);
			must(!what);
		}
		must(differs || at_once == later);
	}
	vhu_prologue_free(states);
	vhu_prologue_free(prologue);
	vhu_sessions_free(told.sessions);
	vhu_sessions_free(checked);
	vhu_sessions_free(passed);
	return 0;
}
