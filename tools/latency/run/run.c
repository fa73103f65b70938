/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of vhu latency, from its beginning to its end. */
#include "tools/latency/run/run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bpf/vring/counts.h"
#include "bpf/vring/events.h"
#include "tools/latency/rings.h"

/* Rounds of events at the end: as many as the buffer holds. */
#define LAST_TURNS 64

/* Take an event, as the probes pass it. */
static void see(void *with, const struct vhu_bpf_event *event)
{
	struct vhu_latency_run *run = with;

	if (event->what == VHU_EVENT_LEARN_READ || event->what == VHU_EVENT_LEARN_WRITE) {
		if (run->learn)
			vhu_learn_see(run->learn, event);
	} else {
		vhu_latency_events_see(&run->events, event);
	}
}

/* Say what was lost, and of what was found nothing could be made. */
static void say_rest(struct vhu_latency_run *run)
{
	uint64_t written, lost = vhu_latency_events_close(&run->events, &written);
	uint64_t dropped = vhu_probes_dropped(run->probes);
	unsigned long long all_lost = lost + dropped;

	if (run->request->write_to)
		fprintf(stderr, "vhu latency: %s: %llu events written, %llu lost\n",
			run->request->write_to, (unsigned long long)written, all_lost);
	else if (dropped)
		vhu_fail(run->command, "%llu events were lost for want of room",
			 (unsigned long long)dropped);
	if (vhu_probes_unplaced(run->probes))
		fprintf(stderr, "vhu latency: %llu pops and pushes were of no known vring\n",
			(unsigned long long)vhu_probes_unplaced(run->probes));
	if (!run->ended && run->learn && vhu_learn_silent(run->learn))
		fprintf(stderr, "vhu latency: %u shared eventfds had no traffic to tell them by\n",
			vhu_learn_silent(run->learn));
}

/* Block the signals that end the watching, to be read from a descriptor. */
static int take_signals(void)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	/* nohup(1) has it ignored; blocked it would come all the same. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A file that cannot grow is one that cannot be written. */
	signal(SIGXFSZ, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Give the command that runs on a stall back what was changed of signals. */
static void restore(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
}

/* Load the probes. Returns an exit status. */
static int load(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;
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
	    .with = run,
	};
	char error[VHU_BPF_ERROR_SIZE];
	const char *blind;

	if (vhu_probes_open(&run->probes, &choice, error))
		return vhu_fail(run->command, "%s", error);
	blind = vhu_probes_blind(run->probes);
	if (!request->json)
		fprintf(stderr, "vhu latency: hooks: %s%s%s%s\n",
			vhu_hooks_name(vhu_probes_hooks(run->probes)), *blind ? " (" : "", blind,
			*blind ? ")" : "");
	return VHU_EXIT_DONE;
}

/* Find what vrings without a session are said to be of: the socket that they came by, else the
 * name of the back-end. */
static void name_pair(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;

	if (request->socket)
		snprintf(run->pair, sizeof(run->pair), "%s", request->socket);
	else if (request->pids)
		vhu_latency_sessions_socket(request->pid[0], run->pair);
	if (!*run->pair && request->pids)
		vhu_latency_sessions_name(request->pid[0], run->pair, sizeof(run->pair));
	if (!*run->pair)
		snprintf(run->pair, sizeof(run->pair), "eventfds");
}

/* Begin to write metrics. Returns an exit status. */
static int open_metrics(struct vhu_latency_run *run)
{
	const struct vhu_latency_metrics_choice choice = {
	    .command = run->command, .path = run->request->metrics, .pair = run->pair};

	name_pair(run);
	return vhu_latency_metrics_open(&run->metrics, &choice);
}

/* Something has stalled. */
static void stalled(void *with, const char *pair, const char *verdict)
{
	struct vhu_latency_run *run = with;

	if (run->metrics)
		vhu_latency_metrics_stalled(run->metrics, pair, verdict);
}

