/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of vhu proxy: set-up, service, summary. */
#include "tools/proxy_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/commands.h"

/* Allow as many open files as the system lets us: each session holds some, each message many. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Say a line on standard error. */
static void say(const char *line)
{
	vhu_fail(&vhu_command_proxy, "%s", line);
}

/* Understand the endpoints of one pair. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong
 * said. */
static int parse_pair(struct vhu_proxy_run *run, struct vhu_pair *pair, const char *const text[2])
{
	static const enum vhu_endpoint_kind bare[2] = {VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_CONNECT};
	char error[VHU_ENDPOINT_ERROR];

	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (vhu_endpoint_parse(&pair->end[side], text[side], bare[side], error))
			return vhu_usage(run->command, "%s", error);
	}
	if (!strcmp(pair->end[VHU_FRONT].path, pair->end[VHU_BACK].path))
		return vhu_usage(run->command, "%s: FRONT and BACK are the same",
				 pair->end[VHU_FRONT].path);
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (pair->end[side].fd == STDOUT_FILENO || pair->end[side].fd == STDERR_FILENO)
			return vhu_usage(run->command,
					 "%s: a standard stream: pass another descriptor",
					 pair->end[side].path);
	}
	return VHU_EXIT_DONE;
}

/* Make and understand all pairs. Returns as parse_pair does; VHU_EXIT_FAILED without memory. */
static int parse_pairs(struct vhu_proxy_run *run)
{
	int status = VHU_EXIT_DONE;

	run->pair = calloc(run->request->pairs, sizeof(*run->pair));
	if (!run->pair)
		return vhu_fail(run->command, "out of memory");
	for (size_t i = 0; i < run->request->pairs && status == VHU_EXIT_DONE; i++)
		status = parse_pair(run, &run->pair[i], run->request->pair[i].end);
	return status;
}

/* End the sessions of the first @count pairs for @reason, and close those. */
static void close_pairs(struct vhu_proxy_run *run, size_t count, const char *reason)
{
	for (size_t i = 0; i < count; i++)
		vhu_pair_close(&run->pair[i], reason);
}

/* Open all pairs. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said, and none is open. */
static int open_pairs(struct vhu_proxy_run *run)
{
	char error[VHU_ENDPOINT_ERROR];

	for (size_t i = 0; i < run->request->pairs; i++) {
		if (!vhu_pair_open(&run->pair[i], &run->proxy, error))
			continue;
		close_pairs(run, i, "");
		return vhu_fail(run->command, "%s", error);
	}
	return VHU_EXIT_DONE;
}

/* Let all pairs begin to serve. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said. */
static int start_pairs(struct vhu_proxy_run *run)
{
	char error[VHU_ENDPOINT_ERROR];

	for (size_t i = 0; i < run->request->pairs; i++) {
		if (vhu_pair_start(&run->pair[i], error))
			return vhu_fail(run->command, "%s", error);
	}
	return VHU_EXIT_DONE;
}

/* Return whether a pair's one session could not begin. */
static bool a_pair_failed(const struct vhu_proxy_run *run)
{
	for (size_t i = 0; i < run->request->pairs; i++) {
		if (run->pair[i].once && run->pair[i].failed)
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
 * @served: set where that went well enough for a summary. Returns the exit status. */
static int serve(struct vhu_proxy_run *run, bool *served)
{
	int status = start_pairs(run), error;

	if (status != VHU_EXIT_DONE)
		return status;
	error = vhu_loop_run(&run->proxy.loop);
	if (error)
		return vhu_fail(run->command, "cannot wait for events: %s", strerror(-error));
	*served = true;
	return a_pair_failed(run) ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}

/* Open everything, serve, and close it in the other order. Returns the exit status. */
static int open_and_serve(struct vhu_proxy_run *run)
{
	int status = open_pairs(run);
	bool served = false;
	char lost[300];

	if (status != VHU_EXIT_DONE)
		return status;
	status = vhu_proxy_run_open_sinks(run);
	if (status == VHU_EXIT_DONE)
		status = serve(run, &served);
	close_pairs(run, run->request->pairs, "the proxy was stopped");
	vhu_proxy_run_close_sinks(run, lost, sizeof(lost));
	if (served && !run->request->quiet)
		summarize(run, lost);
	return status;
}

int vhu_proxy_run(const struct vhu_command *command, const struct vhu_proxy_request *request,
		  int argc, char **argv)
{
	struct vhu_proxy_run run = {
	    .command = command,
	    .request = request,
	    .argc = argc,
	    .argv = argv,
	    .proxy = {.say = say, .with_keys = request->with_keys},
	};
	int status = parse_pairs(&run), error;

	if (status == VHU_EXIT_DONE) {
		raise_limit();
		error = vhu_loop_start(&run.proxy.loop);
		if (!error)
			error = vhu_proxy_run_catch_signals(&run);
		if (error)
			status = vhu_fail(command, "cannot wait for events: %s", strerror(-error));
		else
			status = open_and_serve(&run);
		vhu_proxy_run_release_signals(&run);
		vhu_loop_end(&run.proxy.loop);
	}
	free(run.pair);
	return status;
}
