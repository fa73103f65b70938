/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu latency is asked for: its options. */
#include "tools/latency/request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/ringwatch/stall.h"
#include "lib/util/duration.h"

enum {
	KEY_EVENTFD = 256,
	KEY_SOCKET,
	KEY_INTERVAL,
	KEY_DURATION,
	KEY_CUMULATIVE,
	KEY_HISTOGRAM,
	KEY_JSON,
	KEY_SLOW,
	KEY_STALL,
	KEY_ON_STALL,
	KEY_METRICS,
	KEY_HOOKS,
	KEY_POP,
	KEY_PUSH
};

const struct vhu_option vhu_latency_option[] = {
    {'r', "read", "FILE",
     "watch the vrings of the sessions that are open at the end of this capture"},
    {'f', "follow", NULL, "watch vrings that start later, too; with -r or -p"},
    {KEY_SOCKET, "socket", "PATH",
     "watch the vrings of the sessions of this socket, also of later ones"},
    {'p', "pid", "PID", "watch this back-end; a second -p names its front-end"},
    {KEY_EVENTFD, "eventfd", "kick=ID,call=ID", "watch these eventfds as a vring; may be repeated"},
    {KEY_INTERVAL, "interval", "TIME", "print a table each TIME (default 1s); 0 prints none"},
    {KEY_CUMULATIVE, "cumulative", NULL, "tables count from the start, not from the last table"},
    {KEY_DURATION, "duration", "TIME", "end after TIME"},
    {KEY_HISTOGRAM, "histogram", NULL, "draw histograms at the end"},
    {KEY_JSON, "json", NULL,
     "print one JSON object a line: each vring and interval, and all counts at the end"},
    {KEY_SLOW, "slower-than", "TIME", "report each kick that waits longer than TIME, and its call"},
    {KEY_STALL, "stall", "TIME",
     "report, and with -w record, what stalls for TIME, as vhu proxy does"},
    {KEY_ON_STALL, "on-stall", "COMMAND",
     "run COMMAND once for each stall; vhu-proxy(1) has its environment"},
    {KEY_METRICS, "metrics", "FILE",
     "write counts and histograms to FILE each interval, for Prometheus's node-exporter"},
    {'w', "write", "FILE",
     "write each kick, wake and call, or only slow ones, to the capture FILE"},
    {KEY_HOOKS, "hooks", "SET",
     "use fentry, kprobe, syscalls or all-syscalls (default: the best that works)"},
    {KEY_POP, "pop", "BINARY:PLACE", "split wake to call: PLACE takes a request off a vring"},
    {KEY_PUSH, "push", "BINARY:PLACE",
     "PLACE gives it back; a PLACE is a function or PROVIDER:PROBE"},
    {0},
};

/* Read "kick=ID,call=ID"; one may be missing. Returns VHU_EXIT_DONE or VHU_EXIT_USAGE. */
static int take_eventfd(const struct vhu_command *command, struct vhu_latency_request *request,
			const char *argument)
{
	static char *const key[] = {"kick", "call", NULL};
	char text[128], *at = text, *value;
	uint64_t id;

	if (request->vrings_given == VHU_LATENCY_VRINGS_GIVEN)
		return vhu_usage(command, "more than %d vrings", VHU_LATENCY_VRINGS_GIVEN);
	if (strlen(argument) >= sizeof(text))
		return vhu_usage(command, "%s: too long", argument);
	strcpy(text, argument);
	while (*at) {
		int which = getsubopt(&at, key, &value);

		if (which < 0 || !value || vhu_number_parse(value, 0, UINT32_MAX, &id) ||
		    request->given[request->vrings_given].set[which])
			return vhu_usage(command, "%s: not of the form kick=ID,call=ID", argument);
		request->given[request->vrings_given].set[which] = true;
		request->given[request->vrings_given].id[which] = (uint32_t)id;
	}
	if (!*argument)
		return vhu_usage(command, "--eventfd wants kick=ID,call=ID");
	request->vrings_given++;
	return VHU_EXIT_DONE;
}

/*
 * Read "BINARY:FUNCTION" or "BINARY:PROVIDER:PROBE"; the binary's path may have colons of its own.
 * Returns VHU_EXIT_DONE or VHU_EXIT_USAGE.
 */
