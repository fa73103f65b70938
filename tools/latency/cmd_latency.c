/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu latency: tells what a kick, a wake and a call cost, vring by vring, on the live data path. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/vring/counts.h"
#include "bpf/vring/events.h"
#include "lib/capture/pcapng/pcapng.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/commands.h"
#include "tools/latency/request.h"
#include "tools/latency/rings.h"
#include "tools/latency/show/events.h"
#include "tools/latency/show/output.h"
#include "tools/latency/sources/capture.h"
#include "tools/latency/sources/learn.h"
#include "tools/latency/sources/sessions.h"
#include "tools/latency/vrings/interval.h"

/* How often events are taken and vrings looked for. */
#define TICK_NS     UINT64_C(100000000)
#define LOOK_NS     UINT64_C(1000000000)
#define INTERVAL_NS UINT64_C(1000000000)
/* Rounds of events at the end: as many as the buffer holds. */
#define LAST_TURNS  64

static const struct vhu_example example[] = {
    {"vhu latency -f -r vm.pcapng", "rings of a capture that vhu proxy is writing"},
    {"vhu latency --socket /run/disk.sock",
     "rings of a back-end without a proxy, also when it is started again"},
    {"vhu latency -p $(pidof qemu-storage-daemon)", "rings of a back-end, told by their traffic"},
    {"vhu latency -r vm.pcapng -f --slower-than 500us -w slow.pcapng",
     "tell slow requests, and keep them; mergecap puts them among the messages"},
    {0},
};

/* All that runs. */
struct latency {
	const struct vhu_command *command;
	const struct vhu_latency_request *request;
	struct vhu_probes *probes;
	struct vhu_latency_vrings vrings;
	struct vhu_latency_events events;
	struct vhu_latency_capture *capture;
	struct vhu_learn *learn;
	struct vhu_latency_sessions sessions;
	int signals;
	uint64_t table_ns; /* when the last table was written */
	const char *ended; /* why it ends by itself */
};

/* Take an event, as the probes pass it. */
static void see(void *with, const struct vhu_bpf_event *event)
{
	struct latency *latency = with;

	if (event->what == VHU_EVENT_LEARN_READ || event->what == VHU_EVENT_LEARN_WRITE) {
		if (latency->learn)
			vhu_learn_see(latency->learn, event);
	} else {
		vhu_latency_events_see(&latency->events, event);
	}
}

/* Watch what is wanted. Returns how many vrings are watched, or -errno. */
static int wire(struct latency *latency)
{
	int ret;

	pthread_mutex_lock(&latency->vrings.lock);
	ret = vhu_latency_vrings_wire(&latency->vrings);
	pthread_mutex_unlock(&latency->vrings.lock);
	return ret;
}

/* Want the vrings that were given by the ids of their eventfds. Returns an exit status. */
static int want_given(struct latency *latency)
{
	const struct vhu_latency_request *request = latency->request;

	for (unsigned i = 0; i < request->vrings_given; i++) {
		struct vhu_latency_vring *vring = vhu_latency_vrings_get(&latency->vrings, 0, i);

		if (!vring)
			return vhu_fail(latency->command, "out of memory");
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++)
			vhu_latency_vrings_want(&latency->vrings, vring, which,
						request->given[i].set[which],
						request->given[i].id[which]);
	}
	wire(latency);
	for (unsigned i = 0; i < latency->vrings.count; i++)
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++) {
			const struct vhu_latency_fd *fd = &latency->vrings.vring[i]->fd[which];

			if (fd->wanted && !fd->wired)
				return vhu_fail(latency->command,
						"eventfd %u: no process has it open", fd->id);
		}
	return VHU_EXIT_DONE;
}

/* Look whether the processes to watch are there. Returns an exit status. */
static int find_processes(const struct latency *latency)
{
	const struct vhu_latency_request *request = latency->request;

	for (unsigned i = 0; i < request->pids; i++)
		if (kill((pid_t)request->pid[i], 0) && errno == ESRCH)
			return vhu_fail(latency->command, "pid %u: no such process",
					request->pid[i]);
	return VHU_EXIT_DONE;
}

/* Return whether sessions without a proxy are to be recorded. */
static bool needs_sessions(const struct vhu_latency_request *request)
{
	return request->socket || (request->pids && request->follow);
}

/* Read what is recorded of sessions without a proxy, and learn the vrings of one that began before.
 * Returns an exit status. */
