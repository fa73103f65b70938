/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the records of vhu attach go. */
#include "tools/attach/sinks.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"

/* After a session that ended badly: who dies takes others along. */
#define FLIGHT_MOMENT_NS (200 * VHU_NS_PER_MS)

/* Say a line, as the capture does. */
static void say_line(const char *line)
{
	fprintf(stderr, "vhu attach: %s\n", line);
}

/* Show a record. */
static void show(void *context, const struct vhu_record *record)
{
	struct vhu_attach_sinks *sinks = context;
	struct vhu_annotation note;

	vhu_session_feed(sinks->sessions, record, ++sinks->records, &note);
	if (sinks->request->json)
		vhu_dump_json(&sinks->dump, record, sinks->records, &note);
	else
		vhu_dump_text(&sinks->dump, record, sinks->records, &note);
	fflush(sinks->dump.to);
}

/* Watch for a session that ends badly. */
static void watch(void *context, const struct vhu_record *record)
{
	struct vhu_attach_sinks *sinks = context;

	if (vhu_recording_watch_see(&sinks->watch, record) && !sinks->write_ns)
		sinks->write_ns = vhu_now_ns() + FLIGHT_MOMENT_NS;
}

/* Begin to show, on standard output or standard error. Returns 0 or -ENOMEM. */
static int open_show(struct vhu_attach_sinks *sinks)
{
	if (sinks->request->file && !sinks->request->verbose)
		return 0;
	sinks->sessions = vhu_sessions_new(false);
	if (!sinks->sessions)
		return -ENOMEM;
	sinks->dump.to = sinks->request->file ? stderr : stdout;
	vhu_sinks_add(&sinks->sinks, show, sinks);
	return 0;
}

/* Begin the flight recorder. Returns 0 or -errno. */
static int open_flight(struct vhu_attach_sinks *sinks)
{
	const struct vhu_flight_options options = {
	    .path = sinks->request->file,
	    .snaplen = sinks->request->snaplen,
	    .comment = sinks->comment,
	    .bytes = sinks->request->files.flight_bytes,
	    .files = sinks->request->files.limits.files,
	};
	int error = vhu_flight_open(&sinks->flight, &options);

	if (error)
		return error;
	error = vhu_recording_watch_start(&sinks->watch);
	if (error) {
		vhu_flight_close(&sinks->flight);
		return error;
	}
	sinks->flies = true;
	vhu_sinks_add(&sinks->sinks, vhu_flight_take, &sinks->flight);
	vhu_sinks_add(&sinks->sinks, watch, sinks);
	return 0;
}

/* Begin the capture. @ends: see struct vhu_capture_file_options. Returns 0 or -errno. */
static int open_capture(struct vhu_attach_sinks *sinks, int ends)
{
	const struct vhu_attach_request *request = sinks->request;
	const struct vhu_capture_file_options options = {
	    .path = request->file,
	    .snaplen = request->snaplen,
	    .comment = sinks->comment,
	    .limits = request->files.ends ? &request->files.limits : NULL,
	    .reader_may_leave = true,
	    .say = say_line,
	    .ends = ends,
	    .goes_on = "watching",
	};
	int error;

	if (!request->file)
		return 0;
	if (request->files.flight_bytes)
		return open_flight(sinks);
	error = vhu_capture_file_open(&sinks->capture, &options);
	if (!error)
		vhu_sinks_add(&sinks->sinks, vhu_capture_file_take, &sinks->capture);
	return error;
}

int vhu_attach_sinks_open(struct vhu_attach_sinks *sinks, const struct vhu_command *command,
			  const struct vhu_attach_request *request, int ends, int argc, char **argv)
{
	size_t length;
	int error;

	memset(sinks, 0, sizeof(*sinks));
	sinks->command = command;
	sinks->request = request;
	length = (size_t)snprintf(sinks->comment, sizeof(sinks->comment), "vhu");
	for (int i = 0; i < argc && length < sizeof(sinks->comment); i++)
		length += (size_t)snprintf(sinks->comment + length, sizeof(sinks->comment) - length,
					   " %s", argv[i]);
	error = open_capture(sinks, ends);
	/* vhu latency has ended, which reads this pipe, and has said why. */
	if (error == -EPIPE && request->quiet)
		return VHU_EXIT_FAILED;
	if (error)
		return vhu_fail(command, "%s: cannot write a capture: %s", request->file,
				strerror(-error));
	return open_show(sinks) ? vhu_fail(command, "out of memory") : VHU_EXIT_DONE;
}

