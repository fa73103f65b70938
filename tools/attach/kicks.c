/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kicks, wakes and calls among the messages of watched sessions. */
#include "tools/attach/kicks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/vring/events.h"
#include "lib/util/util.h"

/* How often is looked which eventfds are there: at once where vrings have changed, else seldom. */
#define LOOK_NS    VHU_NS_PER_S
#define CHANGED_NS (20 * VHU_NS_PER_MS)
/* Rounds of events in one go: as many as the buffer holds. */
#define TURNS      64

/* Queue an event. */
static void see(void *with, const struct vhu_bpf_event *event)
{
	struct vhu_attach_kicks *kicks = with;
	const struct vhu_attach_event queued = {
	    .what = VHU_ATTACH_KICK,
	    .time_ns = event->time_ns,
	    .copied = sizeof(*event),
	};

	vhu_attach_queue_add(kicks->queue, &queued, (const uint8_t *)event);
}

int vhu_attach_kicks_open(struct vhu_attach_kicks *kicks, const struct vhu_command *command,
			  struct vhu_attach_queue *queue,
			  void (*give)(void *with, const struct vhu_record *record), void *with,
			  uint64_t epoch_ns, bool keep)
{
	const struct vhu_probes_choice choice = {
	    .hooks = -1,
	    .config.all_events = 1,
	    .see = see,
	    .with = kicks,
	};
	char error[VHU_BPF_ERROR_SIZE];

	if (vhu_probes_open(&kicks->probes, &choice, error)) {
		kicks->probes = NULL;
		return vhu_fail(command, "%s", error);
	}
	vhu_latency_vrings_init(&kicks->vrings, kicks->probes);
	kicks->command = command;
	kicks->queue = queue;
	kicks->events = (struct vhu_latency_events){
	    .vrings = &kicks->vrings,
	    .give = give,
	    .with = with,
	    .fd = -1,
	    .epoch_ns = (int64_t)epoch_ns,
	};
	return vhu_latency_told_open(&kicks->told, &kicks->vrings, keep)
		   ? vhu_fail(command, "out of memory")
		   : VHU_EXIT_DONE;
}

void vhu_attach_kicks_hooks(const struct vhu_attach_kicks *kicks, char *to, size_t size)
{
	const char *blind = vhu_probes_blind(kicks->probes);

	snprintf(to, size, "%s%s%s%s", vhu_hooks_name(vhu_probes_hooks(kicks->probes)),
		 *blind ? " (" : "", blind, *blind ? ")" : "");
}

void vhu_attach_kicks_close(struct vhu_attach_kicks *kicks)
{
	if (!kicks->probes)
		return;
	vhu_latency_vrings_free(&kicks->vrings);
	vhu_probes_close(kicks->probes);
	vhu_latency_told_close(&kicks->told);
	kicks->probes = NULL;
}

void vhu_attach_kicks_learn(struct vhu_attach_kicks *kicks, const struct vhu_record *record)
{
	const uint64_t time_ns = record->time_ns - (uint64_t)kicks->events.epoch_ns;

	if (!kicks->probes)
		return;
	/* Without memory some vrings are not watched. */
	vhu_latency_told_take(&kicks->told, record, ++kicks->records, time_ns);
	if (kicks->vrings.changed && time_ns >= kicks->vrings.begun_ns)
		vhu_latency_vrings_rewire(&kicks->vrings);
}

void vhu_attach_kicks_queue(struct vhu_attach_kicks *kicks)
{
	if (!kicks->probes)
		return;
	for (unsigned i = 0; i < TURNS && vhu_probes_events(kicks->probes) == -EAGAIN; i++)
		;
}

void vhu_attach_kicks_take(struct vhu_attach_kicks *kicks, const uint8_t *bytes)
{
	struct vhu_bpf_event event;

	memcpy(&event, bytes, sizeof(event));
	vhu_latency_events_see(&kicks->events, &event);
}

void vhu_attach_kicks_tick(struct vhu_attach_kicks *kicks, uint64_t now_ns)
{
	char text[512];

	if (!kicks->probes ||
	    now_ns - kicks->wired_ns < (kicks->vrings.changed ? CHANGED_NS : LOOK_NS))
		return;
	vhu_latency_vrings_wire(&kicks->vrings);
	kicks->wired_ns = now_ns;
	if (vhu_latency_told_nameless(&kicks->told, now_ns, text, sizeof(text)))
		vhu_fail(kicks->command, "%s", text);
}
