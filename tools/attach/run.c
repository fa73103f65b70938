/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of vhu attach: set-up, watching, summary. */
#include "tools/attach/run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/vring/events.h"
#include "lib/util/util.h"
#include "tools/attach/past/past.h"

/* Events are put in order among processors for so long, if the kernel cannot tell when all are
 * there. A program may be put off between taking the time and handing over its event, on a busy
 * machine for tens of milliseconds. */
#define SETTLE_NS (50 * VHU_NS_PER_MS)
/* Events are gathered for so long: many come at once. */
#define GATHER_MS 5
/* How often sockets are looked at: whether they are open, and whether there are others. */
#define STATE_NS  (20 * VHU_NS_PER_MS)
#define FIND_NS   VHU_NS_PER_S
/* When all processes that were asked for have ended, their sockets are closed by this long after:
 * others may still have some of them open. */
#define LEFT_NS   (2 * VHU_NS_PER_S)

/* Queue an event. */
static void see(void *with, const struct vhu_attach_event *event, const uint8_t *bytes)
{
	struct vhu_attach_run *run = with;

	vhu_attach_queue_add(&run->queue, event, bytes);
}

/* Let the sessions have an event. */
static void take(void *with, const struct vhu_attach_event *event, const uint8_t *bytes)
{
	struct vhu_attach_run *run = with;

	if (event->what == VHU_ATTACH_KICK)
		vhu_attach_kicks_take(&run->kicks, bytes);
	else
		vhu_attach_sessions_take(run->sessions, event, bytes);
}

/* Take a record. */
static void record(void *with, const struct vhu_record *made)
{
	struct vhu_attach_run *run = with;

	vhu_attach_sinks_take(&run->sinks, made);
	vhu_attach_kicks_learn(&run->kicks, made);
}

/* Take a record of a kick, a wake or a call. */
static void record_kick(void *with, const struct vhu_record *made)
{
	struct vhu_attach_run *run = with;

	run->kicked++;
	vhu_attach_sinks_take(&run->sinks, made);
}

/* Find out who is at the ends of a connection. */
static void identify(void *with, uint64_t id, uint64_t name, struct vhu_attach_end end[2])
{
	struct vhu_attach_run *run = with;
	struct vhu_attach_listing listing;

	/* The session may have ended already. */
	for (unsigned i = 0; i < 2; i++)
		if (!end[i].known)
			end[i].known = vhu_attach_queue_who(&run->queue, id | i, &end[i].who);
	if (vhu_attach_listing_read(run->attach, &listing))
		return;
	vhu_attach_fill_in(&listing, id, name, end);
	for (unsigned i = 0; i < 2; i++)
		if (end[i].known)
			vhu_attach_user(run->attach, end[i].who.pid);
	vhu_attach_listing_free(&listing);
}

/* List how the watched sockets stand. */
static int look(void *with, struct vhu_attach_state **state)
{
	const struct vhu_attach_run *run = with;

	return vhu_attach_states(run->attach, state);
}

/* Watch a socket no more. */
static void forget(void *with, uint64_t id, uint64_t address, bool ignore)
{
	struct vhu_attach_run *run = with;

	vhu_attach_unwatch(run->attach, id, address, ignore);
}

static const struct vhu_attach_sessions_owner owner = {
    .record = record, .identify = identify, .look = look, .forget = forget};

/* Queue the available events. Returns the time until when they are complete. */
static uint64_t queue_events(struct vhu_attach_run *run)
{
	uint64_t now_ns = vhu_now_ns(), until = now_ns - SETTLE_NS;

	vhu_attach_events(run->attach);
	vhu_attach_kicks_queue(&run->kicks);
	if (!run->queue.count && !run->state)
		return until;
	if (vhu_attach_wait(run->attach))
		until = now_ns;
	vhu_attach_events(run->attach);
	vhu_attach_kicks_queue(&run->kicks);
	return until;
}