void vhu_attach_sinks_take(struct vhu_attach_sinks *sinks, const struct vhu_record *record)
{
	vhu_sinks_give(&sinks->sinks, record);
}

/* Write what the flight recorder has. @why: said if no session has ended badly. */
static void write_flight(struct vhu_attach_sinks *sinks, const char *why)
{
	uint64_t records = sinks->flight.records;
	int error;

	sinks->write_ns = 0;
	sinks->watch.bad = 0;
	if (!records) {
		vhu_fail(sinks->command, "%s: nothing to write, nothing has passed since: %s",
			 sinks->request->file, why);
		return;
	}
	error = vhu_flight_write(&sinks->flight, vhu_recording_watch_written, &sinks->written);
	if (error)
		vhu_fail(sinks->command,
			 "%s: %s: what has passed cannot be written, and is kept: %s",
			 sinks->request->file, strerror(-error), why);
	else if (sinks->written.bad)
		vhu_fail(sinks->command,
			 "%s: %" PRIu64 " records: session %" PRIu64 " ended badly: %s",
			 vhu_series_name(&sinks->flight.files), records, sinks->written.session,
			 sinks->written.why);
	else
		vhu_fail(sinks->command, "%s: %" PRIu64 " records: %s",
			 vhu_series_name(&sinks->flight.files), records, why);
	vhu_recording_watch_end(&sinks->written);
}

void vhu_attach_sinks_write_out(struct vhu_attach_sinks *sinks)
{
	int error;

	if (sinks->flies) {
		write_flight(sinks, "asked for by a signal");
		return;
	}
	if (!sinks->capture.writer || !sinks->capture.series) {
		vhu_fail(sinks->command,
			 "nothing to write out: that needs --flight-recorder or -b");
		return;
	}
	error = vhu_capture_file_next(&sinks->capture);
	vhu_fail(sinks->command, "%s: %s", vhu_series_name(&sinks->capture.files),
		 error ? "goes on" : "was begun: asked for by a signal");
}

void vhu_attach_sinks_tick(struct vhu_attach_sinks *sinks, uint64_t now_ns)
{
	if (sinks->write_ns && now_ns >= sinks->write_ns)
		write_flight(sinks, "a session ended badly");
}

bool vhu_attach_sinks_are_left(const struct vhu_attach_sinks *sinks)
{
	struct pollfd ask = {.fd = sinks->capture.fd};

	if (!sinks->request->file)
		return ferror(stdout);
	/* A pipe without a reader has an error. */
	return sinks->capture.writer && sinks->capture.pipe && poll(&ask, 1, 0) == 1 &&
	       ask.revents & POLLERR;
}

/* Write, as the last record, that the sessions that are open have not ended. */
static void write_end(struct vhu_attach_sinks *sinks)
{
	const struct vhu_record end = {
	    .type = VHU_RECORD_CONTINUED,
	    .time_ns = vhu_realtime_ns(),
	};

	vhu_capture_file_take(&sinks->capture, &end);
}

bool vhu_attach_sinks_close(struct vhu_attach_sinks *sinks, unsigned running,
			    char where[VHU_ATTACH_WHERE_MAX])
{
	/* The reader of a pipe may leave. */
	const bool may_lose = sinks->capture.pipe;
	char name[2 * PATH_MAX + 128];
	struct vhu_pcapng_counts counts = {0};

	*where = '\0';
	if (sinks->flies) {
		if (sinks->write_ns)
			write_flight(sinks, "a session ended badly");
		vhu_series_text(&sinks->flight.files, name, sizeof(name));
		snprintf(where, VHU_ATTACH_WHERE_MAX, "; flight recorder: %s", name);
		vhu_recording_watch_end(&sinks->watch);
		vhu_flight_close(&sinks->flight);
	}
	if (sinks->capture.writer) {
		if (running)
			write_end(sinks);
		vhu_capture_file_where(&sinks->capture, name, sizeof(name));
		counts = vhu_capture_file_close(&sinks->capture);
		snprintf(where, VHU_ATTACH_WHERE_MAX, ", %" PRIu64 " records lost; capture: %s",
			 counts.lost, name);
	}
	vhu_sessions_free(sinks->sessions);
	sinks->sessions = NULL;
	return may_lose || !counts.lost;
}
