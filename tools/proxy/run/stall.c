/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu proxy does when something has stalled, beside saying and recording it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"
#include "proxy/control/status.h"
#include "tools/proxy/run/run.h"

/* Have the command run. */
static void run_command(struct vhu_proxy_run *run, const struct vhu_stall *stall)
{
	const struct vhu_proxy_session *session = vhu_status_find(&run->proxy, stall->session);
	struct vhu_on_stall_message message = {.session = stall->session, .vring = stall->vring};
	const char *capture = run->flight.on        ? vhu_series_name(&run->flight.recorder.files)
			      : run->capture.series ? vhu_series_name(&run->capture.files)
						    : run->request->file;
	int error;

	if (session && session->common.peer[VHU_FRONT].known)
		message.front_end = session->common.peer[VHU_FRONT].pid;
	if (session && session->common.peer[VHU_BACK].known)
		message.back_end = session->common.peer[VHU_BACK].pid;
	snprintf(message.verdict, sizeof(message.verdict), "%s", stall->verdict);
	snprintf(message.text, sizeof(message.text), "%s", stall->text);
	snprintf(message.capture, sizeof(message.capture), "%s", capture ? capture : "");
	error = vhu_on_stall_run(&run->on_stall, &message);
	if (error)
		vhu_proxy_say(
		    &run->proxy, "--on-stall: not run for session %" PRIu64 ": %s", stall->session,
		    error == -EAGAIN ? "it still runs for earlier stalls" : strerror(-error));
}

/* A hook of struct vhu_proxy. */
static void stalled(struct vhu_proxy *proxy, const struct vhu_stall *stall)
{
	struct vhu_proxy_run *run = vhu_container_of(proxy, struct vhu_proxy_run, proxy);
	char why[VHU_PROXY_WRITTEN_MAX / 2], line[VHU_PROXY_WRITTEN_MAX];

	if (run->flight.on) {
		snprintf(why, sizeof(why), "session %" PRIu64 ": stall: %s", stall->session,
			 stall->text);
		vhu_proxy_run_write_out(run, why, line);
		vhu_proxy_say(proxy, "%s", line);
	}
	if (run->on_stall.pipe >= 0)
		run_command(run, stall);
}

int vhu_proxy_run_watch_stalls(struct vhu_proxy_run *run)
{
	const struct vhu_proxy_request *request = run->request;

	run->proxy.watchdog = request->watchdog;
	run->configured_stall_ns = request->watchdog.stall_ns;
	run->proxy.stalled = stalled;
	run->on_stall.pipe = -1;
	if (request->watchdog.stall_ns && !request->interpose && !request->quiet)
		vhu_proxy_say(&run->proxy, "--stall finds no missing call, because kicks and calls "
					   "do not pass the proxy: --interpose-eventfds lets them");
	return request->on_stall ? vhu_on_stall_open(&run->on_stall, run->command,
						     request->on_stall, vhu_proxy_run_restore)
				 : VHU_EXIT_DONE;
}