/* Take the events that there are, and the states if all before them were taken. */
static void take_events(struct vhu_attach_run *run)
{
	uint64_t until = queue_events(run);

	vhu_attach_queue_take(&run->queue, until, take, run);
	if (!run->state || run->states_ns > until)
		return;
	vhu_attach_sessions_settle(run->sessions, run->state, run->states, run->states_from_ns,
				   run->states_ns);
	free(run->state);
	run->state = NULL;
}

/* Look how the watched sockets stand. */
static void look_at_states(struct vhu_attach_run *run)
{
	int count;

	if (run->state || !vhu_attach_sessions_open(run->sessions))
		return;
	run->states_from_ns = vhu_now_ns();
	count = vhu_attach_states(run->attach, &run->state);
	if (count < 0)
		return;
	run->states = (unsigned)count;
	run->states_ns = vhu_now_ns();
	if (vhu_attach_sessions_differ(run->sessions, run->state, run->states))
		return;
	free(run->state);
	run->state = NULL;
}

/* Read the signals that came. Returns whether one asks for the end. */
static bool take_signals(struct vhu_attach_run *run)
{
	struct signalfd_siginfo info;
	bool end = false;

	while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGUSR2)
			vhu_attach_sinks_write_out(&run->sinks);
		else
			end = true;
	}
	return end;
}

/* Return whether all processes that were asked for have ended, and so have their sessions. */
static bool are_gone(struct vhu_attach_run *run, uint64_t now_ns)
{
	if (!vhu_attach_targets_ended(run))
		return false;
	if (!run->gone_ns)
		run->gone_ns = now_ns;
	return !vhu_attach_sessions_open(run->sessions) || now_ns - run->gone_ns >= LEFT_NS;
}

/* Watch until the end. */
static void watch(struct vhu_attach_run *run)
{
	const uint64_t start = vhu_now_ns(), duration = run->request->duration_ns;
	uint64_t found = start, now = start;
	struct pollfd watched[] = {
	    {.fd = run->signals, .events = POLLIN},
	    {.fd = vhu_attach_fd(run->attach), .events = POLLIN},
	};

	while (!duration || now - start < duration) {
		int wait = run->queue.count ? GATHER_MS : (int)(STATE_NS / VHU_NS_PER_MS);

		/* The kernel wakes us when it has many events; a few wait until then. */
		if (poll(watched, 2, wait) < 0 && errno != EINTR)
			break;
		if (take_signals(run) || vhu_attach_sinks_are_left(&run->sinks))
			break;
		now = vhu_now_ns();
		take_events(run);
		look_at_states(run);
		vhu_attach_sinks_tick(&run->sinks, now);
		vhu_attach_kicks_tick(&run->kicks, now);
		if (run->stall && now >= vhu_latency_stall_next(run->stall))
			vhu_latency_stall_look(run->stall, &run->kicks.told);
		if (now - found >= FIND_NS || vhu_attach_targets_changed(run)) {
			vhu_attach_targets_find(run);
			found = now;
		}
		if (are_gone(run, now))
			break;
	}
}

/* Take what there is at the end. */
static void take_rest(struct vhu_attach_run *run)
{
	free(run->state);
	run->state = NULL;
	/* What comes from now on is not of this run. */
	look_at_states(run);
	queue_events(run);
	vhu_attach_queue_take(&run->queue, UINT64_MAX, take, run);
	if (run->state)
		vhu_attach_sessions_settle(run->sessions, run->state, run->states,
					   run->states_from_ns, run->states_ns);
	vhu_attach_sessions_end(run->sessions, vhu_now_ns());
	free(run->state);
	run->state = NULL;
}