static int find_sessions(struct latency *latency)
{
	const struct vhu_latency_request *request = latency->request;
	uint32_t pid[VHU_LATENCY_PIDS] = {request->pid[0], request->pid[1]};
	int status =
	    vhu_latency_capture_open(&latency->capture, latency->command, &latency->vrings,
				     latency->sessions.path, true, latency->events.epoch_ns);

	vhu_latency_sessions_are_read(&latency->sessions);
	if (status == VHU_EXIT_DONE &&
	    (request->pids || vhu_latency_sessions_find(request->socket, pid)))
		vhu_learn_start(&latency->learn, &latency->vrings, pid[0], pid[1]);
	return status;
}

/* Look whether the files can be read and written, before the probes are loaded. Returns an exit
 * status. */
static int find_files(const struct latency *latency)
{
	const struct vhu_latency_request *request = latency->request;
	struct vhu_pcapng_reader *reader;
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct stat file;

	/* What comes by a pipe can be read once. */
	if (request->capture && strcmp(request->capture, "-") != 0 &&
	    (stat(request->capture, &file) || S_ISREG(file.st_mode))) {
		if (vhu_pcapng_reader_open(&reader, request->capture, false, error))
			return vhu_fail(latency->command, "%s: %s", request->capture, error);
		vhu_pcapng_reader_close(reader);
	}
	if (request->write_to && access(request->write_to, W_OK) && errno != ENOENT)
		return vhu_fail(latency->command, "%s: %s", request->write_to, strerror(errno));
	return VHU_EXIT_DONE;
}

/* Find the vrings to watch. Returns an exit status. */
static int find_vrings(struct latency *latency)
{
	const struct vhu_latency_request *request = latency->request;
	int status;

	if (request->vrings_given)
		return want_given(latency);
	if (needs_sessions(request))
		return find_sessions(latency);
	if (request->pids)
		return vhu_learn_open(&latency->learn, latency->command, &latency->vrings,
				      request->pid[0], request->pid[1]);
	status =
	    vhu_latency_capture_open(&latency->capture, latency->command, &latency->vrings,
				     request->capture, request->follow, latency->events.epoch_ns);
	if (status != VHU_EXIT_DONE || request->follow)
		return status;
	if (!latency->vrings.count)
		return vhu_fail(latency->command, "%s: no session told of a vring",
				request->capture);
	if (wire(latency) > 0)
		return VHU_EXIT_DONE;
	for (unsigned i = 0; i < latency->vrings.count; i++)
		if (latency->vrings.vring[i]->polled)
			return vhu_fail(latency->command,
					"%s: its vrings are polled and have no eventfds: vhu rings "
					"looks into them",
					request->capture);
	return vhu_fail(latency->command, "%s: none of its vrings' eventfds is open any more%s",
			request->capture, latency->vrings.changed ? "" : ": its sessions ended");
}

/* Write a table of the interval, or of all that was counted, and begin the next. Needs the vrings'
 * lock. */
static void put_table(struct latency *latency, FILE *to, uint64_t now)
{
	if (latency->request->cumulative) {
		vhu_latency_table(to, &latency->vrings, now, 0);
		return;
	}
	vhu_latency_table(to, &latency->vrings, now, now - latency->table_ns);
	for (unsigned i = 0; i < latency->vrings.count; i++)
		vhu_latency_interval_end(latency->vrings.vring[i]);
	latency->table_ns = now;
}

/* Write how things stand, or stood. Needs the vrings' lock. */
static void put(struct latency *latency, FILE *to, bool last)
{
	const struct vhu_latency_request *request = latency->request;
	uint64_t now = vhu_now_ns();

	vhu_latency_vrings_read(&latency->vrings);
	if (last && request->capture)
		vhu_latency_rings_end(latency->command, request->capture, &latency->vrings);
	if (request->json) {
		vhu_latency_json(to, &latency->vrings, now);
	} else if (last) {
		vhu_latency_summary(to, &latency->vrings, now, request->histogram);
	} else {
		if (isatty(STDOUT_FILENO) && !request->slow_ns)
			fprintf(to, "\033[H\033[J");
		put_table(latency, to, now);
	}
}

/* Show how things stand, or stood. Whoever reads that may be slow: vrings are not kept waiting. */
static void show(struct latency *latency, bool last)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return;
	pthread_mutex_lock(&latency->vrings.lock);
	put(latency, to, last);
	pthread_mutex_unlock(&latency->vrings.lock);
	if (fclose(to) == 0)
		fwrite(text, 1, size, stdout);
	free(text);
	fflush(stdout);
}

