/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the flight recorder of vhu proxy writes: where a session ends badly, and where a signal asks
 * for it.
 *
 * Who dies takes others along, and who is left reconnects: so it is written a moment after the
 * first session that ends badly, with all that happens in that moment. Why it did is found out
 * again from what is written: so it says what vhu check says of the file, with the numbers that
 * messages have there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/proxy/run/run.h"

#include "lib/util/util.h"

#define FLIGHT_MOMENT_NS 200000000u

/*
 * Write what is in the recorder.
 * @why: what is said of it where no session has ended badly. @line: gets what is to be said.
 * Returns 0 or -errno.
 */
static int write_out(struct vhu_proxy_run *run, const char *why, char line[VHU_PROXY_WRITTEN_MAX])
{
	struct vhu_flight *recorder = &run->flight.recorder;
	struct vhu_recording_watch *written = &run->flight.written;
	uint64_t records = recorder->records;
	char bad[VHU_CAUSE_TEXT_MAX + 128], more[48] = "";
	int error;

	vhu_loop_unset(&run->flight.timer);
	run->flight.watch.bad = 0;
	if (!records) {
		snprintf(line, VHU_PROXY_WRITTEN_MAX,
			 "%s: nothing to write, nothing has passed since: %s",
			 recorder->options.path, why);
		return 0;
	}
	error = vhu_flight_write(recorder, vhu_recording_watch_written, written);
	run->flight.dumps += !error;
	if (written->bad > 1)
		snprintf(more, sizeof(more), ", and %u more", written->bad - 1);
	if (written->bad) {
		snprintf(bad, sizeof(bad), "session %" PRIu64 "%s ended badly: %s",
			 written->session, more, written->why);
		why = bad;
	}
	if (error)
		snprintf(line, VHU_PROXY_WRITTEN_MAX,
			 "%s: %s: what has passed cannot be written, and is kept: %s",
			 recorder->options.path, strerror(-error), why);
	else
		snprintf(line, VHU_PROXY_WRITTEN_MAX, "%s: %" PRIu64 " record%s: %s",
			 vhu_series_name(&recorder->files), records, records == 1 ? "" : "s", why);
	vhu_recording_watch_end(written);
	return error;
}

/* The same because a session ended badly, and say it. */
static void write_out_bad(struct vhu_proxy_run *run)
{
	char line[VHU_PROXY_WRITTEN_MAX];

	write_out(run, "a session ended badly", line);
	vhu_proxy_say(&run->proxy, "%s", line);
}

/* The moment after a session ended badly has passed. */
static void moment_is_over(struct vhu_timer *timer)
{
	struct vhu_proxy_flight *flight = vhu_container_of(timer, struct vhu_proxy_flight, timer);

	write_out_bad(vhu_container_of(flight, struct vhu_proxy_run, flight));
}

/* See a record that passes, after it is recorded. */
static void see(void *context, const struct vhu_record *record)
{
	struct vhu_proxy_run *run = context;
	struct vhu_proxy_flight *flight = &run->flight;

	if (vhu_recording_watch_see(&flight->watch, record) && !flight->timer.link)
		vhu_loop_set(&run->proxy.loop, &flight->timer, FLIGHT_MOMENT_NS);
}

int vhu_proxy_flight_open(struct vhu_proxy_run *run)
{
	const struct vhu_proxy_request *request = run->request;
	const struct vhu_flight_options options = {
	    .path = request->file,
	    .snaplen = request->snaplen,
	    .comment = run->comment,
	    .bytes = request->files.flight_bytes,
	    .files = request->files.limits.files,
	    .disk = request->files.limits.disk,
	};
	int error = vhu_flight_open(&run->flight.recorder, &options);

	if (error)
		return error;
	error = vhu_recording_watch_start(&run->flight.watch);
	if (error) {
		vhu_flight_close(&run->flight.recorder);
		return error;
	}
	run->flight.on = true;
	run->flight.timer.fire = moment_is_over;
	vhu_sinks_add(&run->proxy.sinks, vhu_flight_take, &run->flight.recorder);
	vhu_sinks_add(&run->proxy.sinks, see, run);
	return 0;
}

void vhu_proxy_flight_close(struct vhu_proxy_run *run, char *text, size_t size)
{
	struct vhu_proxy_flight *flight = &run->flight;
	char where[VHU_PROXY_RUN_LOST_MAX - 64];

	*text = '\0';
	if (!flight->on)
		return;
	if (flight->timer.link)
		write_out_bad(run);
	vhu_series_text(&flight->recorder.files, where, sizeof(where));
	snprintf(text, size, "; flight recorder: %s", where);
	vhu_recording_watch_end(&flight->watch);
	vhu_flight_close(&flight->recorder);
	flight->on = false;
}

int vhu_proxy_run_write_out(struct vhu_proxy_run *run, const char *why,
			    char line[VHU_PROXY_WRITTEN_MAX])
{
	int error;

	if (run->flight.on)
		return write_out(run, why, line);
	if (!run->capture.series) {
		snprintf(line, VHU_PROXY_WRITTEN_MAX,
			 "nothing to write out: that needs --flight-recorder or -b");
		return -EINVAL;
	}
	error = vhu_capture_file_next(&run->capture);
	snprintf(line, VHU_PROXY_WRITTEN_MAX, "%s: %s%s", vhu_series_name(&run->capture.files),
		 error ? "goes on" : "was begun: ", error ? "" : why);
	return error;
}
