/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu dump: shows what a capture holds. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/capture/pcapng.h"
#include "tools/commands.h"
#include "tools/dump.h"

#define MESSAGES_MAX 64

enum { KEY_JSON = 256, KEY_SESSION, KEY_CHANNEL, KEY_MESSAGE, KEY_DIALECT, KEY_DEVICE };

static const struct vhu_option option[] = {
	{'v', "verbose", NULL, "show all fields of each message and its descriptors"},
	{'x', "bytes", NULL, "show the bytes of each message"},
	{KEY_JSON, "json", NULL, "one JSON object a line"},
	{'f', "follow", NULL, "wait for more at the end of the file"},
	{'t', "time", "FORM", "relative (default), absolute, delta or epoch"},
	{KEY_SESSION, "session", "N", "only this session"},
	{KEY_CHANNEL, "channel", "NAME", "only this channel: front-end, back-end or gpu"},
	{KEY_MESSAGE, "message", "NAME", "only this message and its replies; may be repeated"},
	{KEY_DIALECT, "dialect", "NAME", "upstream, standalone or probe; else found out"},
	{KEY_DEVICE, "device", "DEVICE", "virtio device, by name or id; else found out"},
	{0},
};

static const struct vhu_example example[] = {
	{"vhu dump vm.pcapng", "list what passed, a line a message"},
	{"vhu dump -v --message SET_MEM_TABLE vm.pcapng", "the memory that was shared, in full"},
	{"vhu dump --json vm.pcapng | jq -c 'select(.delay_ns > 1000000)'", "replies later than 1 ms"},
	{"vhu proxy -w - vm.sock disk.sock | vhu dump -", "watch a session as it happens"},
	{0},
};

/* What was asked for. */
struct request {
	struct vhu_dump dump;
	bool json, follow;
	uint64_t session;     /* 0: all */
	int channel;	      /* -1: all */
	const struct vhu_message *message[MESSAGES_MAX];
	unsigned messages;    /* 0: all */
	enum vhu_dialect dialect;
	uint32_t device;
	const char *path;
};

/* End following on a signal; what was shown is flushed on the way out. */
static void stop(int signal)
{
	(void)signal;
}

/* Find a word among the names that @name_of gives for 0 to @count - 1. Returns its place or -1. */
static int place_of(const char *word, const char *(*name_of)(unsigned), unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcasecmp(word, name_of(i)))
			return (int)i;
	return -1;
}

static const char *channel_name(unsigned i)
{
	return vhu_channel_name((enum vhu_channel)i);
}

static const char *dialect_name(unsigned i)
{
	return vhu_dialect_name((enum vhu_dialect)i);
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

/* Find a device by name or number. Returns its id, 0 where there is none. */
static uint32_t device_of(const char *word)
{
	uint64_t id;

	if (!vhu_number_parse(word, 1, UINT32_MAX, &id))
		return (uint32_t)id;
	for (unsigned i = 0; i < vhu_names_count; i++)
		if (vhu_names[i].set == VHU_NAMES_virtio_device &&
		    !strcasecmp(word, vhu_names[i].name))
			return (uint32_t)vhu_names[i].value;
	return 0;
}

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct request *request, int key,
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
		request->follow = true;
		break;
	case 't':
		place = place_of(argument, time_name, VHU_TIME_EPOCH + 1);
		request->dump.time = (enum vhu_dump_time)place;
		break;
	case KEY_SESSION:
		place = vhu_number_parse(argument, 1, UINT64_MAX, &request->session) ? -1 : 0;
		break;
	case KEY_CHANNEL:
		request->channel = place = place_of(argument, channel_name, VHU_CHANNELS);
		break;
	case KEY_DIALECT:
		place = place_of(argument, dialect_name, VHU_DIALECTS);
		request->dialect = (enum vhu_dialect)place;
		break;
	case KEY_DEVICE:
		request->device = device_of(argument);
		place = request->device ? 0 : -1;
		break;
	case KEY_MESSAGE:
		if (request->messages == MESSAGES_MAX)
			return vhu_usage(command, "more than %d messages", MESSAGES_MAX);
		request->message[request->messages] = vhu_message_by_name(argument);
		place = request->message[request->messages++] ? 0 : -1;
		break;
	}
	return place < 0 ? vhu_usage(command, "%s: no such %s", argument,
				     key == 't'		     ? "form of time"
				     : key == KEY_SESSION    ? "session number"
				     : key == KEY_CHANNEL    ? "channel"
				     : key == KEY_DIALECT    ? "dialect"
				     : key == KEY_DEVICE     ? "virtio device"
							     : "message")
			 : VHU_EXIT_DONE;
}

