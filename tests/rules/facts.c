/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that a reader who begins in the middle of a session needs each fact of
 * lib/session/state/state.def: for each there is a scenario. The records that a new file repeats
 * make the session's state, and fail to make it if the records of that fact are left out.
 *
 *	facts FOLDER	which has FACT.scn for each
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/recording/prologue.h"
#include "lib/session/session.h"
#include "tests/lib/state_differs.h"
#include "tests/rules/script.h"

/* A fact. */
struct fact {
	const char *name;
	enum vhu_repeat repeat;
};

static const struct fact fact[VHU_FACTS] = {
#define OWN(id)                          [VHU_FACT_##id] = {#id, VHU_REPEAT_OWN},
#define VHU_FEATURES(member, ...)        OWN(member##_offered) OWN(member##_acked)
#define VHU_SESSION_FACT(member, repeat) [VHU_FACT_##member] = {#member, VHU_REPEAT_##repeat},
#define VHU_SESSION_RECORDS(id, ...)     OWN(id)
#define VHU_VRING_FACT(member, repeat)                                                             \
	[VHU_FACT_vring_##member] = {"vring_" #member, VHU_REPEAT_##repeat},
#define VHU_VRING_FD(role, ...)     OWN(vring_##role)
#define VHU_CHANNEL_FACT(member)    OWN(channel_##member)
#define VHU_CHANNEL_SIDES(member)   OWN(channel_##member)
#define VHU_REQUEST_RECORD(id, ...) OWN(id)
#include "lib/session/state/state.def"
    OWN(region)};

/* A session as it passed, and as the repeated records make it. */
struct reading {
	struct vhu_sessions *passed, *told;
	struct vhu_prologue *prologue;
	uint64_t number;
};

/* The fact whose records are left out; VHU_FACTS: none. */
static enum vhu_fact left_out;

/* What vhu_state_provenance was given. */
struct caller {
	void (*call)(void *context, enum vhu_fact fact, uint64_t number);
	void *context;
};

/* Pass a number on, unless it is one of those that are left out. */
static void filter(void *context, enum vhu_fact of, uint64_t number)
{
	const struct caller *caller = context;

	if (of != left_out)
		caller->call(caller->context, of, number);
}

void __real_vhu_state_provenance(const struct vhu_state *state,
				 void (*call)(void *context, enum vhu_fact fact, uint64_t number),
				 void *context);
void __wrap_vhu_state_provenance(const struct vhu_state *state,
				 void (*call)(void *context, enum vhu_fact fact, uint64_t number),
				 void *context);

/* Stands in for vhu_state_provenance, by the linker's --wrap. */
void __wrap_vhu_state_provenance(const struct vhu_state *state,
				 void (*call)(void *context, enum vhu_fact fact, uint64_t number),
				 void *context)
{
	struct caller caller = {call, context};

	__real_vhu_state_provenance(state, filter, &caller);
}

/* Take a record of the scenario. Returns 0 or -ENOMEM. */
static int take(void *to, const struct vhu_record *record)
{
	struct reading *reading = to;
	struct vhu_annotation note;

	vhu_prologue_take(reading->prologue, record);
	return vhu_session_feed(reading->passed, record, ++reading->number, &note);
}

/* Take a repeated record. Returns 0 or -ENOMEM. */
static int take_told(void *to, const struct vhu_record *record, uint64_t number)
{
	struct reading *reading = to;
	struct vhu_annotation note;

	return vhu_session_feed(reading->told, record, number, &note);
}

/*
 * Read a scenario with the records of @without left out.
 * Returns what of its session's state differs then, NULL: nothing; "?": it cannot be read.
 */
static const char *read_without(const char *path, enum vhu_fact without)
{
	static const struct vhu_state unknown;
	struct reading reading = {vhu_sessions_new(false), vhu_sessions_new(false),
				  vhu_prologue_new(), 0};
	const struct vhu_state *passed, *told;
	const char *what = "?";
	struct script script;

	left_out = without;
	if (script_read(&script, path, false, take, &reading) &&
	    !vhu_prologue_tell(reading.prologue, take_told, &reading)) {
		passed = vhu_sessions_state(reading.passed, 1);
		told = vhu_sessions_state(reading.told, 1);
		what = passed ? state_differs(passed, told ? told : &unknown) : "?";
	}
	script_free(&script);
	vhu_prologue_free(reading.prologue);
	vhu_sessions_free(reading.passed);
	vhu_sessions_free(reading.told);
	return what;
}

/* Look at a fact. Returns whether its scenario shows that it is needed. */
static bool is_needed(const char *folder, enum vhu_fact at)
{
	const char *what;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.scn", folder, fact[at].name);
	if (fact[at].repeat == VHU_REPEAT_SHARED) {
		if (access(path, F_OK))
			return true;
		printf("%s: the records of this fact are not repeated\n", path);
		return false;
	}
	what = read_without(path, VHU_FACTS);
	if (what) {
		printf("%s: %s differs although all is repeated\n", path, what);
		return false;
	}
	if (read_without(path, at))
		return true;
	printf("%s: nothing differs without the records of this fact\n", path);
	return false;
}

int main(int argc, char **argv)
{
	unsigned failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: facts FOLDER\n");
		return 2;
	}
	for (unsigned at = 0; at < VHU_FACTS; at++)
		failed += !is_needed(argv[1], (enum vhu_fact)at);
	printf("%d facts, %u without a scenario that needs them\n", (int)VHU_FACTS, failed);
	return failed != 0;
}
