/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu top does from its beginning to its end: it asks all sources, takes their answers as they
 * come, shows them, and waits for the next time and for keys meanwhile.
 */
#include "tools/top/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/top/screen/screen.h"
#include "tools/top/sources/control.h"
#include "tools/top/sources/probe.h"
#include "tools/top/sources/process.h"
#include "tools/top/table/json.h"

/* Sources that have not answered after this time are shown without their answer. Scripts wait until
 * a source has answered, or counts as gone. */
#define ANSWER_NS (VHU_NS_PER_S / 4)

struct vhu_top_loop {
	const struct vhu_top_request *request;
	struct vhu_top top;
	struct vhu_top_controls controls;
	struct vhu_top_probes probes;
	struct vhu_top_processes processes;
	struct vhu_top_ui ui;
	struct pollfd *watched;
	uint64_t asked_ns, shown_ns; /* when the sources were asked, and shown, last */
	bool due;                    /* what was asked is to be shown yet */
	uint64_t looks, rounds;      /* looks that were taken; those that were written as JSON */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* Block the signals that end it but while it waits. @waiting: gets the mask for that. */
static void take_signals(sigset_t *waiting)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const int number[] = {SIGINT, SIGTERM, SIGHUP};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(number); i++) {
		sigaction(number[i], &action, NULL);
		sigaddset(&blocked, number[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
}

/* Ask all sources. */
static void ask(struct vhu_top_loop *run, uint64_t now)
{
	vhu_top_controls_ask(&run->controls);
	vhu_top_probes_tick(&run->probes, now);
	vhu_top_detail_tick(&run->ui.detail, now);
	/* What is known now says what else is to be asked. */
	vhu_top_probes_settle(&run->probes, now);
	run->asked_ns = now;
	run->due = true;
}

/* Take what is known now into the view. */
static void look(struct vhu_top_loop *run, uint64_t now)
{
	vhu_top_probes_settle(&run->probes, now);
	vhu_top_processes_look(&run->processes, &run->top, now);
	for (unsigned i = 0; i < run->top.sources; i++) {
		const struct vhu_top_source *source = run->top.source[i];

		for (unsigned at = 0; at < source->sessions; at++)
			vhu_top_session_judge(&run->top, source->session[at]);
	}
	vhu_top_view_take(&run->ui.view, &run->top, now);
	run->due = false;
	run->shown_ns = now;
}

/* Write what is known as JSON, from the second look on: the first has no rates yet. Probes have
 * their time before, so that the first lines are worth as much as those that follow. */
static void put_json(struct vhu_top_loop *run, uint64_t now)
{
	if (!run->looks++ || (!run->rounds && !vhu_top_probes_are_ready(&run->probes, now)))
		return;
	run->rounds++;
	vhu_top_json(stdout, &run->ui.view);
	fflush(stdout);
}

/* Show what has come, if all has, or if it is time. */
static void show(struct vhu_top_loop *run, uint64_t now)
{
	const uint64_t patience = run->ui.delay_ns < ANSWER_NS ? run->ui.delay_ns : ANSWER_NS;

	if (!run->due || (!vhu_top_controls_are_answered(&run->controls) &&
			  (run->request->json || now - run->asked_ns < patience)))
		return;
	if (run->ui.paused)
		run->due = false;
	else
		look(run, now);
	if (run->request->json)
		put_json(run, now);
}

/* Return how long to wait at the most, in ms. */
static struct timespec patience(const struct vhu_top_loop *run, uint64_t now)
{
	uint64_t until = run->asked_ns + run->ui.delay_ns;

	if (run->due && run->asked_ns + ANSWER_NS < until)
		until = run->asked_ns + ANSWER_NS;
	until = until > now ? until - now : 0;
	return (struct timespec){.tv_sec = (time_t)(until / VHU_NS_PER_S),
				 .tv_nsec = (long)(until % VHU_NS_PER_S)};
}

/* List the descriptors to wait for: keys, the session that is looked into, the sources. Returns how
 * many there are; 0 out of memory. */
static unsigned watch(struct vhu_top_loop *run)
{
	const unsigned children = vhu_top_probes_children(&run->probes);
	const unsigned all =
	    1 + VHU_TOP_DETAIL_FDS + run->controls.count + VHU_TOP_CHILD_FDS * children;
	struct pollfd *watched = realloc(run->watched, all * sizeof(*watched));
	int fd[VHU_TOP_DETAIL_FDS];
	unsigned at = 0;

	if (!watched)
		return 0;
	run->watched = watched;
	watched[at++] =
	    (struct pollfd){.fd = run->request->json ? -1 : STDIN_FILENO, .events = POLLIN};
	vhu_top_detail_fds(&run->ui.detail, fd);
	for (unsigned i = 0; i < VHU_TOP_DETAIL_FDS; i++)
		watched[at++] = (struct pollfd){.fd = fd[i], .events = POLLIN};
	for (unsigned i = 0; i < run->controls.count; i++)
		watched[at++] = (struct pollfd){
		    .fd = vhu_top_talk_fd(&run->controls.control[i]->talk), .events = POLLIN};
	for (unsigned i = 0; i < children; i++) {
		vhu_top_probes_fds(&run->probes, i, fd);
		for (unsigned of = 0; of < VHU_TOP_CHILD_FDS; of++)
			watched[at++] = (struct pollfd){.fd = fd[of], .events = POLLIN};
	}
	return all;
}

/* Take what has come. */
static void take(struct vhu_top_loop *run)
{
	const struct pollfd *detail = run->watched + 1, *control = detail + VHU_TOP_DETAIL_FDS;
	const struct pollfd *child = control + run->controls.count;
	const unsigned children = vhu_top_probes_children(&run->probes);
	bool of_detail = false;

	for (unsigned i = 0; i < VHU_TOP_DETAIL_FDS; i++)
		of_detail |= detail[i].revents != 0;
	for (unsigned i = 0; i < run->controls.count; i++)
		if (control[i].revents)
			vhu_top_controls_read(&run->controls, i);
	for (unsigned i = 0; i < children; i++, child += VHU_TOP_CHILD_FDS)
		if (child[0].revents || child[1].revents)
			vhu_top_probes_read(&run->probes, i);
	if (of_detail)
		vhu_top_detail_read(&run->ui.detail, vhu_now_ns());
}

/* Take the keys that were pressed. */
static void take_keys(struct vhu_top_loop *run)
{
	int key;

	while (!run->request->json && (key = vhu_top_screen_key()) >= 0)
		vhu_top_ui_key(&run->ui, key);
	/* The terminal is gone. */
	if (run->watched[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		run->ui.quit = true;
}

/* Return whether something that was asked for is not there. */
static bool is_in_vain(const struct vhu_top_loop *run)
{
	return vhu_top_missing(&run->top) || (run->probes.all && *run->probes.error);
}

/* Say what is not there. Returns the exit status. */
static int fail(const struct vhu_top_loop *run)
{
	const struct vhu_top_source *source = vhu_top_missing(&run->top);

	if (source && !source->probed &&
	    (!strcmp(source->error, strerror(ENOENT)) ||
	     !strcmp(source->error, strerror(ECONNREFUSED))))
		return vhu_fail(run->request->command,
				"%s: %s: start a vhu proxy with --control, or watch without a "
				"proxy (-p, --socket, --all)",
				source->name, source->error);
	if (source)
		return vhu_fail(run->request->command, "%s: %s", source->name, source->error);
	return vhu_fail(run->request->command, "sessions cannot be listed: %s", run->probes.error);
}

/* Return whether it goes on. */
static bool goes_on(const struct vhu_top_loop *run)
{
	const uint64_t count = run->request->count;

	if (stopped || run->ui.quit || is_in_vain(run))
		return false;
	return !run->request->json || ((!count || run->rounds < count) && !ferror(stdout));
}

/* Look and show until there is an end. Returns the exit status. */
static int loop(struct vhu_top_loop *run, const sigset_t *waiting)
{
	while (goes_on(run)) {
		uint64_t now = vhu_now_ns();
		const struct timespec time = patience(run, now);
		unsigned count;

		if (!run->request->json)
			vhu_top_screen_draw(&run->ui);
		count = watch(run);
		if (!count)
			return vhu_fail(run->request->command, "out of memory");
		if (ppoll(run->watched, count, &time, waiting) < 0 && errno != EINTR)
			return vhu_fail(run->request->command, "%s", strerror(errno));
		take(run);
		take_keys(run);
		now = vhu_now_ns();
		show(run, now);
		if (now - run->asked_ns >= run->ui.delay_ns)
			ask(run, now);
	}
	return VHU_EXIT_DONE;
}

/* Have the sources that were asked for. Returns 0 or -ENOMEM. */
static int add_sources(struct vhu_top_loop *run)
{
	const struct vhu_top_request *request = run->request;
	int ret = 0;

	run->controls.top = &run->top;
	for (unsigned i = 0; i < request->controls && !ret; i++)
		ret = vhu_top_controls_add(&run->controls, request->control[i]);
	if (run->controls.folders) {
		run->top.among = run->controls.folder[0];
		run->top.none = "no control socket is there yet (vhu.sock, *.ctl, or a name with "
				"\"control\"): waiting for one";
	} else if (request->all) {
		run->top.among = "--all";
		run->top.none = "no session is open on this host: waiting for one";
	}
	run->probes.top = &run->top;
	run->probes.delay_ns = request->delay_ns;
	run->probes.all = request->all;
	for (unsigned i = 0; i < request->pids && !ret; i++)
		ret = vhu_top_probes_add(&run->probes, request->pid[i], NULL, true);
	for (unsigned i = 0; i < request->sockets && !ret; i++)
		ret = vhu_top_probes_add(&run->probes, 0, request->socket[i], true);
	return ret;
}

int vhu_top_run(const struct vhu_top_request *request)
{
	struct vhu_top_loop run = {
	    .request = request,
	    .top = {.stall_ns = request->stall_ns},
	    .ui = {.delay_ns = request->delay_ns, .view = {.sort = request->sort}},
	};
	int status = VHU_EXIT_DONE;
	sigset_t waiting;

	snprintf(run.ui.view.filter, sizeof(run.ui.view.filter), "%s", request->filter);
	take_signals(&waiting);
	if (add_sources(&run)) {
		status = vhu_fail(request->command, "out of memory");
	} else {
		ask(&run, vhu_now_ns());
		if (is_in_vain(&run))
			status = fail(&run);
	}
	if (status == VHU_EXIT_DONE && !request->json && vhu_top_screen_open())
		status = vhu_fail(request->command,
				  "this terminal cannot place the cursor (TERM=%s): use --json",
				  getenv("TERM") ? getenv("TERM") : "");
	if (status == VHU_EXIT_DONE)
		status = loop(&run, &waiting);
	vhu_top_screen_close();
	if (status == VHU_EXIT_DONE && !stopped && is_in_vain(&run))
		status = fail(&run);
	vhu_top_ui_free(&run.ui);
	vhu_top_processes_free(&run.processes);
	vhu_top_controls_free(&run.controls);
	vhu_top_probes_free(&run.probes);
	vhu_top_free(&run.top);
	free(run.watched);
	if (ferror(stdout))
		return vhu_fail(request->command, "standard output: %s", strerror(errno));
	return status;
}