/* Print the watched sockets and processes, and the hooks in use. */
static void say_start(const struct vhu_attach_run *run)
{
	const struct vhu_attach_request *request = run->request;
	char what[512], kicks[256] = "";
	size_t length = 0;

	for (unsigned i = 0; i < request->sockets && length < sizeof(what); i++)
		length +=
		    (size_t)snprintf(what + length, sizeof(what) - length, "%s%s%s", i ? ", " : "",
				     request->socket[i],
				     run->place[i].name ? "" : " (no process listens there yet)");
	for (unsigned i = 0; i < request->pids && length < sizeof(what); i++)
		length += (size_t)snprintf(what + length, sizeof(what) - length, "%spid %u",
					   length ? ", " : "", request->pid[i]);
	if (request->all)
		snprintf(what, sizeof(what), "every session of this host");
	if (request->latency)
		vhu_attach_kicks_hooks(&run->kicks, kicks, sizeof(kicks));
	fprintf(stderr, "vhu attach: watching %s; open already: %u; hooks: %s%s%s\n", what,
		run->found, vhu_attach_hooks(run->attach), *kicks ? "; of kicks: " : "", kicks);
}

/* Write a number of things as people do. */
static const char *amount(char text[48], uint64_t number, const char *thing)
{
	snprintf(text, 48, "%" PRIu64 " %s%s", number, thing, number == 1 ? "" : "s");
	return text;
}

/* Say what there was. @where: about the capture. */
static void say_end(const struct vhu_attach_run *run, const char *where)
{
	const struct vhu_attach_counts counts = vhu_attach_sessions_counts(run->sessions);
	uint64_t lost = vhu_attach_lost(run->attach) + run->queue.lost +
			(run->kicks.probes ? vhu_probes_dropped(run->kicks.probes) : 0);
	uint64_t refused = vhu_attach_refused(run->attach);
	char sessions[48], messages[48], fds[48], events[48], gaps[64] = "", many[64] = "";
	char kicked[64] = "";

	if (counts.losses)
		snprintf(gaps, sizeof(gaps), " (what was sent is missing in %" PRIu64 " place%s)",
			 counts.losses, counts.losses == 1 ? "" : "s");
	if (refused)
		snprintf(many, sizeof(many), ", %" PRIu64 " sockets not watched: too many",
			 refused);
	if (run->request->latency)
		snprintf(kicked, sizeof(kicked), ", %" PRIu64 " kicks, wakes and calls",
			 run->kicked);
	fprintf(stderr, "vhu attach: %s, %s, %s%s, %s lost%s%s%s\n",
		amount(sessions, counts.sessions, "session"),
		amount(messages, counts.messages, "message"), amount(fds, counts.fds, "descriptor"),
		kicked, amount(events, lost, "event"), gaps, many, where);
}

/* Block the signals that are read from a descriptor. Returns that. */
static int block_signals(void)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	/* nohup(1) has it ignored; blocked it would come all the same. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
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

/* Take a record of a stall. */
static void record_stall(void *with, const struct vhu_record *made)
{
	struct vhu_attach_run *run = with;

	vhu_attach_sinks_take(&run->sinks, made);
}

/* Begin to look for stalls. Returns an exit status. */
static int open_stall(struct vhu_attach_run *run)
{
	const struct vhu_attach_request *request = run->request;
	const struct vhu_latency_stall_choice choice = {
	    .command = run->command,
	    .vrings = &run->kicks.vrings,
	    .events = &run->stall_records,
	    .stall_ns = request->stall_ns,
	    .on_stall = &run->on_stall,
	    .capture = request->file ? request->file : "",
	};

	run->stall_records =
	    (struct vhu_latency_events){.give = record_stall, .with = run, .fd = -1};
	run->stall = vhu_latency_stall_new(&choice);
	return run->stall ? VHU_EXIT_DONE : vhu_fail(run->command, "out of memory");
}

/* Look whether the paths that are asked for can be sockets: they may be made later. Returns an exit
 * status. */
