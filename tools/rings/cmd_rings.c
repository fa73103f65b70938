/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu rings: looks into vrings and says why one hangs. */
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/commands.h"
#include "tools/rings/look.h"

enum { KEY_JSON = 256, KEY_SESSION, KEY_VRING, KEY_QMP, KEY_WATCH, KEY_WAIT };

static const struct vhu_option option[] = {
    {'r', "read", "FILE",
     "look at the sessions that are open at the end of this capture; it may still be written"},
    {'s', "control", "SOCKET",
     "look at the sessions of the proxy with this control socket, if not the default one"},
    {'s', "socket", "SOCKET", NULL}, /* an older name */
    {'p', "pid", "PID",
     "look at the sessions of this front-end, back-end or proxy that a proxy or vhu attach "
     "records"},
    {KEY_QMP, "qmp", "SOCKET", "look at the vrings of the QEMU with this monitor; needs no proxy"},
    {KEY_SESSION, "session", "N", "only this session"},
    {KEY_VRING, "vring", "N", "only this vring"},
    {'v', "verbose", NULL, "list the requests that wait or are in flight, without their data"},
    {KEY_JSON, "json", NULL, "print one JSON object a line, one for each vring"},
    {'w', "write", "FILE",
     "write snapshots of the vrings to the capture FILE; - is standard output"},
    {KEY_WATCH, "watch", "[=TIME]", "look again each second, or each TIME"},
    {KEY_WAIT, "wait", "TIME", "look until a vring hangs or TIME expires"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu rings -r vm.pcapng", "show the state of the vrings, and why one hangs"},
    {"vhu rings -v --vring 0", "the same for vring 0 of a running proxy, with its requests"},
    {"vhu rings --qmp qmp.sock", "the same without a proxy: QEMU says where its vrings are"},
    {"vhu rings -r vm.pcapng --wait 60s || vhu rings -r vm.pcapng -v", "wait for the next hang"},
    {"vhu rings -w hang.pcapng && vhu dump hang.pcapng", "keep what vhu rings saw"},
    {"vhu rings --json | jq 'select(.verdict.hangs)'", "print only vrings that hang"},
    {0},
};

/* Take a time. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_time(const struct vhu_command *command, const char *argument, uint64_t *ns)
{
	if (vhu_duration_parse(argument, ns) || *ns == 0)
		return vhu_usage(command, "%s: not a time such as 5s or 500ms", argument);
	return VHU_EXIT_DONE;
}

/* Take one option. Returns as take_time. */
static int take_option(struct vhu_rings_request *request, int key, const char *argument)
{
	const struct vhu_command *command = request->command;
	uint64_t number = 0;

	switch (key) {
	case 'r':
		request->capture = argument;
		break;
	case 's':
		request->control = argument;
		break;
	case KEY_QMP:
		request->qmp = argument;
		break;
	case 'p':
		if (vhu_number_parse(argument, 1, INT32_MAX, &number))
			return vhu_usage(command, "%s: not a process id", argument);
		request->pid = (uint32_t)number;
		break;
	case KEY_SESSION:
		if (vhu_number_parse(argument, 1, UINT64_MAX, &request->session))
			return vhu_usage(command, "%s: not a session number", argument);
		break;
	case KEY_VRING:
		if (vhu_number_parse(argument, 0, VHU_VRINGS_MAX - 1, &number))
			return vhu_usage(command, "%s: not a vring number", argument);
		request->vring = (int64_t)number;
		break;
	case 'v':
		request->verbose = true;
		break;
	case KEY_JSON:
		request->json = true;
		break;
	case 'w':
		request->file = argument;
		break;
	case KEY_WATCH:
		request->watch = true;
		return argument ? take_time(command, argument, &request->watch_ns) : VHU_EXIT_DONE;
	case KEY_WAIT:
		request->wait = true;
		return take_time(command, argument, &request->wait_ns);
	}
	return VHU_EXIT_DONE;
}

/* Return whether two paths name the same file. */
static bool is_same_file(const char *one, const char *other)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_rings_request request = {
	    .command = command, .vring = -1, .watch_ns = VHU_NS_PER_S};
	const char *argument;
	int key, status;

	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(&request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (optind < argc)
		return vhu_usage(command, "%s: unexpected argument", argv[optind]);
	if (!!request.capture + !!request.control + !!request.qmp > 1)
		return vhu_usage(command, "one of -r, -s and --qmp at a time");
	if (request.capture && !strcmp(request.capture, "-"))
		return vhu_usage(command, "a capture on standard input cannot be read again");
	if (request.file && !strcmp(request.file, "-") && request.json)
		return vhu_usage(command, "--json and -w - both want standard output");
	if (request.file && !strcmp(request.file, "-") && isatty(STDOUT_FILENO))
		return vhu_usage(command, "a capture is not for terminals: pipe it or name a file");
	if (request.file && request.capture && is_same_file(request.file, request.capture))
		return vhu_usage(command, "%s: cannot be read and written at once", request.file);
	return vhu_rings_look(&request, argc, argv);
}

const struct vhu_command vhu_command_rings = {
    .name = "rings",
    .arguments = "",
    .summary = "look into vrings, and say why one hangs",
    .about = "Reads the memory of the vrings, the counters of their eventfds and the state of both "
	     "processes, twice; changes nothing. The exit status is 1 if a vring hangs. Without "
	     "-r, -p and --qmp, vhu rings asks a running proxy, as vhu ctl does. vhu-rings(1) "
	     "explains each verdict.",
    .option = option,
    .example = example,
    .run = run,
};
