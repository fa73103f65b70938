/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watching itself: what is done again and again until there is an end. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/vring/events.h"
#include "lib/util/util.h"
#include "tools/latency/rings.h"
#include "tools/latency/run/run.h"
#include "tools/latency/show/output.h"
#include "tools/latency/vrings/interval.h"
#include "tools/latency/vrings/owner.h"

/* How often events are taken and vrings looked for. */
#define TICK_NS UINT64_C(100000000)
#define LOOK_NS UINT64_C(1000000000)

/* Write what was counted in the interval, or all that was counted, and begin the next. Needs the
 * vrings' lock. */
static void put_interval(struct vhu_latency_run *run, FILE *to, uint64_t now)
{
	const bool json = run->request->json;

	if (run->request->cumulative && json) {
		vhu_latency_json(to, &run->vrings, run->learn, now);
	} else if (run->request->cumulative) {
		vhu_latency_table(to, &run->vrings, now, 0);
	} else {
		if (json)
			vhu_latency_json_interval(to, &run->vrings, now, now - run->table_ns);
		else
			vhu_latency_table(to, &run->vrings, now, now - run->table_ns);
		for (unsigned i = 0; i < run->vrings.count; i++)
			vhu_latency_interval_end(run->vrings.vring[i]);
		run->table_ns = now;
	}
}

/* Write how things stand, or stood. Needs the vrings' lock. */
static void put(struct vhu_latency_run *run, FILE *to, bool last)
{
	const struct vhu_latency_request *request = run->request;
	uint64_t now = vhu_now_ns();

	vhu_latency_vrings_read(&run->vrings);
	if (last && request->capture)
		vhu_latency_rings_end(run->command, request->capture, &run->vrings);
	if (last && request->json) {
		vhu_latency_json(to, &run->vrings, run->learn, now);
	} else if (last) {
		vhu_latency_summary(to, &run->vrings, now, request->histogram);
		vhu_latency_unread(to, run->learn);
	} else {
		if (isatty(STDOUT_FILENO) && !request->slow_ns && !request->json)
			fprintf(to, "\033[H\033[J");
		put_interval(run, to, now);
		if (!request->json)
			vhu_latency_unread(to, run->learn);
	}
}

/* Show how things stand, or stood. Whoever reads that may be slow: vrings are not kept waiting. */
void vhu_latency_show(struct vhu_latency_run *run, bool last)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return;
	pthread_mutex_lock(&run->vrings.lock);
	put(run, to, last);
	pthread_mutex_unlock(&run->vrings.lock);
	if (fclose(to) == 0)
		fwrite(text, 1, size, stdout);
	free(text);
	fflush(stdout);
}

/* Say once why none of a capture's vrings is watched: it does not name their eventfds, or has none.
 */
static void say_unwatched(struct vhu_latency_run *run, uint64_t now)
{
	const struct vhu_latency_request *request = run->request;
	struct vhu_latency_told *told = vhu_latency_capture_told(run->capture);
	char text[512];
	bool nameless, empty;

	pthread_mutex_lock(&run->vrings.lock);
	nameless = vhu_latency_told_nameless(told, now, text, sizeof(text));
	empty = !run->vrings.count && !told->nameless.session;
	pthread_mutex_unlock(&run->vrings.lock);
	if (nameless)
		vhu_fail(run->command, "%s", text);
	else if (empty && request->capture && !request->json && !run->said_empty)
		vhu_fail(run->command,
			 "%s: no open session has vrings: waiting for one; is vhu proxy or vhu "
			 "attach writing this capture?",
			 request->capture);
	run->said_empty = true;
}

/* Say once why nothing is watched of the vrings that the capture names, if that is known. */
static void say_lost(struct vhu_latency_run *run, bool wired)
{
	char text[512];
	bool lost;

	pthread_mutex_lock(&run->vrings.lock);
	lost = !wired && !run->vrings.changed &&
	       vhu_latency_owner_why(&run->vrings, text, sizeof(text));
	pthread_mutex_unlock(&run->vrings.lock);
	if (lost && !run->said_lost)
		vhu_fail(run->command, "%s: %s; waiting for another session",
			 run->request->capture ? run->request->capture : run->sessions.socket,
			 text);
	run->said_lost = lost;
}

/* Look what became of the processes and their eventfds. Returns whether there is more to come. */
static bool look(struct vhu_latency_run *run, uint64_t now)
{
	int wired;

	if (run->capture)
		say_unwatched(run, now);
	if (run->learn && !vhu_learn_tick(run->learn, now)) {
		if (!*run->sessions.socket) {
			run->ended = "the back-end ended";
			return false;
		}
		/* Another one's sessions are recorded from their beginning. */
		vhu_learn_close(run->learn);
		run->learn = NULL;
	}
	wired = vhu_latency_wire(run);
	if (wired < 0)
		return true;
	if (run->capture && !vhu_latency_capture_ended(run->capture))
		say_lost(run, wired > 0);
	if (!wired && !run->learn && (!run->capture || vhu_latency_capture_ended(run->capture))) {
		run->ended = "no process has the vrings' eventfds open any more";
		return false;
	}
	return true;
}