/* Look what became of the processes and their eventfds. Returns whether there is more to come. */
static bool look(struct latency *latency, uint64_t now)
{
	int wired;

	if (latency->learn && !vhu_learn_tick(latency->learn, now)) {
		if (!*latency->sessions.socket) {
			latency->ended = "the back-end ended";
			return false;
		}
		/* Another one's sessions are recorded from their beginning. */
		vhu_learn_close(latency->learn);
		latency->learn = NULL;
	}
	wired = wire(latency);
	if (wired < 0)
		return true;
	if (!wired && !latency->learn &&
	    (!latency->capture || vhu_latency_capture_ended(latency->capture))) {
		latency->ended = "no process has the rings' eventfds open any more";
		return false;
	}
	return true;
}

/* Wait for the next tick, a signal, an event or news of the capture. Returns whether to go on. */
static bool wait_until(struct latency *latency, uint64_t until)
{
	uint64_t now = vhu_now_ns(), value;
	struct pollfd watched[] = {
	    {.fd = latency->signals, .events = POLLIN},
	    {.fd = vhu_probes_events_fd(latency->probes), .events = POLLIN},
	    {.fd = latency->capture ? vhu_latency_capture_fd(latency->capture) : -1,
	     .events = POLLIN},
	};

	if (poll(watched, 3, until > now ? (int)((until - now + 999999) / 1000000) : 0) < 0)
		return errno == EINTR;
	vhu_probes_events(latency->probes);
	if ((watched[2].revents & POLLIN) && read(watched[2].fd, &value, sizeof(value)) > 0)
		wire(latency);
	return !(watched[0].revents & POLLIN);
}

/* Tell the kicks that have waited too long, each once. */
static void tell_waiting(struct latency *latency, uint64_t now)
{
	pthread_mutex_lock(&latency->vrings.lock);
	vhu_latency_vrings_read(&latency->vrings);
	for (unsigned i = 0; i < latency->vrings.count; i++)
		vhu_latency_events_waits(&latency->events, latency->vrings.vring[i],
					 latency->request->slow_ns, now);
	pthread_mutex_unlock(&latency->vrings.lock);
}

/* Watch until there is an end. */
static void watch(struct latency *latency)
{
	const struct vhu_latency_request *request = latency->request;
	uint64_t start = vhu_now_ns(), tick = start, shown = start, looked = start;
	bool more = true;

	latency->table_ns = start;
	while (more) {
		uint64_t now = vhu_now_ns(), until;

		if (request->duration_ns && now - start >= request->duration_ns)
			break;
		if (now - looked >= LOOK_NS ||
		    (latency->vrings.changed && now - looked >= TICK_NS)) {
			more = look(latency, now);
			looked = now;
		}
		if (request->slow_ns)
			tell_waiting(latency, now);
		if (more && request->interval_ns && now - shown >= request->interval_ns) {
			show(latency, false);
			shown = now;
		}
		tick = now + TICK_NS;
		until = request->interval_ns && shown + request->interval_ns < tick
			    ? shown + request->interval_ns
			    : tick;
		if (request->duration_ns && start + request->duration_ns < until)
			until = start + request->duration_ns;
		if (more)
			more = wait_until(latency, until);
	}
	if (latency->ended)
		vhu_fail(latency->command, "%s", latency->ended);
}

/* Say what was lost, and of what was found nothing could be made. */
static void say_rest(struct latency *latency)
{
	uint64_t written, lost = vhu_latency_events_close(&latency->events, &written);
	uint64_t dropped = vhu_probes_dropped(latency->probes);
	unsigned long long all_lost = lost + dropped;

	if (latency->request->write_to)
		fprintf(stderr, "vhu latency: %s: %llu events written, %llu lost\n",
			latency->request->write_to, (unsigned long long)written, all_lost);
	else if (dropped)
		vhu_fail(latency->command, "%llu events were lost for want of room",
			 (unsigned long long)dropped);
	if (vhu_probes_unplaced(latency->probes))
		fprintf(stderr, "vhu latency: %llu pops and pushes were of no known vring\n",
			(unsigned long long)vhu_probes_unplaced(latency->probes));
	if (!latency->ended && latency->learn && vhu_learn_silent(latency->learn))
		fprintf(stderr, "vhu latency: %u shared eventfds had no traffic to tell them by\n",
			vhu_learn_silent(latency->learn));
}

