/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single events: slow calls as lines, all of them as a capture. */
#include "tools/latency/show/events.h"
#include "lib/util/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"

void vhu_latency_events_epoch(struct vhu_latency_events *events)
{
	uint64_t before = vhu_now_ns(), day = vhu_realtime_ns();
	uint64_t after = vhu_now_ns();

	events->epoch_ns = (int64_t)(day - (before + (after - before) / 2));
}

/* Write a record to the capture. That this fails is said once. */
static void write_record(void *with, const struct vhu_record *record)
{
	struct vhu_latency_events *events = with;
	int ret = vhu_pcapng_write(events->writer, record);

	if (!ret || events->loses)
		return;
	events->loses = true;
	vhu_fail(events->command, "%s: %s: events are being lost; watching goes on", events->path,
		 strerror(-ret));
}

int vhu_latency_events_open(struct vhu_latency_events *events, const struct vhu_command *command,
			    const char *path)
{
	int ret;

	events->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (events->fd < 0)
		return vhu_fail(command, "%s: %s", path, strerror(errno));
	events->command = command;
	events->path = path;
	ret = vhu_pcapng_writer_open(&events->writer, events->fd, 0, "vhu latency");
	if (!ret) {
		events->give = write_record;
		events->with = events;
		return VHU_EXIT_DONE;
	}
	close(events->fd);
	events->fd = -1;
	return vhu_fail(command, "%s: %s", path, strerror(-ret));
}

/* Write one thing that happened. */
static void put(struct vhu_latency_events *events, const struct vhu_latency_vring *vring,
		const struct vhu_bpf_event *event, enum vhu_vring_act act, uint64_t time_ns,
		const struct vhu_bpf_who *who)
{
	struct vhu_record record = {
	    .type = VHU_RECORD_VRING,
	    .session = vring->session,
	    .time_ns = (uint64_t)((int64_t)time_ns + events->epoch_ns),
	    .vring =
		{
		    .act = act,
		    .vring = vring->index,
		    .eventfd_id = vring->fd[act == VHU_ACT_CALL ? VHU_CALL : VHU_KICK].id,
		    .pid = who->pid,
		    .tid = who->tid,
		    .cpu = who->cpu,
		    .comm = who->comm,
		},
	};
	struct vhu_vring_event *times = &record.vring;
	uint64_t wake = act == VHU_ACT_WAKE ? time_ns : event->wake_ns;

	if (act != VHU_ACT_KICK && event->kick_ns && wake && wake >= event->kick_ns) {
		times->has |= VHU_VRING_HAS_KICK_TO_WAKE;
		times->kick_to_wake = wake - event->kick_ns;
	}
	if (act == VHU_ACT_CALL && event->wake_ns) {
		times->has |= VHU_VRING_HAS_WAKE_TO_CALL;
		times->wake_to_call = time_ns > event->wake_ns ? time_ns - event->wake_ns : 0;
	}
	if (act == VHU_ACT_CALL && event->kick_ns) {
		times->has |= VHU_VRING_HAS_KICK_TO_CALL;
		times->kick_to_call = time_ns > event->kick_ns ? time_ns - event->kick_ns : 0;
	}
	events->give(events->with, &record);
}

/* Write " + TEXT TIME" for a stage. */
static void put_stage(FILE *to, const char *text, uint64_t from_ns, uint64_t to_ns)
{
	char time[VHU_DURATION_TEXT_SIZE];

	fprintf(to, " %s %s", text, vhu_duration_text(to_ns > from_ns ? to_ns - from_ns : 0, time));
}

/* Write the stages of a slow call, as far as they were seen. */
static void put_stages(FILE *to, const struct vhu_bpf_event *event)
{
	uint64_t wake = event->wake_ns, pop = event->pop_ns, push = event->push_ns;

	if (!wake) {
		fprintf(to, ", its wake was not seen");
		return;
	}
	put_stage(to, "= kick to wake", event->kick_ns, wake);
	put_stage(to, "+ wake to call", wake, event->time_ns);
	/* Of one request only where it was taken after this wake. */
	if (pop < wake || push < pop)
		return;
	put_stage(to, "(wake to pop", wake, pop);
	put_stage(to, "+ pop to push", pop, push);
	put_stage(to, "+ push to call", push, event->time_ns);
	fputc(')', to);
}

