/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sinks of vhu proxy, which get what passes: a capture, standard error. */
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/recording/prologue.h"
#include "lib/util/util.h"
#include "proxy/control/status.h"
#include "tools/proxy/run/run.h"
#include "tools/proxy/run/say.h"

/* Say a record as a line on standard error. */
static void say_record(void *context, const struct vhu_record *record)
{
	struct vhu_proxy_run *run = context;
	struct vhu_annotation note;

	vhu_session_feed(run->sessions, record, ++run->records, &note);
	if (vhu_proxy_may_say())
		vhu_dump_text(&run->dump, record, run->records, &note);
	else
		vhu_proxy_say_missed();
}

/* Nobody reads the capture any more: stop the loop. */
static void reader_left(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_proxy_run *run = vhu_container_of(watch, struct vhu_proxy_run, reader);

	(void)events;
	vhu_loop_unwatch(&run->proxy.loop, watch);
	run->proxy.loop.stop = true;
}

/* Wait for the reader of the capture to leave. Returns as vhu_proxy_run_open_sinks does. */
static int watch_reader(struct vhu_proxy_run *run)
{
	int error;

	if (!run->capture.pipe)
		return vhu_fail(run->command, "--end-with-reader: -w writes to no pipe");
	run->reader.ready = reader_left;
	run->reader.fd = run->capture.fd;
	/* A pipe without a reader has an error. */
	error = vhu_loop_watch(&run->proxy.loop, &run->reader, 0);
	return error ? vhu_fail(run->command, "%s: cannot wait for it: %s", run->request->file,
				strerror(-error))
		     : VHU_EXIT_DONE;
}

/* Begin the capture. Returns as vhu_proxy_run_open_sinks does. */
static int open_capture(struct vhu_proxy_run *run)
{
	const struct vhu_proxy_request *request = run->request;
	const struct vhu_capture_file_options options = {
	    .path = request->file,
	    .snaplen = request->snaplen,
	    .comment = run->comment,
	    .limits = request->files.ends ? &request->files.limits : NULL,
	    .reader_may_leave = request->end_with_reader,
	    .prologue = run->proxy.prologue,
	    .say = run->proxy.say,
	    .ends = run->signals.fd,
	    .goes_on = "forwarding",
	};
	size_t length = (size_t)snprintf(run->comment, sizeof(run->comment), "vhu");
	int error;

	for (int i = 0; i < run->argc && length < sizeof(run->comment); i++)
		length += (size_t)snprintf(run->comment + length, sizeof(run->comment) - length,
					   " %s", run->argv[i]);
	if (request->files.flight_bytes)
		error = vhu_proxy_flight_open(run);
	else
		error = vhu_capture_file_open(&run->capture, &options);
	if (error)
		return vhu_fail(run->command, "%s: cannot write a capture: %s", request->file,
				strerror(-error));
	if (!request->files.flight_bytes)
		vhu_sinks_add(&run->proxy.sinks, vhu_capture_file_take, &run->capture);
	return VHU_EXIT_DONE;
}

