/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu top: shows what sessions and vrings do, live. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/array.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "proxy/control/socket.h"
#include "tools/commands.h"
#include "tools/top/run.h"
#include "tools/top/screen/ui.h"

enum { KEY_SOCKET = 256, KEY_ALL, KEY_SORT, KEY_FILTER, KEY_DELAY, KEY_STALL, KEY_JSON, KEY_COUNT };

static const struct vhu_option option[] = {
    {'s', "control", "SOCKET",
     "the proxy's control socket, if not the default one, or a folder of them; may be repeated"},
    {'p', "pid", "PID", "watch the vrings of this back-end by probes; may be repeated"},
    {KEY_SOCKET, "socket", "PATH",
     "watch the vrings of the sessions of this socket by probes; may be repeated"},
    {KEY_ALL, "all", NULL, "watch the vrings of every back-end of this host by probes"},
    {KEY_SORT, "sort", "COLUMN",
     "sort by kicks (default), calls, p50, p99, max, waiting, age, state, cpu, messages, session, "
     "..."},
    {KEY_FILTER, "filter", "TEXT",
     "show only vrings with this text in a name, device, source or state; upper and lower case are "
     "the same"},
    {KEY_DELAY, "delay", "TIME", "look again after this time, 100ms to 60s (default 1s)"},
    {KEY_STALL, "stall", "TIME",
     "a vring is stalled if a kick has waited longer than TIME, 100ms to 60s (default 1s)"},
    {KEY_JSON, "json", NULL,
     "no screen: print one JSON object a line, one for each vring and look"},
    {KEY_COUNT, "count", "N", "with --json: end after N looks"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu top", "show the sessions of the proxy at the default control socket"},
    {"vhu top -s /run/vhu", "show those of all proxies with a control socket in this folder"},
    {"vhu top --all", "show every back-end of this host, without a proxy, as root"},
    {"vhu top --sort age --filter stalled", "show only stalled vrings, the longest wait first"},
    {"vhu top --json --count 1 | jq 'select(.state == \"stalled\")'",
     "print the stalled vrings for a script"},
    {"vhu top --json --count 1 --all",
     "print all sessions of this host once, also those that hang already"},
    {0},
};

/* Add a socket to a list. Returns an exit status. */
static int add_path(const struct vhu_command *command, const char ***list, unsigned *count,
		    const char *path)
{
	const char **grown;

	if (strlen(path) >= VHU_TOP_NAME || !*path)
		return vhu_usage(command, "%s: not the path of a socket", path);
	grown = vhu_array_more(*list, count, sizeof(const char *));
	if (!grown)
		return vhu_fail(command, "out of memory");
	*list = grown;
	grown[*count - 1] = path;
	return VHU_EXIT_DONE;
}

/* Add a back-end. Returns an exit status. */
static int add_pid(struct vhu_top_request *request, const char *argument)
{
	uint32_t *grown;
	uint64_t pid;

	if (vhu_number_parse(argument, 1, INT32_MAX, &pid))
		return vhu_usage(request->command, "%s: not a process id", argument);
	grown = vhu_array_more(request->pid, &request->pids, sizeof(uint32_t));
	if (!grown)
		return vhu_fail(request->command, "out of memory");
	request->pid = grown;
	grown[request->pids - 1] = (uint32_t)pid;
	return VHU_EXIT_DONE;
}

/* Take a time. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_time(const struct vhu_top_request *request, const char *argument, uint64_t least,
		     uint64_t most, uint64_t *ns)
{
	if (vhu_duration_parse(argument, ns) || *ns < least || *ns > most)
		return vhu_usage(request->command, "%s: not a time from 100ms to 60s", argument);
	return VHU_EXIT_DONE;
}

/* Take one option. Returns an exit status. */
static int take_option(struct vhu_top_request *request, int key, const char *argument)
{
	const struct vhu_command *command = request->command;
	int column;

	switch (key) {
	case 's':
		return add_path(command, &request->control, &request->controls, argument);
	case KEY_SOCKET:
		return add_path(command, &request->socket, &request->sockets, argument);
	case 'p':
		return add_pid(request, argument);
	case KEY_ALL:
		request->all = true;
		break;
	case KEY_SORT:
		column = vhu_top_column_find(argument);
		if (column < 0)
			return vhu_usage(command, "%s: no such column", argument);
		request->sort = (unsigned)column;
		break;
	case KEY_FILTER:
		if (strlen(argument) >= VHU_TOP_WORD)
			return vhu_usage(command, "%s: a filter has at most %d characters",
					 argument, VHU_TOP_WORD - 1);
		request->filter = argument;
		break;
	case KEY_DELAY:
		return take_time(request, argument, VHU_TOP_DELAY_LEAST, VHU_TOP_DELAY_MOST,
				 &request->delay_ns);
	case KEY_STALL:
		return take_time(request, argument, VHU_TOP_DELAY_LEAST, VHU_TOP_DELAY_MOST,
				 &request->stall_ns);
	case KEY_JSON:
		request->json = true;
		break;
	case KEY_COUNT:
		if (vhu_number_parse(argument, 1, UINT32_MAX, &request->count))
			return vhu_usage(command, "%s: not a number from 1 on", argument);
		break;
	}
	return VHU_EXIT_DONE;
}

/* Return VHU_EXIT_DONE if a request makes sense here; else an exit status with what is wrong said.
 */
static int check(const struct vhu_top_request *request)
{
	const struct vhu_command *command = request->command;

	if (request->count && !request->json)
		return vhu_usage(command, "--count goes with --json");
	if (!request->json && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
		return vhu_fail(command, "there is no terminal: use --json");
	return VHU_EXIT_DONE;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_top_request request = {
	    .command = command,
	    .delay_ns = VHU_NS_PER_S,
	    .stall_ns = VHU_NS_PER_S,
	    .sort = (unsigned)vhu_top_column_find("kicks"),
	    .filter = "",
	};
	char usual[VHU_CONTROL_PATH_MAX];
	const char *argument;
	int key, status = VHU_EXIT_DONE;

	while (status == VHU_EXIT_DONE &&
	       (key = vhu_options_next(command, argc, argv, &argument)) >= 0)
		status = take_option(&request, key, argument);
	if (status == VHU_EXIT_DONE && key == VHU_OPTIONS_ERROR)
		status = VHU_EXIT_USAGE;
	if (status == VHU_EXIT_DONE && key == VHU_OPTIONS_END) {
		if (optind < argc)
			status = vhu_usage(command, "%s: unexpected argument", argv[optind]);
		else
			status = check(&request);
		if (status == VHU_EXIT_DONE && !request.controls && !request.pids &&
		    !request.sockets && !request.all)
			status = add_path(command, &request.control, &request.controls,
					  vhu_control_path(usual));
		if (status == VHU_EXIT_DONE)
			status = vhu_top_run(&request);
	}
	free(request.control);
	free(request.pid);
	free(request.socket);
	return status;
}

const struct vhu_command vhu_command_top = {
    .name = "top",
    .arguments = "",
    .summary = "show what sessions and vrings do, live",
    .about =
	"Shows a table of vrings: messages, kicks and calls a second, the time from kick to "
	"call, what waits and what has stalled. A proxy counts kicks and calls if it runs with "
	"--interpose-eventfds. Without a proxy (-p, --socket, --all), the probes of vhu "
	"latency count them, as root; they see no messages, so MSG/s is - then. Keys: h shows "
	"help, q ends.",
    .option = option,
    .example = example,
    .run = run,
};