static int check_paths(const struct vhu_attach_run *run)
{
	struct stat st;

	for (unsigned i = 0; i < run->request->sockets; i++)
		if (*run->request->socket[i] != '@' && !stat(run->request->socket[i], &st) &&
		    !S_ISSOCK(st.st_mode))
			return vhu_fail(run->command, "%s: not a socket", run->request->socket[i]);
	return VHU_EXIT_DONE;
}

/* Find what is asked for, watch it, and sum up. Returns an exit status. */
static int find_and_watch(struct vhu_attach_run *run)
{
	int found = vhu_attach_targets_find(run), status = VHU_EXIT_DONE;

	if (found < 0)
		return vhu_fail(run->command, "sockets cannot be listed: %s", strerror(-found));
	run->found = (unsigned)found;
	if (!run->request->quiet)
		say_start(run);
	run->started = true;
	if (run->request->qmp)
		status = vhu_attach_ask_qemu(run);
	else if (run->found)
		vhu_attach_ask_kvm(run);
	if (run->request->refresh && status == VHU_EXIT_DONE)
		status = vhu_attach_refresh(run);
	if (status == VHU_EXIT_DONE)
		watch(run);
	take_rest(run);
	return status;
}

int vhu_attach_run(const struct vhu_command *command, const struct vhu_attach_request *request,
		   int argc, char **argv)
{
	static struct vhu_attach_run run;
	const struct vhu_attach_choice choice = {
	    .hooks = request->hooks,
	    .config.any = request->all,
	    .see = see,
	    .with = &run,
	};
	char error[VHU_BPF_ERROR_SIZE], where[VHU_ATTACH_WHERE_MAX] = "";
	int status;

	run = (struct vhu_attach_run){.command = command, .request = request};
	run.on_stall.pipe = -1;
	run.signals = block_signals();
	status = check_paths(&run);
	if (status == VHU_EXIT_DONE)
		status = vhu_attach_processes_open(&run.processes, command, request);
	/* Before there is anything that its process would have, too. */
	if (status == VHU_EXIT_DONE && request->on_stall)
		status = vhu_on_stall_open(&run.on_stall, command, request->on_stall, restore);
	if (status == VHU_EXIT_DONE && vhu_attach_open(&run.attach, &choice, error))
		status = vhu_fail(command, "%s", error);
	if (status != VHU_EXIT_DONE) {
		vhu_on_stall_end(&run.on_stall);
		vhu_attach_processes_close(&run.processes);
		return status;
	}
	run.sessions = vhu_attach_sessions_new(&owner, &run, vhu_attach_sees_sending(run.attach),
					       request->with_keys);
	if (!run.sessions)
		status = vhu_fail(command, "out of memory");
	if (status == VHU_EXIT_DONE && request->latency)
		status = vhu_attach_kicks_open(&run.kicks, command, &run.queue, record_kick, &run,
					       vhu_attach_sessions_epoch(run.sessions),
					       request->stall_ns != 0);
	if (status == VHU_EXIT_DONE)
		status =
		    vhu_attach_sinks_open(&run.sinks, command, request, run.signals, argc, argv);
	if (status == VHU_EXIT_DONE && request->stall_ns)
		status = open_stall(&run);
	if (status == VHU_EXIT_DONE) {
		status = find_and_watch(&run);
		if (!vhu_attach_sinks_close(&run.sinks, vhu_attach_sessions_running(run.sessions),
					    where) &&
		    status == VHU_EXIT_DONE)
			status = VHU_EXIT_FAILED;
		if (!request->quiet)
			say_end(&run, where);
	}
	vhu_latency_stall_free(run.stall);
	vhu_on_stall_end(&run.on_stall);
	vhu_attach_kicks_close(&run.kicks);
	vhu_attach_sessions_free(run.sessions);
	vhu_attach_queue_free(&run.queue);
	vhu_attach_close(run.attach);
	vhu_attach_processes_close(&run.processes);
	close(run.signals);
	return status;
}
