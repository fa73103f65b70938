/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu attach is asked for: its options. */
#include "tools/attach/request.h"

#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "bpf/attach/attach.h"
#include "lib/capture/pcapng/pcapng.h"
#include "lib/ringwatch/stall.h"
#include "lib/util/duration.h"
#include "tools/request_error.h"

enum {
	KEY_SOCKET = 256,
	KEY_ALL,
	KEY_LIST,
	KEY_JSON,
	KEY_DURATION,
	KEY_FLIGHT,
	KEY_WITH_KEYS,
	KEY_QMP,
	KEY_REFRESH,
	KEY_HOOKS,
	KEY_LATENCY,
	KEY_STALL,
	KEY_ON_STALL,
};

const struct vhu_option vhu_attach_option[] = {
    {KEY_SOCKET, "socket", "PATH",
     "watch the sessions of this listening socket, also later ones; may be repeated"},
    {'p', "pid", "PID", "watch the vhost-user sockets of this process; may be repeated"},
    {KEY_ALL, "all", NULL, "watch every vhost-user session of this host"},
    {KEY_LIST, "list", NULL, "list the open sessions, then exit"},
    {'w', "write", "FILE",
     "record all messages in FILE; - is standard output (default: show them)"},
    {'b', "ring-buffer", "WHAT:N",
     "write a series of files: filesize:KB, duration:SECONDS, interval:SECONDS, packets:N, "
     "files:N"},
    {KEY_FLIGHT, "flight-recorder", "[=SIZE]",
     "keep the latest SIZE (16M) of records in memory; write them when a session ends badly and on "
     "SIGUSR2"},
    {KEY_LATENCY, "latency", NULL, "record kicks, wakes and calls too, as vhu latency -w does"},
    {KEY_STALL, "stall", "TIME",
     "with --latency: report and record what stalls for TIME, as vhu proxy does"},
    {KEY_ON_STALL, "on-stall", "COMMAND",
     "run COMMAND once for each stall; vhu-proxy(1) has its environment"},
    {KEY_DURATION, "duration", "TIME", "end after TIME"},
    {'v', "verbose", NULL, "print each message on standard error"},
    {'q', "quiet", NULL, "print no summary at the end, and no line at the beginning"},
    {KEY_JSON, "json", NULL, "print one JSON object a line"},
    {'s', "snaplen", "N", "keep at most N bytes of each packet"},
    {KEY_QMP, "qmp", "SOCKET",
     "ask QEMU's monitor for the state of a session that began earlier, and record it as "
     "reconstructed"},
    {KEY_REFRESH, "refresh", NULL,
     "with --qmp: stop the virtual machine for some ms, so that QEMU sets up its vrings again"},
    {KEY_WITH_KEYS, "with-keys", NULL, "record key material, which is masked otherwise"},
    {KEY_HOOKS, "hooks", "SET",
     "use tracepoint+fentry, fentry, tracepoint+kprobe, kprobe, tracepoint or taken (default: the "
     "best that works)"},
    {0},
};

/* Take --socket. Returns VHU_EXIT_DONE or VHU_EXIT_USAGE. */
static int take_socket(const struct vhu_command *command, struct vhu_attach_request *request,
		       const char *argument)
{
	if (request->sockets == VHU_ATTACH_SOCKETS_GIVEN)
		return vhu_usage(command, "more than %d sockets", VHU_ATTACH_SOCKETS_GIVEN);
	if (!*argument)
		return vhu_usage(command, "--socket wants the path of a socket");
	request->socket[request->sockets++] = argument;
	return VHU_EXIT_DONE;
}

/* Take --pid. Returns VHU_EXIT_DONE or VHU_EXIT_USAGE. */
static int take_pid(const struct vhu_command *command, struct vhu_attach_request *request,
		    const char *argument)
{
	uint64_t number;

	if (request->pids == VHU_ATTACH_PIDS_GIVEN)
		return vhu_usage(command, "more than %d processes", VHU_ATTACH_PIDS_GIVEN);
	if (vhu_number_parse(argument, 1, INT32_MAX, &number))
		return vhu_usage(command, "%s: not a process id", argument);
	request->pid[request->pids++] = (uint32_t)number;
	return VHU_EXIT_DONE;
}

