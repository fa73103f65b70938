/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of vhu proxy: set-up, service, summary. */
#include "tools/proxy/run/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/core/systemd.h"
#include "proxy/eventfd/eventfd.h"
#include "tools/proxy/run/say.h"

/* RLIMIT_NOFILE as we found it. */
static struct rlimit limit_before;

/* Allow as many open files as the system lets us: each session holds some, each message many. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit_before = limit;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void vhu_proxy_run_restore(void)
{
	vhu_systemd_forget();
	setrlimit(RLIMIT_NOFILE, &limit_before);
	vhu_proxy_run_restore_signals();
}

/* Return whether a pair has ended by itself without the session that it was for. */
static bool a_pair_failed(const struct vhu_proxy_run *run)
{
	for (struct vhu_proxy_run_pair *at = run->pairs; at; at = at->next) {
		if (at->pair.done && at->pair.failed && !at->pair.retired)
			return true;
	}
	return false;
}

/* Write a number of things as people do. */
static const char *amount(char text[48], uint64_t number, const char *thing)
{
	snprintf(text, 48, "%" PRIu64 " %s%s", number, thing, number == 1 ? "" : "s");
	return text;
}

/* Say what there was. @lost: about the capture. */
static void summarize(const struct vhu_proxy_run *run, const char *lost)
{
	const struct vhu_proxy *proxy = &run->proxy;
	char sessions[48], messages[48], fds[48];

	vhu_fail(run->command, "%s, %s, %s%s", amount(sessions, proxy->sessions, "session"),
		 amount(messages, proxy->messages, "message"),
		 amount(fds, proxy->fds, "descriptor"), lost);
}

/* Serve until the end, all pairs and sinks being open.
 * @served: set where there is something to sum up. Returns the exit status. */
static int serve(struct vhu_proxy_run *run, bool *served)
{
	int status = vhu_proxy_run_start_pairs(run), error;

	if (status != VHU_EXIT_DONE)
		return status;
	error = vhu_systemd_notify("READY=1");
	if (error)
		vhu_fail(run->command, "$NOTIFY_SOCKET: cannot report that the proxy is ready: %s",
			 strerror(-error));
	vhu_proxy_run_enter_sandbox(run);
	error = vhu_loop_run(&run->proxy.loop);
	if (error)
		return vhu_fail(run->command, "cannot wait for events: %s", strerror(-error));
	if (a_pair_failed(run))
		status = VHU_EXIT_FAILED;
	*served = status == VHU_EXIT_DONE || run->proxy.messages;
	return status;
}

/* Open everything, serve, and close it in the other order. Returns the exit status. */
static int open_and_serve(struct vhu_proxy_run *run)
{
	int status = vhu_proxy_run_watch_stalls(run);
	bool served = false, whole;
	char lost[VHU_PROXY_RUN_LOST_MAX];
	int held = -1;

	if (status == VHU_EXIT_DONE)
		status = vhu_proxy_run_start_maker(run);
	/* Nobody is to connect while a reader is waited for. */
	if (status == VHU_EXIT_DONE)
		status = vhu_proxy_run_await_reader(run, &held);
	if (status == VHU_EXIT_DONE)
		status = vhu_proxy_run_open_pairs(run);
	if (status != VHU_EXIT_DONE) {
		if (held >= 0)
			close(held);
		return status;
	}
	status = vhu_proxy_run_open_sinks(run);
	if (held >= 0)
		close(held);
	if (status == VHU_EXIT_DONE)
		status = vhu_proxy_child_start(run);
	if (status == VHU_EXIT_DONE)
		status = serve(run, &served);
	vhu_systemd_notify("STOPPING=1");
	vhu_proxy_run_close_pairs(run, "the proxy was stopped");
	status = vhu_proxy_child_finish(run, status);
	whole = vhu_proxy_run_close_sinks(run, lost, sizeof(lost));
	/* The status of a command is passed on. */
	if (!whole && status == VHU_EXIT_DONE && !run->request->child)
		status = VHU_EXIT_FAILED;
	if (served && !run->request->quiet) {
		vhu_proxy_say_rest();
		summarize(run, lost);
		vhu_proxy_run_summarize_faults(run);
	}
	return status;
}

/* Make ready to stand between kicks and calls. Returns VHU_EXIT_DONE or VHU_EXIT_FAILED. */
static int interpose(struct vhu_proxy_run *run)
{
	int error = vhu_eventfd_init();

	if (error)
		return vhu_fail(run->command, "cannot interpose eventfds: %s",
				error == -EOPNOTSUPP ? "that takes Linux 5.8" : strerror(-error));
	run->proxy.notify = &run->request->notify;
	return VHU_EXIT_DONE;
}

int vhu_proxy_run(const struct vhu_command *command, struct vhu_proxy_request *request, int argc,
		  char **argv)
{
	struct vhu_proxy_run run = {
	    .command = command,
	    .request = request,
	    .argc = argc,
	    .argv = argv,
	    .proxy = {.say = vhu_proxy_say_line,
		      .with_keys = request->with_keys,
		      .started_ns = vhu_realtime_ns()},
	    .on_stall.pipe = -1,
	    .maker.socket = -1,
	};
	int status, error;

	vhu_systemd_keep();
	status = vhu_proxy_child_prepare(&run);
	if (status == VHU_EXIT_DONE)
		status = vhu_proxy_run_parse_pairs(&run);
	if (status == VHU_EXIT_DONE && request->interpose)
		status = interpose(&run);
	/* For vhu ctl kick, which says so where this kernel cannot do it. */
	if (status == VHU_EXIT_DONE && request->control)
		run.proxy.keep_eventfds = run.proxy.notify || !vhu_eventfd_init();
	if (status == VHU_EXIT_DONE)
		status = vhu_proxy_run_take_faults(&run);
	if (status == VHU_EXIT_DONE && request->check) {
		printf("%zu pair%s: nothing is wrong\n", request->pairs,
		       request->pairs == 1 ? "" : "s");
	} else if (status == VHU_EXIT_DONE) {
		raise_limit();
		vhu_fdinfo_start();
		error = vhu_loop_start(&run.proxy.loop);
		if (!error)
			error = vhu_proxy_run_catch_signals(&run);
		if (error)
			status = vhu_fail(command, "cannot wait for events: %s", strerror(-error));
		else
			status = open_and_serve(&run);
		vhu_proxy_run_release_signals(&run);
		vhu_loop_end(&run.proxy.loop);
		vhu_fdinfo_end();
	}
	vhu_on_stall_end(&run.on_stall);
	vhu_socket_maker_end(&run.maker);
	vhu_proxy_child_free(&run);
	vhu_proxy_run_drop_faults(&run);
	vhu_proxy_run_forget_reloads(&run);
	vhu_proxy_run_free_pairs(&run);
	return status;
}
