/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu dump: shows what a capture holds. */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <strings.h>

#include "lib/cli/near.h"
#include "lib/show/dump.h"
#include "lib/show/filter.h"
#include "tools/choice.h"
#include "tools/commands.h"
#include "tools/reading.h"

enum { KEY_JSON = 256, KEY_SESSION, KEY_CHANNEL, KEY_MESSAGE, KEY_DIALECT, KEY_DEVICE };

static const struct vhu_option option[] = {
    {'v', "verbose", NULL, "show all fields of each message and its descriptors"},
    {'x', "bytes", NULL, "show the bytes of each message"},
    {KEY_JSON, "json", NULL, "print one JSON object a line"},
    {'f', "follow", NULL, "wait for more records at the end of the last file"},
    {'t', "time", "FORM", "time format: relative (default), absolute, delta or epoch"},
    {KEY_SESSION, "session", "N", "only this session"},
    {KEY_CHANNEL, "channel", "NAME", "only this channel: front-end, back-end or gpu"},
    {KEY_MESSAGE, "message", "NAME", "only this message and its replies; may be repeated"},
    {KEY_DIALECT, "dialect", "NAME",
     "dialect: upstream, standalone, probe or dax (default: detected)"},
    {KEY_DEVICE, "device", "DEVICE", "virtio device, by name or id (default: detected)"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu dump vm.pcapng", "list the messages, one a line"},
    {"vhu dump -v --message SET_MEM_TABLE vm.pcapng",
     "show all fields of the shared memory regions"},
    {"vhu dump --json vm.pcapng | jq -c 'select(.delay_ns > 1000000)'",
     "list replies that took more than 1 ms"},
    {"vhu proxy -w - vm.sock disk.sock | vhu dump -", "watch a session live"},
    {0},
};

/* What was asked for. */
struct vhu_dump_request {
	struct vhu_reading reading;
	struct vhu_dump dump;
	bool json;
	bool at_once; /* somebody watches: show each record when it comes */
	struct vhu_filter wanted;
	bool session_seen; /* the one that is wanted, if it is one */
	unsigned captures; /* begun */
};

/* Find a word among the names that @name_of gives for 0 to @count - 1. Returns its place or -1. */
static int place_of(const char *word, const char *(*name_of)(unsigned), unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcasecmp(word, name_of(i)))
			return (int)i;
	return -1;
}

static const char *time_name(unsigned i)
{
	static const char *const name[] = {
	    [VHU_TIME_RELATIVE] = "relative",
	    [VHU_TIME_ABSOLUTE] = "absolute",
	    [VHU_TIME_DELTA] = "delta",
	    [VHU_TIME_EPOCH] = "epoch",
	};

	return name[i];
}

/* Say that there is no message called @name. Returns VHU_EXIT_USAGE. */
static int no_such_message(const struct vhu_command *command, const char *name)
{
	struct vhu_near near = {.word = name};
	char hint[VHU_NEAR_MAX];

	for (unsigned i = 0; i < VHU_MESSAGES; i++)
		vhu_near_look(&near, vhu_messages[i].name);
	return vhu_usage(command, "%s: no such message%s", name, vhu_near_hint(&near, hint));
}

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct vhu_dump_request *request, int key,
		       const char *argument)
{
	int place = 0;

	switch (key) {
	case 'v':
		request->dump.fields = true;
		break;
	case 'x':
		request->dump.bytes = true;
		break;
	case KEY_JSON:
		request->json = true;
		break;
	case 'f':
		request->reading.follow = true;
		break;
	case 't':
		place = place_of(argument, time_name, VHU_TIME_EPOCH + 1);
		request->dump.time = (enum vhu_dump_time)place;
		break;
	case KEY_SESSION:
		place =
		    vhu_number_parse(argument, 1, UINT64_MAX, &request->wanted.session) ? -1 : 0;
		break;
	case KEY_CHANNEL:
		place = vhu_filter_channel(&request->wanted, argument);
		break;
	case KEY_DIALECT:
		return vhu_choose_dialect(command, &request->reading.choice, argument);
	case KEY_DEVICE:
		return vhu_choose_device(command, &request->reading.choice, argument);
	case KEY_MESSAGE:
		place = vhu_filter_message(&request->wanted, argument);
		if (place == -ENOSPC)
			return vhu_usage(command, "more than %d messages", VHU_FILTER_MESSAGES);
		break;
	}
	if (place < 0 && key == KEY_MESSAGE)
		return no_such_message(command, argument);
	return place < 0 ? vhu_usage(command, "%s: %s", argument,
				     key == 't'           ? "no such time format"
				     : key == KEY_SESSION ? "not a session number"
							  : "no such channel")
			 : VHU_EXIT_DONE;
}