int vhu_attach_request_take(const struct vhu_command *command, struct vhu_attach_request *request,
			    int key, const char *argument)
{
	char error[VHU_REQUEST_ERROR];
	uint64_t number;
	int ret = 0;

	switch (key) {
	case KEY_SOCKET:
		return take_socket(command, request, argument);
	case 'p':
		return take_pid(command, request, argument);
	case KEY_ALL:
		request->all = true;
		break;
	case KEY_LIST:
		request->list = true;
		break;
	case KEY_JSON:
		request->json = true;
		break;
	case 'w':
		request->file = argument;
		break;
	case 'v':
		request->verbose = true;
		break;
	case 'q':
		request->quiet = true;
		break;
	case KEY_WITH_KEYS:
		request->with_keys = true;
		break;
	case KEY_QMP:
		request->qmp = argument;
		break;
	case KEY_REFRESH:
		request->refresh = true;
		break;
	case 'b':
		ret = vhu_recording_files_take(&request->files, argument, error);
		break;
	case KEY_FLIGHT:
		ret = vhu_recording_files_take_flight(&request->files, argument, error);
		break;
	case 's':
		if (vhu_number_parse(argument, 1, VHU_PCAPNG_SNAPLEN_DEFAULT, &number))
			return vhu_usage(command, "%s: not a snap length from 1 to %d", argument,
					 VHU_PCAPNG_SNAPLEN_DEFAULT);
		request->snaplen = (uint32_t)number;
		break;
	case KEY_LATENCY:
		request->latency = true;
		break;
	case KEY_STALL:
		if (vhu_duration_parse(argument, &request->stall_ns))
			return vhu_usage(command, "%s: not a time such as 5s or 500ms", argument);
		if (request->stall_ns < VHU_STALL_LEAST_NS)
			return vhu_usage(command, VHU_STALL_TOO_SHORT, argument);
		break;
	case KEY_ON_STALL:
		request->on_stall = argument;
		break;
	case KEY_HOOKS:
		request->hooks = vhu_attach_hooks_by_name(argument);
		if (request->hooks < 0)
			return vhu_usage(command, "%s: no such set of hooks", argument);
		break;
	case KEY_DURATION:
		if (vhu_duration_parse(argument, &request->duration_ns))
			return vhu_usage(command, "%s: not a time such as 5s or 500ms", argument);
		if (!request->duration_ns)
			return vhu_usage(
			    command, "%s: not a time above 0: without --duration there is no limit",
			    argument);
		break;
	}
	return ret ? vhu_usage(command, "%s", error) : VHU_EXIT_DONE;
}

int vhu_attach_request_check(const struct vhu_command *command, struct vhu_attach_request *request)
{
	char error[VHU_REQUEST_ERROR];

	if (request->list) {
		if (request->file || request->latency || request->files.any ||
		    request->files.flight_bytes || request->qmp)
			return vhu_usage(command, "--list records nothing");
		return VHU_EXIT_DONE;
	}
	if (!request->sockets && !request->pids && !request->all)
		return vhu_usage(command, "which sessions? Give --socket, --pid or --all");
	if (request->all && (request->sockets || request->pids))
		return vhu_usage(command,
				 "--all watches every session: leave out --socket and --pid");
	if (request->stall_ns && !request->latency)
		return vhu_usage(command, "--stall wants --latency: its probes see what stalls");
	if (request->on_stall && !request->stall_ns)
		return vhu_usage(command, "--on-stall wants --stall: after which time?");
	if (request->refresh && !request->qmp)
		return vhu_usage(command,
				 "--refresh stops a virtual machine: name its monitor by --qmp");
	if (request->json && request->file)
		return vhu_usage(command, "--json goes with --list, or without -w");
	if (request->file && !strcmp(request->file, "-") && isatty(STDOUT_FILENO))
		return vhu_usage(command, "a capture is not for terminals: pipe it or name a file");
	if (vhu_recording_files_end(&request->files, request->file, error))
		return vhu_usage(command, "%s", error);
	return VHU_EXIT_DONE;
}