/* Begin to say each message. Returns as vhu_proxy_run_open_sinks does. */
static int open_messages(struct vhu_proxy_run *run)
{
	run->sessions = vhu_sessions_new(false);
	if (!run->sessions)
		return vhu_fail(run->command, "out of memory");
	/* One write a line. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	run->dump.to = stderr;
	vhu_sinks_add(&run->proxy.sinks, say_record, run);
	return VHU_EXIT_DONE;
}

/* Let a record pass into the past. */
static void keep_record(void *context, const struct vhu_record *record)
{
	vhu_prologue_take(context, record);
}

/* A rule is broken: count that for the pair of its session. Sessions have new numbers, and the
 * counts of a pair last longer than its sessions. */
static void count_finding(void *context, const struct vhu_finding *finding)
{
	struct vhu_proxy_run *run = context;
	const struct vhu_proxy_session *session;

	if (run->found.session != finding->session) {
		session = vhu_status_find(&run->proxy, finding->session);
		run->found.session = finding->session;
		run->found.metrics = session ? session->common.metrics : NULL;
	}
	vhu_metrics_found(run->found.metrics, (enum vhu_rule_at)(finding->rule - vhu_rules));
}

#ifdef VHU_HAVE_CONTROL
/* Write out what there is, for vhu ctl. */
static int write_out(void *context, char *line, size_t size)
{
	char said[VHU_PROXY_WRITTEN_MAX];
	int error = vhu_proxy_run_write_out(context, "asked for by vhu ctl", said);

	snprintf(line, size, "%s", said);
	return error;
}

/* Tell what is recorded, for vhu ctl metrics. */
static void count(void *context, struct vhu_exposition_capture *counts)
{
	const struct vhu_proxy_run *run = context;
	const struct vhu_capture_file *capture = &run->capture;
	struct vhu_pcapng_counts now = capture->counts;

	memset(counts, 0, sizeof(*counts));
	counts->dumps = run->flight.dumps;
	counts->files = counts->dumps;
	if (!capture->writer)
		return;
	now = vhu_pcapng_writer_counts(capture->writer);
	counts->records = capture->counts.records + now.records;
	counts->lost = capture->counts.lost + now.lost;
	counts->bytes = capture->bytes + vhu_pcapng_writer_size(capture->writer);
	counts->files = capture->ended + 1;
}
#endif

/* Make the control socket. Returns as vhu_proxy_run_open_sinks does. */
static int open_control(struct vhu_proxy_run *run)
{
#ifdef VHU_HAVE_CONTROL
	char error[VHU_ENDPOINT_ERROR];

	const struct vhu_control_owner owner = {
	    .context = run, .write_out = write_out, .count = count};

	if (vhu_control_open(&run->control, &run->proxy, &owner, run->request->control, error))
		return vhu_fail(run->command, "%s", error);
	vhu_sinks_add(&run->proxy.sinks, vhu_control_take, run->control);
#endif
	(void)run;
	return VHU_EXIT_DONE;
}

int vhu_proxy_run_await_reader(struct vhu_proxy_run *run, int *held)
{
	const char *path = run->request->file;
	int error = 0;

	*held = -1;
	if (path && strcmp(path, "-") != 0)
		error = vhu_capture_file_await_reader(path, run->proxy.say, run->signals.fd, held);
	return error ? vhu_fail(run->command, "%s: cannot write a capture: %s", path,
				strerror(-error))
		     : VHU_EXIT_DONE;
}

int vhu_proxy_run_open_sinks(struct vhu_proxy_run *run)
{
	int status = VHU_EXIT_DONE;

	run->proxy.prologue = vhu_prologue_new();
	if (!run->proxy.prologue)
		status = vhu_fail(run->command, "out of memory");
	else if (!run->request->control && !run->request->file)
		vhu_prologue_only_states(run->proxy.prologue);
	if (status == VHU_EXIT_DONE && run->request->findings)
		vhu_prologue_check(run->proxy.prologue, count_finding, run);
	if (status == VHU_EXIT_DONE && run->request->control)
		status = open_control(run);
	if (status == VHU_EXIT_DONE && run->request->file)
		status = open_capture(run);
	if (status == VHU_EXIT_DONE && run->request->end_with_reader)
		status = watch_reader(run);
	if (status == VHU_EXIT_DONE && run->request->verbose)
		status = open_messages(run);
	/* A record is of the past after all others know of it. */
	if (status == VHU_EXIT_DONE)
		vhu_sinks_add(&run->proxy.sinks, keep_record, run->proxy.prologue);
	return status;
}

bool vhu_proxy_run_close_sinks(struct vhu_proxy_run *run, char *lost, size_t size)
{
	/* The reader of a pipe may leave. */
	const bool may_lose = run->capture.pipe;
	char where[2 * PATH_MAX + 128];
	struct vhu_pcapng_counts counts = {0};

	vhu_proxy_flight_close(run, lost, size);
	vhu_loop_unwatch(&run->proxy.loop, &run->reader);
	if (run->capture.writer) {
		vhu_capture_file_where(&run->capture, where, sizeof(where));
		counts = vhu_capture_file_close(&run->capture);
		snprintf(lost, size, ", %" PRIu64 " lost; capture: %s", counts.lost, where);
	}
	vhu_sessions_free(run->sessions);
	run->sessions = NULL;
#ifdef VHU_HAVE_CONTROL
	vhu_control_close(run->control);
	run->control = NULL;
#endif
	vhu_prologue_free(run->proxy.prologue);
	run->proxy.prologue = NULL;
	return may_lose || !counts.lost;
}