/* Block the signals that end the watching, to be read from a descriptor. */
static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Load the probes. Returns an exit status. */
static int load(struct latency *latency)
{
	const struct vhu_latency_request *request = latency->request;
	const struct vhu_uprobes_place *pop = &request->place[VHU_UPROBES_POP].place;
	const struct vhu_uprobes_place *push = &request->place[VHU_UPROBES_PUSH].place;
	const struct vhu_probes_choice choice = {
	    .hooks = request->hooks,
	    .config =
		{
		    .slow_ns = request->slow_ns,
		    .all_events = request->write_to && !request->slow_ns,
		    .learning = request->pids > 0 || request->socket,
		    .inside = pop->name || push->name,
		},
	    .inside = {.place = {[VHU_UPROBES_POP] = *pop, [VHU_UPROBES_PUSH] = *push},
		       .pid = request->pid[0]},
	    .see = see,
	    .with = latency,
	};
	char error[VHU_BPF_ERROR_SIZE];
	const char *blind;

	if (vhu_probes_open(&latency->probes, &choice, error))
		return vhu_fail(latency->command, "%s", error);
	blind = vhu_probes_blind(latency->probes);
	if (!request->json)
		fprintf(stderr, "vhu latency: hooks: %s%s%s%s\n",
			vhu_hooks_name(vhu_probes_hooks(latency->probes)), *blind ? " (" : "",
			blind, *blind ? ")" : "");
	return VHU_EXIT_DONE;
}

/* Do what was asked for. Returns an exit status. */
static int measure(const struct vhu_command *command, const struct vhu_latency_request *request)
{
	static struct latency latency;
	int status;

	latency = (struct latency){.command = command, .request = request, .events = {.fd = -1}};
	latency.signals = take_signals();
	status = find_processes(&latency);
	/* Before there is anything that its process would have, too. */
	if (status == VHU_EXIT_DONE && needs_sessions(request))
		status = vhu_latency_sessions_open(&latency.sessions, command, request);
	if (status == VHU_EXIT_DONE)
		status = find_files(&latency);
	if (status == VHU_EXIT_DONE)
		status = load(&latency);
	if (status != VHU_EXIT_DONE) {
		vhu_latency_sessions_close(&latency.sessions);
		return status;
	}
	vhu_latency_vrings_init(&latency.vrings, latency.probes);
	latency.events.vrings = &latency.vrings;
	latency.events.slow = request->slow_ns ? (request->json ? stderr : stdout) : NULL;
	vhu_latency_events_epoch(&latency.events);
	if (request->write_to)
		status = vhu_latency_events_open(&latency.events, command, request->write_to);
	if (status == VHU_EXIT_DONE)
		status = find_vrings(&latency);
	if (status == VHU_EXIT_DONE) {
		if (request->capture && !request->json)
			vhu_latency_rings_begin(command, request->capture);
		watch(&latency);
		/* What is there now; what comes meanwhile has no end. */
		for (int i = 0; i < LAST_TURNS && vhu_probes_events(latency.probes) == -EAGAIN; i++)
			;
		show(&latency, true);
		say_rest(&latency);
	}
	vhu_latency_sessions_close(&latency.sessions);
	vhu_latency_capture_close(latency.capture);
	vhu_learn_close(latency.learn);
	vhu_latency_vrings_free(&latency.vrings);
	vhu_probes_close(latency.probes);
	close(latency.signals);
	if (ferror(stdout))
		return vhu_fail(command, "standard output: %s", strerror(errno));
	return status;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	static struct vhu_latency_request request;
	const char *argument;
	int key, status;

	request = (struct vhu_latency_request){.hooks = -1, .interval_ns = INTERVAL_NS};
	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = vhu_latency_request_take(command, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (optind < argc)
		return vhu_usage(command, "%s: what is that for?", argv[optind]);
	status = vhu_latency_request_check(command, &request);
	if (status != VHU_EXIT_DONE)
		return status;
	return measure(command, &request);
}

const struct vhu_command vhu_command_latency = {
    .name = "latency",
    .arguments = "",
    .summary = "measure kick, wake and call on each vring",
    .about = "Watches the eventfds of vrings by BPF: the time from the front-end's kick until the "
	     "back-end reads it, the time until the back-end calls, and what was lost on the way. "
	     "Needs CAP_BPF and CAP_PERFMON, and CAP_SYS_PTRACE for other users' processes. Ctrl-C "
	     "prints a summary.",
    .option = vhu_latency_option,
    .example = example,
    .run = run,
};