/* Begin a capture with its first record. Captures after the first, and the first if it is not all
 * there is, get a line that names them. */
static void begin_capture(struct vhu_dump_request *request)
{
	const struct vhu_reading *reading = &request->reading;
	bool several = request->captures++ || reading->files < reading->count;

	request->dump.file = several && request->json ? reading->paths[0] : NULL;
	if (request->json)
		vhu_dump_head_json(&request->dump, &reading->head);
	else if (several)
		printf("%s==> %s <==\n", request->captures > 1 ? "\n" : "", reading->paths[0]);
}

/* Show a record, if it is one of those asked for and there is still somewhere to. Returns 0. */
static int show(void *with, const struct vhu_record *record, uint64_t number,
		const struct vhu_annotation *note)
{
	struct vhu_dump_request *request = with;

	if (!record || ferror(stdout))
		return 0;
	request->session_seen |= record->session == request->wanted.session;
	if (vhu_dump_begin(&request->dump, record))
		begin_capture(request);
	if (!vhu_filter_passes(&request->wanted, record, note))
		return 0;
	if (request->json)
		vhu_dump_json(&request->dump, record, number, note);
	else
		vhu_dump_text(&request->dump, record, number, note);
	if (request->at_once)
		fflush(stdout);
	return 0;
}

/* Show the captures at @paths. Returns the exit status. */
static int dump_captures(const struct vhu_command *command, struct vhu_dump_request *request,
			 char **paths, int count)
{
	struct vhu_reading *reading = &request->reading;
	int status = VHU_EXIT_DONE;

	request->at_once = vhu_reading_at_once(paths, count, reading->follow);
	reading->command = command;
	reading->see = show;
	reading->with = request;
	for (int i = 0; i < count; i += reading->files) {
		reading->paths = paths + i;
		reading->count = count - i;
		request->dump.begun = false;
		if (vhu_reading_run(reading) != VHU_EXIT_DONE)
			status = VHU_EXIT_FAILED;
	}
	if (fflush(stdout) || ferror(stdout))
		return vhu_fail(command, "standard output: %s", strerror(errno));
	if (status == VHU_EXIT_DONE && !request->session_seen)
		return vhu_no_session(command, paths, count, request->wanted.session);
	return status;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_dump_request request = {.dump = {.to = stdout}};
	const char *argument;
	int key, status;

	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(command, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	status = vhu_reading_look_over(command, argv + optind, argc - optind);
	if (status != VHU_EXIT_DONE)
		return status;
	request.session_seen = !request.wanted.session;
	vhu_reading_signals(request.reading.follow);
	return dump_captures(command, &request, argv + optind, argc - optind);
}

const struct vhu_command vhu_command_dump = {
    .name = "dump",
    .arguments = "FILE...|-",
    .summary = "show the messages of a capture",
    .about = "FILE is a capture; - is standard input. Files of one series are read as one capture. "
	     "Arrows show the direction of a message: -> from the front-end, <- from the back-end.",
    .option = option,
    .example = example,
    .run = run,
};