/* Begin a line with the time and the vring. */
static void put_begin(const struct vhu_latency_events *events,
		      const struct vhu_latency_vring *vring, uint64_t time_ns)
{
	uint64_t at = (uint64_t)((int64_t)time_ns + events->epoch_ns);
	char day[32] = "", session[40] = "";
	time_t seconds = (time_t)(at / VHU_NS_PER_S);
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(day, sizeof(day), "%T", &tm);
	if (vring->session)
		snprintf(session, sizeof(session), "session %" PRIu64 " ", vring->session);
	fprintf(events->slow, "%s.%06" PRIu64 " %svring %" PRIu32 ": ", day,
		at % VHU_NS_PER_S / 1000, session, vring->index);
}

/* Tell a slow call as a line. */
static void tell_slow(const struct vhu_latency_events *events,
		      const struct vhu_latency_vring *vring, const struct vhu_bpf_event *event)
{
	char text[VHU_DURATION_TEXT_SIZE], kicker[sizeof(event->kicker.comm)];
	char caller[sizeof(event->who.comm)];

	put_begin(events, vring, event->time_ns);
	fprintf(events->slow, "kick to call %s",
		vhu_duration_text(event->time_ns - event->kick_ns, text));
	put_stages(events->slow, event);
	fprintf(events->slow,
		"; kick by %s (pid %" PRIu32 ", cpu %" PRIu32 "), call by %s (pid %" PRIu32
		", cpu %" PRIu32 ")\n",
		vhu_utf8_printable(event->kicker.comm, kicker, sizeof(kicker)), event->kicker.pid,
		event->kicker.cpu, vhu_utf8_printable(event->who.comm, caller, sizeof(caller)),
		event->who.pid, event->who.cpu);
	fflush(events->slow);
}

void vhu_latency_events_waits(const struct vhu_latency_events *events,
			      struct vhu_latency_vring *vring, uint64_t limit_ns, uint64_t now_ns)
{
	const struct vhu_latency_waiting waiting = vhu_latency_vring_waiting(vring, now_ns);
	char text[VHU_DURATION_TEXT_SIZE];

	if (!events->slow || vring->ended_ns || !waiting.oldest_ns || waiting.for_ns <= limit_ns ||
	    waiting.oldest_ns == vring->told_ns)
		return;
	vring->told_ns = waiting.oldest_ns;
	put_begin(events, vring, now_ns);
	fprintf(events->slow, "a kick has waited for %s: the back-end has %s\n",
		vhu_duration_text(waiting.for_ns, text),
		waiting.taken ? "taken it and has not called" : "not taken it");
	fflush(events->slow);
}

void vhu_latency_events_see(struct vhu_latency_events *events, const struct vhu_bpf_event *event)
{
	static const enum vhu_vring_act act[] = {
	    [VHU_EVENT_KICK] = VHU_ACT_KICK,
	    [VHU_EVENT_WAKE] = VHU_ACT_WAKE,
	    [VHU_EVENT_CALL] = VHU_ACT_CALL,
	};
	const struct vhu_latency_vring *vring;

	if (event->slot >= events->vrings->count)
		return;
	vring = events->vrings->vring[event->slot];
	if (event->what == VHU_EVENT_SLOW && events->slow)
		tell_slow(events, vring, event);
	if (!events->give)
		return;
	if (event->what == VHU_EVENT_SLOW) {
		put(events, vring, event, VHU_ACT_KICK, event->kick_ns, &event->kicker);
		if (event->wake_ns)
			put(events, vring, event, VHU_ACT_WAKE, event->wake_ns, &event->who);
		put(events, vring, event, VHU_ACT_CALL, event->time_ns, &event->who);
	} else {
		put(events, vring, event, act[event->what], event->time_ns, &event->who);
	}
}

uint64_t vhu_latency_events_close(struct vhu_latency_events *events, uint64_t *written)
{
	struct vhu_pcapng_counts counts = {0};

	if (events->writer) {
		counts = vhu_pcapng_writer_counts(events->writer);
		vhu_pcapng_writer_close(events->writer);
	}
	if (events->fd >= 0)
		close(events->fd);
	events->writer = NULL;
	events->give = NULL;
	events->fd = -1;
	*written = counts.records;
	return counts.lost;
}