/* Open what is needed before the probes see anything. Returns an exit status. */
static int prepare(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;
	int status = vhu_latency_find_processes(run);

	/* Before there is anything that its process would have, too. */
	if (status == VHU_EXIT_DONE && request->on_stall)
		status =
		    vhu_on_stall_open(&run->on_stall, run->command, request->on_stall, restore);
	if (status == VHU_EXIT_DONE && vhu_latency_needs_sessions(request))
		status = vhu_latency_sessions_open(&run->sessions, run->command, request);
	if (status == VHU_EXIT_DONE)
		status = vhu_latency_find_files(run);
	if (status == VHU_EXIT_DONE && request->metrics)
		status = open_metrics(run);
	if (status == VHU_EXIT_DONE)
		status = load(run);
	if (status != VHU_EXIT_DONE) {
		vhu_latency_sessions_close(&run->sessions);
		vhu_latency_metrics_close(run->metrics);
		vhu_on_stall_end(&run->on_stall);
	}
	return status;
}

/* Open what writes single events and what looks for stalls. Returns an exit status. */
static int open_sinks(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;
	const struct vhu_latency_stall_choice stall = {
	    .command = run->command,
	    .vrings = &run->vrings,
	    .events = &run->events,
	    .back_end = request->pid[0],
	    .front_end = request->pid[1],
	    .stall_ns = request->stall_ns,
	    .on_stall = &run->on_stall,
	    .capture = request->write_to ? request->write_to : "",
	    .json = request->json,
	    .stalled = stalled,
	    .with = run,
	};
	int status = VHU_EXIT_DONE;

	run->events.vrings = &run->vrings;
	run->events.slow = request->slow_ns ? (request->json ? stderr : stdout) : NULL;
	vhu_latency_events_epoch(&run->events);
	if (request->write_to)
		status = vhu_latency_events_open(&run->events, run->command, request->write_to);
	if (status != VHU_EXIT_DONE || !request->stall_ns)
		return status;
	run->stall = vhu_latency_stall_new(&stall);
	return run->stall ? status : vhu_fail(run->command, "out of memory");
}

/* Watch, and show what there was. */
static void watch_and_show(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;

	if (request->capture && !request->json)
		vhu_latency_rings_begin(run->command, request->capture);
	vhu_latency_watch(run);
	/* What is there now; what comes meanwhile has no end. */
	for (int i = 0; i < LAST_TURNS && vhu_probes_events(run->probes) == -EAGAIN; i++)
		;
	vhu_latency_show(run, true);
	say_rest(run);
}

int vhu_latency_run(const struct vhu_command *command, const struct vhu_latency_request *request)
{
	static struct vhu_latency_run run;
	int status;

	run = (struct vhu_latency_run){
	    .command = command, .request = request, .events.fd = -1, .on_stall.pipe = -1};
	run.signals = take_signals();
	status = prepare(&run);
	if (status != VHU_EXIT_DONE)
		return status;
	vhu_latency_vrings_init(&run.vrings, run.probes);
	status = open_sinks(&run);
	if (status == VHU_EXIT_DONE)
		status = vhu_latency_find_vrings(&run);
	if (status == VHU_EXIT_DONE)
		watch_and_show(&run);
	if (status == VHU_EXIT_DONE && run.events.loses)
		status = VHU_EXIT_FAILED;
	vhu_latency_sessions_close(&run.sessions);
	vhu_latency_capture_close(run.capture);
	vhu_learn_close(run.learn);
	vhu_latency_stall_free(run.stall);
	vhu_latency_metrics_close(run.metrics);
	vhu_latency_vrings_free(&run.vrings);
	vhu_probes_close(run.probes);
	vhu_on_stall_end(&run.on_stall);
	close(run.signals);
	if (ferror(stdout))
		return vhu_fail(command, "standard output: %s", strerror(errno));
	return status;
}