/* Return whether a record is one of those asked for. */
static bool is_wanted(const struct request *request, const struct vhu_record *record,
		      const struct vhu_note *note)
{
	if (request->session && record->session != request->session)
		return false;
	if (request->channel >= 0 && (int)record->channel != request->channel)
		return false;
	if (!request->messages)
		return true;
	for (unsigned i = 0; i < request->messages; i++)
		if (note->message && (note->message == request->message[i] ||
				      note->or_message == request->message[i]))
			return true;
	return false;
}

/*
 * Read the capture through, showing what is wanted or only learning.
 * Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong said.
 */
static int read_through(const struct vhu_command *command, struct request *request,
			struct vhu_sessions *sessions, bool show)
{
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	struct vhu_note note;
	char error[256];
	int got;

	if (vhu_pcapng_reader_open(&reader, request->path, request->follow, error))
		return show ? vhu_fail(command, "%s: %s", request->path, error) : VHU_EXIT_FAILED;
	while ((got = vhu_pcapng_read(reader, &record)) > 0) {
		uint64_t number = vhu_pcapng_reader_number(reader);

		if (vhu_session_feed(sessions, record, number, &note)) {
			vhu_pcapng_reader_close(reader);
			return vhu_fail(command, "out of memory");
		}
		if (!show || !is_wanted(request, record, &note))
			continue;
		if (request->json)
			vhu_dump_json(&request->dump, record, number, &note);
		else
			vhu_dump_text(&request->dump, record, number, &note);
		if (request->follow || !strcmp(request->path, "-"))
			fflush(stdout);
		if (ferror(stdout))
			break;
	}
	if (show && vhu_pcapng_reader_foreign(reader))
		vhu_fail(command, "%s: %llu packets are not vhost-user records: passed over",
			 request->path, (unsigned long long)vhu_pcapng_reader_foreign(reader));
	if (show && vhu_pcapng_reader_damaged(reader))
		vhu_fail(command, "%s: %llu records are damaged: passed over", request->path,
			 (unsigned long long)vhu_pcapng_reader_damaged(reader));
	if (show && got < 0 && got != -EINTR) {
		fflush(stdout);
		vhu_fail(command, "%s: %s", request->path, vhu_pcapng_reader_error(reader));
	}
	vhu_pcapng_reader_close(reader);
	return got < 0 && got != -EINTR ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}

/* Return whether a capture can be read twice. */
static bool is_whole_file(const struct request *request)
{
	struct stat stat_buffer;

	return !request->follow && !stat(request->path, &stat_buffer) &&
	       S_ISREG(stat_buffer.st_mode);
}

/* Show the capture. Returns an exit status. */
static int show(const struct vhu_command *command, struct request *request)
{
	struct vhu_sessions *sessions = vhu_sessions_new(true);
	int status;

	if (!sessions)
		return vhu_fail(command, "out of memory");
	vhu_sessions_force_dialect(sessions, request->dialect);
	vhu_sessions_force_device(sessions, request->device);
	/* What tells the dialect and the device comes after messages that depend on them. */
	if (is_whole_file(request)) {
		read_through(command, request, sessions, false);
		vhu_sessions_rewind(sessions);
	}
	status = read_through(command, request, sessions, true);
	vhu_sessions_free(sessions);
	if (fflush(stdout) || ferror(stdout))
		return vhu_fail(command, "standard output: %s", strerror(errno));
	return status;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	const struct sigaction on_signal = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
	struct request request = {.dump = {.to = stdout}, .channel = -1};
	const char *argument;
	int key, status;

	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(command, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (optind == argc)
		return vhu_usage(command, "which capture?");
	if (optind < argc - 1)
		return vhu_usage(command, "%s: one capture at a time", argv[optind + 1]);
	request.path = argv[optind];
	if (request.follow) {
		sigaction(SIGINT, &on_signal, NULL);
		sigaction(SIGTERM, &on_signal, NULL);
	}
	return show(command, &request);
}

const struct vhu_command vhu_command_dump = {
	.name = "dump",
	.arguments = "FILE|-",
	.summary = "show what a capture holds, message by message",
	.about = "FILE is a capture of vhu proxy; - is standard input. Arrows point the way a message\n"
		 "went: -> from the front-end, <- from the back-end.",
	.option = option,
	.example = example,
	.run = run,
};