/* Wait for the next tick, a signal, an event or news of the capture. Returns whether to go on. */
static bool wait_until(struct vhu_latency_run *run, uint64_t until)
{
	uint64_t now = vhu_now_ns(), value;
	struct pollfd watched[] = {
	    {.fd = run->signals, .events = POLLIN},
	    {.fd = vhu_probes_events_fd(run->probes), .events = POLLIN},
	    {.fd = run->capture ? vhu_latency_capture_fd(run->capture) : -1, .events = POLLIN},
	};

	if (poll(watched, 3, until > now ? (int)((until - now + 999999) / 1000000) : 0) < 0)
		return errno == EINTR;
	vhu_probes_events(run->probes);
	if ((watched[2].revents & POLLIN) && read(watched[2].fd, &value, sizeof(value)) > 0)
		vhu_latency_wire(run);
	return !(watched[0].revents & POLLIN);
}

/* Tell the kicks that have waited too long, each once. */
static void tell_waiting(struct vhu_latency_run *run, uint64_t now)
{
	pthread_mutex_lock(&run->vrings.lock);
	vhu_latency_vrings_read(&run->vrings);
	for (unsigned i = 0; i < run->vrings.count; i++)
		vhu_latency_events_waits(&run->events, run->vrings.vring[i], run->request->slow_ns,
					 now);
	pthread_mutex_unlock(&run->vrings.lock);
}

/* Return how often metrics are written. */
static uint64_t metrics_every(const struct vhu_latency_request *request)
{
	return request->interval_ns ? request->interval_ns : VHU_NS_PER_S;
}

/* Write the metrics. */
static void put_metrics(struct vhu_latency_run *run)
{
	pthread_mutex_lock(&run->vrings.lock);
	vhu_latency_vrings_read(&run->vrings);
	vhu_latency_metrics_count(run->metrics, &run->vrings, vhu_now_ns());
	pthread_mutex_unlock(&run->vrings.lock);
	vhu_latency_metrics_write(run->metrics);
}

/* Do what is due. Returns whether to go on. */
static bool do_due(struct vhu_latency_run *run, uint64_t now)
{
	const struct vhu_latency_request *request = run->request;
	bool more = true;

	if (now - run->looked_ns >= LOOK_NS ||
	    (run->vrings.changed && now - run->looked_ns >= TICK_NS)) {
		more = look(run, now);
		run->looked_ns = now;
	}
	if (request->slow_ns)
		tell_waiting(run, now);
	if (run->stall && more && now >= vhu_latency_stall_next(run->stall))
		vhu_latency_stall_look(
		    run->stall, run->capture ? vhu_latency_capture_told(run->capture) : NULL);
	if (more && request->interval_ns && now - run->shown_ns >= request->interval_ns) {
		vhu_latency_show(run, false);
		run->shown_ns = now;
	}
	if (run->metrics && now >= run->metrics_ns) {
		put_metrics(run);
		run->metrics_ns = now + metrics_every(request);
	}
	/* What is shown has no reader, and nothing is kept elsewhere. */
	if (ferror(stdout) && !request->write_to && !run->metrics && !request->on_stall)
		return false;
	return more;
}

/* Return when something is due next, after @now. */
static uint64_t next_due(const struct vhu_latency_run *run, uint64_t start, uint64_t now)
{
	const struct vhu_latency_request *request = run->request;
	uint64_t until = now + TICK_NS;

	if (request->interval_ns && run->shown_ns + request->interval_ns < until)
		until = run->shown_ns + request->interval_ns;
	if (run->stall && vhu_latency_stall_next(run->stall) < until)
		until = vhu_latency_stall_next(run->stall);
	if (run->metrics && run->metrics_ns < until)
		until = run->metrics_ns;
	if (request->duration_ns && start + request->duration_ns < until)
		until = start + request->duration_ns;
	return until;
}

/* Watch until there is an end. */
void vhu_latency_watch(struct vhu_latency_run *run)
{
	const uint64_t start = vhu_now_ns(), duration = run->request->duration_ns;
	uint64_t now = start;
	bool more = true;

	if (run->request->json) {
		vhu_latency_json_start(stdout, &run->vrings);
		fflush(stdout);
	}
	run->table_ns = run->shown_ns = run->looked_ns = start;
	while (more && (!duration || now - start < duration)) {
		more = do_due(run, now);
		if (more)
			more = wait_until(run, next_due(run, start, now));
		now = vhu_now_ns();
	}
	/* The interval that ended with the watch; a shorter rest is in the counts of the end. */
	if (run->request->interval_ns && 2 * (now - run->shown_ns) > run->request->interval_ns &&
	    duration && now - start >= duration)
		vhu_latency_show(run, false);
	if (run->metrics)
		put_metrics(run);
	if (run->ended)
		vhu_fail(run->command, "%s", run->ended);
}