static int take_place(const struct vhu_command *command, struct vhu_latency_place *place,
		      const char *argument)
{
	char *colon;

	if (strlen(argument) >= sizeof(place->text))
		return vhu_usage(command, "%s: too long", argument);
	strcpy(place->text, argument);
	place->place = (struct vhu_uprobes_place){.binary = place->text};
	colon = strrchr(place->text, ':');
	if (colon) {
		*colon = '\0';
		place->place.name = colon + 1;
		colon = strrchr(place->text, ':');
		if (colon && !strchr(colon, '/')) {
			*colon = '\0';
			place->place.provider = colon + 1;
		}
	}
	if (!place->place.name || !*place->place.name || !*place->place.binary ||
	    (place->place.provider && !*place->place.provider))
		return vhu_usage(command,
				 "%s: not of the form BINARY:FUNCTION or "
				 "BINARY:PROVIDER:PROBE",
				 argument);
	return VHU_EXIT_DONE;
}

/* Read the time after which something counts as stalled. Returns VHU_EXIT_DONE or VHU_EXIT_USAGE.
 */
static int take_stall(const struct vhu_command *command, struct vhu_latency_request *request,
		      const char *argument)
{
	if (vhu_duration_parse(argument, &request->stall_ns))
		return vhu_usage(command, "%s: not a time such as 5s or 500ms", argument);
	if (request->stall_ns < VHU_STALL_LEAST_NS)
		return vhu_usage(command, VHU_STALL_TOO_SHORT, argument);
	return VHU_EXIT_DONE;
}

int vhu_latency_request_take(const struct vhu_command *command, struct vhu_latency_request *request,
			     int key, const char *argument)
{
	uint64_t number;
	int ret = 0;

	switch (key) {
	case 'r':
		request->capture = argument;
		break;
	case 'f':
		request->follow = true;
		break;
	case KEY_SOCKET:
		if (!*argument)
			return vhu_usage(command, "--socket wants the path of a socket");
		request->socket = argument;
		break;
	case 'w':
		if (!strcmp(argument, "-"))
			return vhu_usage(command, "-w -: the tables go to standard output: name a "
						  "file, or use vhu attach --latency -w -");
		request->write_to = argument;
		break;
	case 'p':
		if (request->pids == VHU_LATENCY_PIDS)
			return vhu_usage(command, "%s: a third process", argument);
		if (vhu_number_parse(argument, 1, INT32_MAX, &number))
			return vhu_usage(command, "%s: not a process id", argument);
		request->pid[request->pids++] = (uint32_t)number;
		break;
	case KEY_EVENTFD:
		return take_eventfd(command, request, argument);
	case KEY_INTERVAL:
		ret = vhu_duration_parse(argument, &request->interval_ns);
		break;
	case KEY_DURATION:
		ret = vhu_duration_parse(argument, &request->duration_ns);
		if (!ret && !request->duration_ns)
			return vhu_usage(command,
					 "%s: not a time above 0: without --duration there "
					 "is no limit",
					 argument);
		break;
	case KEY_SLOW:
		ret = vhu_duration_parse(argument, &request->slow_ns);
		break;
	case KEY_STALL:
		return take_stall(command, request, argument);
	case KEY_ON_STALL:
		request->on_stall = argument;
		break;
	case KEY_METRICS:
		request->metrics = argument;
		break;
	case KEY_POP:
		return take_place(command, &request->place[VHU_UPROBES_POP], argument);
	case KEY_PUSH:
		return take_place(command, &request->place[VHU_UPROBES_PUSH], argument);
	case KEY_CUMULATIVE:
		request->cumulative = true;
		break;
	case KEY_HISTOGRAM:
		request->histogram = true;
		break;
	case KEY_JSON:
		request->json = true;
		break;
	case KEY_HOOKS:
		request->hooks = vhu_hooks_by_name(argument);
		if (request->hooks < 0)
			return vhu_usage(command, "%s: no such set of hooks", argument);
		break;
	}
	return ret ? vhu_usage(command, "%s: not a time such as 5s or 500ms", argument)
		   : VHU_EXIT_DONE;
}

int vhu_latency_request_check(const struct vhu_command *command,
			      struct vhu_latency_request *request)
{
	if (!!request->capture + !!request->socket + !!request->pids + !!request->vrings_given != 1)
		return vhu_usage(command,
				 "which vrings? Give one of -r, --socket, -p and --eventfd");
	if (request->follow && !request->capture && !request->pids)
		return vhu_usage(command,
				 "-f follows a capture or a back-end: give it with -r or -p");
	if (request->on_stall && !request->stall_ns)
		return vhu_usage(command, "--on-stall wants --stall: after which time?");
	/* What sessions say now has to be known. */
	if (request->stall_ns && request->capture)
		request->follow = true;
	return VHU_EXIT_DONE;
}
