/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu stats: counts what a capture holds, session by session. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/by_session.h"
#include "tools/choice.h"
#include "tools/commands.h"
#include "tools/reading.h"
#include "tools/stats/stats.h"

enum { KEY_JSON = 256, KEY_SESSION, KEY_TOTAL, KEY_DIALECT, KEY_DEVICE };

static const struct vhu_option option[] = {
    {KEY_JSON, "json", NULL, "print one JSON object a line"},
    {'f', "follow", NULL, "wait for more records at the end of the last file"},
    {KEY_SESSION, "session", "N", "only this session"},
    {KEY_TOTAL, "total", NULL, "print only the sum of all sessions"},
    {KEY_DIALECT, "dialect", "NAME",
     "dialect: upstream, standalone, probe or dax (default: detected)"},
    {KEY_DEVICE, "device", "DEVICE", "virtio device, by name or id (default: detected)"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu stats vm.pcapng", "show features, vrings and reply times"},
    {"vhu stats --total long.pcapng", "show the reply times of all sessions together"},
    {"vhu stats --json vm.pcapng | jq -c '.setup[]?'",
     "show how long each step of the set-up took"},
    {0},
};

/* A session that is open. */
struct vhu_stats_session {
	struct vhu_kept kept; /* first */
	struct vhu_stats stats;
};

/* What was asked for, and the sessions as they are counted. */
struct vhu_stats_request {
	struct vhu_reading reading;
	bool json, total_only;
	bool at_once;     /* somebody watches: show each session when it ends */
	bool named;       /* the capture is */
	uint64_t session; /* 0: all */
	struct vhu_by_session open;
	struct vhu_stats total;
	uint64_t shown, dropped;
	unsigned captures; /* read before this one */
};

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct vhu_stats_request *request,
		       int key, const char *argument)
{

	switch (key) {
	case KEY_JSON:
		request->json = true;
		break;
	case 'f':
		request->reading.follow = true;
		break;
	case KEY_TOTAL:
		request->total_only = true;
		break;
	case KEY_SESSION:
		if (vhu_number_parse(argument, 1, UINT64_MAX, &request->session))
			return vhu_usage(command, "%s: not a session number", argument);
		break;
	case KEY_DIALECT:
		return vhu_choose_dialect(command, &request->reading.choice, argument);
	case KEY_DEVICE:
		return vhu_choose_device(command, &request->reading.choice, argument);
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
	const struct vhu_reading *reading = &request->reading;
	bool several = request->captures || reading->files < reading->count;

	if (request->json) {
		vhu_stats_json(stats, state, state && several ? reading->paths[0] : NULL);
	} else {
		if (request->shown++)
			putchar('\n');
		if (state && several && !request->named)
			printf("==> %s <==\n", reading->paths[0]);
		request->named = true;
		vhu_stats_text(stats, state);
	}
	if (request->at_once)
		fflush(stdout);
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

/* Forget the sessions that are open. */
static void free_open(struct vhu_stats_request *request)
{
	for (unsigned b = 0; b < VHU_BY_SESSION_BUCKETS; b++)
		while (request->open.bucket[b])
			session_free(request, (struct vhu_stats_session *)request->open.bucket[b]);
}

/* Count the captures at @paths, one after the other. Returns an exit status. */
static int count_each(const struct vhu_command *command, struct vhu_stats_request *request,
		      char **paths, int count)
{
	struct vhu_reading *reading = &request->reading;
	int status = VHU_EXIT_DONE;

	reading->command = command;
	reading->see = see;
	reading->with = request;
	for (int i = 0; i < count; i += reading->files) {
		reading->paths = paths + i;
		reading->count = count - i;
		request->named = false;
		if (vhu_reading_run(reading) != VHU_EXIT_DONE)
			status = VHU_EXIT_FAILED;
		free_open(request);
		request->captures++;
	}
	return status;
}

/* Count the captures at @paths. Returns an exit status. */
static int count_captures(const struct vhu_command *command, struct vhu_stats_request *request,
			  char **paths, int count)
{
	int status = count_each(command, request, paths, count);

	if (request->total.sessions > 1 || request->total_only)
		show(request, &request->total, NULL);
	fflush(stdout);
	if (!request->total.sessions && status == VHU_EXIT_DONE)
		status = request->session
			     ? vhu_no_session(command, paths, count, request->session)
			     : vhu_fail(command, "%s: no session in it", paths[count - 1]);
	if (request->dropped)
		vhu_fail(command,
			 "%s: %" PRIu64 " sessions are left out: more than %d were open at once",
			 paths[0], request->dropped, VHU_BY_SESSION_MAX);
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
	status = vhu_reading_look_over(command, argv + optind, argc - optind);
	if (status != VHU_EXIT_DONE)
		return status;
	request.at_once = vhu_reading_at_once(argv + optind, argc - optind, request.reading.follow);
	if (request.at_once)
		vhu_reading_signals(request.reading.follow);
	return count_captures(command, &request, argv + optind, argc - optind);
}

const struct vhu_command vhu_command_stats = {
    .name = "stats",
    .arguments = "FILE...|-",
    .summary = "sum up a capture, session by session",
    .about = "Numbers in parentheses are message numbers. Reply times are accurate to 4 percent; "
	     "p90 is the time that 90 of 100 replies did not exceed.",
    .option = option,
    .example = example,
    .run = run,
};
