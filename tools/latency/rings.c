/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the vrings' memory holds when the watch begins and when it ends. */
#include "tools/latency/rings.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/protocol/line.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/rings/places/places.h"
#include "tools/rings/target/target.h"

/* Kicks that have waited for less are on their way. */
#define LONG_NS VHU_RING_SAMPLES_APART

/* A look at all vrings of a capture. */
struct vhu_latency_look {
	struct vhu_rings_sessions sessions;
	struct vhu_rings_targets targets;
};

/* Look. Returns whether there is something to see; then it is to be ended in any case. */
static bool look_begin(struct vhu_latency_look *look, const struct vhu_command *command,
		       const char *capture)
{
	const struct vhu_rings_request request = {
	    .command = command, .capture = capture, .vring = -1};

	*look = (struct vhu_latency_look){0};
	return vhu_rings_places_capture(&request, capture, &look->sessions) == VHU_EXIT_DONE &&
	       !vhu_rings_targets_open(&look->targets, &look->sessions, -1);
}

/* Free what a look has. */
static void look_end(struct vhu_latency_look *look)
{
	vhu_rings_targets_free(&look->targets);
	vhu_rings_sessions_free(&look->sessions);
}

/* Read how many buffers wait in a vring. Returns whether that is known. */
static bool read_waiting(const struct vhu_rings_target *target, uint32_t *waiting)
{
	struct vhu_ring_snapshot ring;

	if (!target->vring || !target->vring->session.started ||
	    vhu_ring_snapshot_read(&target->place, &ring))
		return false;
	*waiting = ring.waiting;
	vhu_ring_snapshot_free(&ring);
	return true;
}

/* Read what a vring's kick counts where the back-end reads it. */
static struct vhu_ring_counter read_kick(const struct vhu_rings_target *target)
{
	const struct vhu_rings_process *process = target->memory->process[VHU_RINGS_BACK];
	const struct vhu_rings_eventfd *kick = &target->vring->fd[VHU_KICK];
	const struct vhu_rings_open *open =
	    process && kick->known ? vhu_rings_process_eventfd(process, kick->id) : NULL;

	return open ? vhu_rings_process_counter(process, open) : (struct vhu_ring_counter){0};
}

/* Add what there is to say of a vring. */
static void put_vring(struct vhu_line *line, const struct vhu_rings_target *target)
{
	struct vhu_ring_counter kick;
	uint32_t waiting;

	if (!read_waiting(target, &waiting))
		return;
	if (target->vring->session.polled)
		vhu_line_printf(line, "; vring %u is polled: it gets no kicks",
				target->vring->index);
	if (!waiting)
		return;
	vhu_line_printf(line, "; vring %u has %" PRIu32 " buffer%s waiting since before",
			target->vring->index, waiting, waiting == 1 ? "" : "s");
	kick = read_kick(target);
	if (kick.known && kick.count)
		vhu_line_printf(line, " and %" PRIu64 " kick%s not taken", kick.count,
				kick.count == 1 ? "" : "s");
}

void vhu_latency_rings_begin(const struct vhu_command *command, const char *capture)
{
	const uint64_t now = vhu_realtime_ns();
	char text[1024], age[VHU_DURATION_TEXT_SIZE];
	struct vhu_latency_look look;

	if (!look_begin(&look, command, capture)) {
		look_end(&look);
		return;
	}
	for (unsigned i = 0; i < look.sessions.count; i++) {
		const struct vhu_rings_session *session = look.sessions.session[i];
		struct vhu_line line = vhu_line_in(text, sizeof(text));

		for (unsigned j = 0; j < look.targets.count; j++)
			if (look.targets.target[j].session == session)
				put_vring(&line, &look.targets.target[j]);
		if (session->opened_ns && now > session->opened_ns)
			fprintf(stderr,
				"vhu latency: session %" PRIu64 " is %s older than this watch%s\n",
				session->kept.session,
				vhu_duration_text(now - session->opened_ns, age),
				line.length ? text : "");
	}
	look_end(&look);
}

/* Return the watched vring that a target is; NULL if none is. */
static struct vhu_latency_vring *find(const struct vhu_latency_vrings *vrings,
				      const struct vhu_rings_target *target)
{
	for (unsigned i = 0; target->vring && i < vrings->count; i++)
		if (vrings->vring[i]->session == target->session->kept.session &&
		    vrings->vring[i]->index == target->vring->index)
			return vrings->vring[i];
	return NULL;
}

void vhu_latency_rings_end(const struct vhu_command *command, const char *capture,
			   struct vhu_latency_vrings *vrings)
{
	const uint64_t now = vhu_now_ns();
	bool waits = false;
	struct vhu_latency_look look;

	for (unsigned i = 0; i < vrings->count; i++)
		waits |= !vrings->vring[i]->ended_ns &&
			 vhu_latency_vring_waiting(vrings->vring[i], now).for_ns > LONG_NS;
	if (!waits)
		return;
	if (look_begin(&look, command, capture))
		for (unsigned i = 0; i < look.targets.count; i++) {
			const struct vhu_rings_target *target = &look.targets.target[i];
			struct vhu_latency_vring *vring = find(vrings, target);
			uint32_t waiting;

			if (!vring || vring->ended_ns ||
			    vhu_latency_vring_waiting(vring, now).for_ns <= LONG_NS ||
			    !read_waiting(target, &waiting))
				continue;
			vring->left_known = true;
			vring->left = waiting;
		}
	look_end(&look);
}
