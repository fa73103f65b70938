/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu rings: looks into vrings and says why one hangs. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/commands.h"
#include "tools/rings/output.h"
#include "tools/rings/places/places.h"
#include "tools/rings/target/target.h"

enum { KEY_JSON = 256, KEY_SESSION, KEY_VRING, KEY_QMP, KEY_WATCH, KEY_WAIT };

static const struct vhu_option option[] = {
    {'r', "read", "FILE", "the sessions that this capture leaves open; it may still be written"},
    {'s', "socket", "SOCKET", "those of the proxy with this control socket, if not the usual one"},
    {'p', "pid", "PID", "those of this front-end or back-end alone"},
    {KEY_QMP, "qmp", "SOCKET", "those of the QEMU with this monitor; needs no proxy"},
    {KEY_SESSION, "session", "N", "only this session"},
    {KEY_VRING, "vring", "N", "only this vring"},
    {'v', "verbose", NULL, "list the requests that wait or are in flight, without their data"},
    {KEY_JSON, "json", NULL, "one JSON object a line and vring"},
    {KEY_WATCH, "watch", "[=TIME]", "look again and again, each second or TIME"},
    {KEY_WAIT, "wait", "TIME", "look until a vring hangs or TIME is over"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu rings -r vm.pcapng", "how the vrings stand, and why one hangs"},
    {"vhu rings -v --vring 0", "the same of a running proxy's, with the requests in flight"},
    {"vhu rings --qmp qmp.sock", "without a proxy: QEMU says where its vrings are"},
    {"vhu rings -r vm.pcapng --wait 60s || vhu rings -r vm.pcapng -v", "wait for the next hang"},
    {"vhu rings --json | jq 'select(.verdict.hangs)'", "only those that hang"},
    {0},
};

/* Between two looks, unless it is said. */
#define PAUSE_NS VHU_NS_PER_S
/* Times that samples are taken again because the session changed meanwhile. */
#define AGAIN    3

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* Take a time. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_time(const struct vhu_command *command, const char *argument, uint64_t *ns)
{
	if (vhu_duration_parse(argument, ns) || *ns == 0)
		return vhu_usage(command, "%s: not a time such as 500ms or 10s", argument);
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
			return vhu_usage(command, "%s: not a process", argument);
		request->pid = (uint32_t)number;
		break;
	case KEY_SESSION:
		if (vhu_number_parse(argument, 1, UINT64_MAX, &request->session))
			return vhu_usage(command, "%s: no such session number", argument);
		break;
	case KEY_VRING:
		if (vhu_number_parse(argument, 0, VHU_VRINGS_MAX - 1, &number))
			return vhu_usage(command, "%s: no such vring", argument);
		request->vring = (int64_t)number;
		break;
	case 'v':
		request->verbose = true;
		break;
	case KEY_JSON:
		request->json = true;
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

/* Say what keeps us from looking at a session. Returns whether there is something. */
static bool say_what_is_missing(const struct vhu_rings_request *request,
				const struct vhu_rings_memory *memory)
{
	const char *who[] = {"front-end", "back-end"};

	for (unsigned side = 0; side < VHU_RINGS_SIDES; side++) {
		const struct vhu_rings_process *process = memory->process[side];

		if (!process || !process->error)
			continue;
		if (process->error == -ESRCH)
			vhu_fail(request->command,
				 "session %" PRIu64 ": the %s (pid %" PRIu32 ") is gone",
				 memory->session->kept.session, who[side], process->pid);
		else
			vhu_fail(request->command,
				 "session %" PRIu64 ": cannot look into the %s (pid %" PRIu32
				 ", %s): %s: run as root, or with CAP_SYS_PTRACE",
				 memory->session->kept.session, who[side], process->pid,
				 process->comm, strerror(-process->error));
		return true;
	}
	if (!memory->missing)
		return false;
	vhu_fail(request->command,
		 "session %" PRIu64 ": %u of %u memory regions cannot be opened: %s%s",
		 memory->session->kept.session, memory->missing, memory->session->regions,
		 strerror(-memory->error),
		 memory->error == -EACCES || memory->error == -EPERM
		     ? ": run as root, or with CAP_SYS_PTRACE"
		     : "");
	return true;
}

/* Return whether the sessions are what they were when they were sampled. */
static bool is_unchanged(const struct vhu_rings_request *request,
			 const struct vhu_rings_targets *targets)
{
	struct vhu_rings_sessions now = {0};
	bool same = true;

	/* QEMU's monitor says nothing that changes while a vring is started. */
	if (request->qmp)
		return true;
	if (vhu_rings_places(request, &now) != VHU_EXIT_DONE)
		same = false;
	for (unsigned i = 0; i < targets->count && same; i++) {
		const struct vhu_rings_target *target = &targets->target[i];
		const struct vhu_rings_session *session =
		    vhu_rings_sessions_find(&now, target->session->kept.session);

		same = session && session->pending.number == target->session->pending.number &&
		       vhu_rings_session_same_vring(target->session, session, target->vring->index);
	}
	vhu_rings_sessions_free(&now);
	return same;
}

/* What one look gave. */
struct vhu_rings_outcome {
	bool hangs, failed;
};

/* Read the sessions, look at their vrings, judge. @targets, @sessions: to be freed. Returns an exit
 * status; VHU_EXIT_FAILED: what is wrong was said. */
static int look_once(const struct vhu_rings_request *request, struct vhu_rings_sessions *sessions,
		     struct vhu_rings_targets *targets)
{
	int status = vhu_rings_places(request, sessions);

	if (status != VHU_EXIT_DONE)
		return status;
	if (vhu_rings_targets_open(targets, sessions, request->vring))
		return vhu_fail(request->command, "out of memory");
	vhu_rings_targets_judge(targets);
	return VHU_EXIT_DONE;
}

/* Return whether a vring hangs by what was judged. */
static bool one_hangs(const struct vhu_rings_targets *targets)
{
	for (unsigned i = 0; i < targets->count; i++)
		if (targets->target[i].verdict.hangs)
			return true;
	return false;
}

/* Look once and show it. @show: else only if a vring hangs. Returns what it gave. */
static struct vhu_rings_outcome look(const struct vhu_rings_request *request, bool show)
{
	struct vhu_rings_sessions sessions = {0};
	struct vhu_rings_targets targets = {0};
	struct vhu_rings_outcome outcome = {0};

	for (unsigned turn = 0; turn < AGAIN; turn++) {
		vhu_rings_targets_free(&targets);
		vhu_rings_sessions_free(&sessions);
		outcome.failed = look_once(request, &sessions, &targets) != VHU_EXIT_DONE;
		outcome.hangs = !outcome.failed && one_hangs(&targets);
		/* A verdict counts if the session is still the one that was judged. */
		if (outcome.failed || !outcome.hangs || is_unchanged(request, &targets))
			break;
	}
	if (!outcome.failed && (show || outcome.hangs)) {
		for (unsigned i = 0; i < targets.memories; i++)
			outcome.failed |= say_what_is_missing(request, &targets.memory[i]);
		if (targets.count == 0 && request->vring >= 0)
			outcome.failed |= vhu_fail(
			    request->command, "no vring %" PRId64 " is set up", request->vring);
		vhu_rings_show(request, &targets);
	}
	vhu_rings_targets_free(&targets);
	vhu_rings_sessions_free(&sessions);
	return outcome;
}

/* Wait for the next look. */
static void pause_for(uint64_t ns)
{
	const struct timespec pause = {.tv_sec = (time_t)(ns / VHU_NS_PER_S),
				       .tv_nsec = (long)(ns % VHU_NS_PER_S)};

	nanosleep(&pause, NULL);
}

/* Look as long as was asked for. Returns the exit status. */
static int look_on(const struct vhu_rings_request *request)
{
	uint64_t end = vhu_now_ns() + request->wait_ns;
	struct vhu_rings_outcome outcome;

	do {
		outcome = look(request, !request->wait || request->watch);
		if (outcome.failed || (request->wait && outcome.hangs))
			break;
		if (request->watch || request->wait)
			pause_for(request->watch ? request->watch_ns : PAUSE_NS / 10);
	} while (!stopped && (request->wait ? vhu_now_ns() < end : request->watch));
	if (ferror(stdout))
		return vhu_fail(request->command, "standard output: %s", strerror(errno));
	return outcome.failed || outcome.hangs ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_rings_request request = {.command = command, .vring = -1, .watch_ns = PAUSE_NS};
	const struct sigaction action = {.sa_handler = on_signal};
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
		return vhu_usage(command, "%s: what is that for?", argv[optind]);
	if (!!request.capture + !!request.control + !!request.qmp > 1)
		return vhu_usage(command, "one of -r, -s and --qmp at a time");
	if (request.capture && !strcmp(request.capture, "-"))
		return vhu_usage(command, "a capture on standard input cannot be read again");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return look_on(&request);
}

const struct vhu_command vhu_command_rings = {
    .name = "rings",
    .arguments = "",
    .summary = "look into vrings, and say why one hangs",
    .about = "Reads the vrings' memory, the counters of their eventfds and the state of both "
	     "processes,\n"
	     "twice; changes nothing. Exits with 1 if a vring hangs. Without -r, -p and --qmp it "
	     "asks a\n"
	     "running proxy, as vhu ctl does. vhu-rings(1) explains each verdict.",
    .option = option,
    .example = example,
    .run = run,
};
