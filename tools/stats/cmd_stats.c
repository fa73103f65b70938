/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu stats: counts what a capture holds, session by session. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cli/device.h"
#include "tools/by_session.h"
#include "tools/commands.h"
#include "tools/reading.h"
#include "tools/stats/stats.h"

enum { KEY_JSON = 256, KEY_SESSION, KEY_TOTAL, KEY_DIALECT, KEY_DEVICE };

static const struct vhu_option option[] = {
    {KEY_JSON, "json", NULL, "one JSON object a line"},
    {KEY_SESSION, "session", "N", "only this session"},
    {KEY_TOTAL, "total", NULL, "only the sum of all sessions"},
    {KEY_DIALECT, "dialect", "NAME", "upstream, standalone or probe; else found out"},
    {KEY_DEVICE, "device", "DEVICE", "virtio device, by name or id; else found out"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu stats vm.pcapng", "what was negotiated, how the rings stand, how long answers took"},
    {"vhu stats --total long.pcapng", "the reply times of a long run"},
    {"vhu stats --json vm.pcapng | jq '.setup'", "how long the parts of the set-up took"},
    {0},
};

/* A session that is open. */
struct vhu_stats_session {
	struct vhu_kept kept; /* first */
	struct vhu_stats stats;
};

/* What was asked for, and the sessions as they are counted. */
struct vhu_stats_request {
	const char *path;
	bool json, total_only;
	uint64_t session; /* 0: all */
	struct vhu_reading_choice choice;
	struct vhu_by_session open;
	struct vhu_stats total;
	uint64_t shown, dropped;
};

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct vhu_stats_request *request,
		       int key, const char *argument)
{
	int place;

	switch (key) {
	case KEY_JSON:
		request->json = true;
		break;
	case KEY_TOTAL:
		request->total_only = true;
		break;
	case KEY_SESSION:
		if (vhu_number_parse(argument, 1, UINT64_MAX, &request->session))
			return vhu_usage(command, "%s: no such session number", argument);
		break;
	case KEY_DIALECT:
		place = vhu_dialect_parse(argument);
		if (place < 0)
			return vhu_usage(command, "%s: no such dialect", argument);
		request->choice.dialect = (enum vhu_dialect)place;
		break;
	case KEY_DEVICE:
		request->choice.device = vhu_device_parse(argument);
		if (!request->choice.device)
			return vhu_usage(command, "%s: no such virtio device", argument);
		break;
	}
	return VHU_EXIT_DONE;
}

/* Forget an open session. */
static void session_free(struct vhu_stats_request *request, struct vhu_stats_session *session)
{
	vhu_by_session_remove(&request->open, &session->kept);
	vhu_stats_free(&session->stats);
	free(session);
}

/* Return the open session @id, new where it is seen first; NULL out of memory. */
static struct vhu_stats_session *session_of(struct vhu_stats_request *request, uint64_t id)
{
	struct vhu_stats_session *session =
	    (struct vhu_stats_session *)vhu_by_session_find(&request->open, id);

	if (session)
		return session;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	if (request->open.count == VHU_BY_SESSION_MAX) {
		request->dropped++;
		session_free(request,
			     (struct vhu_stats_session *)vhu_by_session_oldest(&request->open, id));
	}
	session->kept.session = id;
	vhu_by_session_add(&request->open, &session->kept);
	return session;
}

/* Show statistics in the form asked for, those of a session or, without @state, of all. */
static void show(struct vhu_stats_request *request, const struct vhu_stats *stats,
		 const struct vhu_state *state)
{
	if (request->json) {
		vhu_stats_json(stats, state);
	} else {
		if (request->shown++)
			putchar('\n');
		vhu_stats_text(stats, state);
	}
}

/* See one record, as vhu_reading_run gives it, or the end of a session. Returns 0 or -ENOMEM. */
static int see(void *with, const struct vhu_record *record, uint64_t number,
	       const struct vhu_annotation *note)
{
	struct vhu_stats_request *request = with;
	uint64_t id = record ? record->session : note->state->id;
	struct vhu_stats_session *session;
	int error;

	/* What goes for the whole capture is of no session. */
	if (id == 0 || (request->session && id != request->session))
		return 0;
	session = session_of(request, id);
	if (!session)
		return -ENOMEM;
	error = vhu_stats_see(&session->stats, record, number, note);
	if (error ||
	    (record && (record->type != VHU_RECORD_CLOSED || record->channel != VHU_FRONT_END)))
		return error;
	error = vhu_stats_add(&request->total, &session->stats);
	if (!request->total_only)
		show(request, &session->stats, note->state);
	session_free(request, session);
	return error;
}

/* Count the capture. Returns an exit status. */
static int count(const struct vhu_command *command, struct vhu_stats_request *request)
{
	struct vhu_reading reading = {
	    .command = command,
	    .path = request->path,
	    .choice = request->choice,
	    .see = see,
	    .with = request,
	};
	int status = vhu_reading_run(&reading);

	if (request->total.sessions > 1 || request->total_only)
		show(request, &request->total, NULL);
	fflush(stdout);
	if (!request->total.sessions && status == VHU_EXIT_DONE)
		status = vhu_fail(command,
				  request->session ? "%s: no such session" : "%s: no session in it",
				  request->path);
	if (request->dropped)
		vhu_fail(command,
			 "%s: %" PRIu64 " sessions are left out: more than %d were open at once",
			 request->path, request->dropped, VHU_BY_SESSION_MAX);
	for (unsigned b = 0; b < VHU_BY_SESSION_BUCKETS; b++)
		while (request->open.bucket[b])
			session_free(request, (struct vhu_stats_session *)request->open.bucket[b]);
	vhu_stats_free(&request->total);
	if (ferror(stdout))
		return vhu_fail(command, "standard output: %s", strerror(errno));
	return status;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_stats_request request = {0};
	const char *argument;
	int key, status;

	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(command, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (request.total_only && request.session)
		return vhu_usage(command, "one of --session and --total at a time");
	if (optind == argc)
		return vhu_usage(command, "which capture?");
	if (optind < argc - 1)
		return vhu_usage(command, "%s: one capture at a time", argv[optind + 1]);
	request.path = argv[optind];
	if (!strcmp(request.path, "-"))
		vhu_reading_signals(false);
	return count(command, &request);
}

const struct vhu_command vhu_command_stats = {
    .name = "stats",
    .arguments = "FILE|-",
    .summary = "count what a capture holds, session by session",
    .about =
	"Numbers in parentheses are those of the messages that made it so. Reply times are within\n"
	"4 percent; p90 is the time that 90 of 100 replies did not exceed.",
    .option = option,
    .example = example,
    .run = run,
};
