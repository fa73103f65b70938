/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What counts as stalled, and how that is said. */
#include "lib/ringwatch/stall.h"

#include <inttypes.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"

/* Looks in the time after which something counts as stalled. */
#define LOOKS      4
/* Not more often than this: samples that are closer prove nothing. */
#define LOOK_LEAST (VHU_RING_SAMPLES_APART + VHU_NS_PER_MS)

uint64_t vhu_stall_look_every(uint64_t stall_ns)
{
	const uint64_t ns = stall_ns / LOOKS;

	return ns > LOOK_LEAST ? ns : LOOK_LEAST;
}

bool vhu_stall_is_due(const struct vhu_ringwatch_vring *vring, uint64_t stall_ns)
{
	return vring->looked && !vring->moved && !vring->said &&
	       vring->evidence.sample[1].time_ns - vring->still_ns >= stall_ns;
}

bool vhu_stall_is_one(const struct vhu_ring_verdict *verdict)
{
	/* A request without its reply is said by itself. D8 is no stall: a driver that asks for no
	 * call while it waits for nothing looks the same. */
	return verdict->hangs && verdict->id != VHU_RING_D14 && verdict->id != VHU_RING_D8;
}

bool vhu_stall_pending_look(struct vhu_stall_pending *known, const struct vhu_ring_pending *pending,
			    uint64_t stall_ns)
{
	const uint64_t now = vhu_now_ns();

	if (known->number != pending->number)
		*known = (struct vhu_stall_pending){pending->number, now, false};
	/* Records have the time of day, which may leap: the looks must have seen it wait too. */
	if (!pending->number || known->said || pending->age_ns < stall_ns ||
	    now - known->since_ns + vhu_stall_look_every(stall_ns) < stall_ns)
		return false;
	known->said = true;
	return true;
}

void vhu_stall_pending_text(struct vhu_line *line, const struct vhu_ring_pending *pending,
			    const char *why, const struct vhu_ring_process *process)
{
	char age[VHU_DURATION_TEXT_SIZE];

	vhu_line_printf(line, "the %s has not answered %s for %s%s",
			pending->from_back_end ? "front-end" : "back-end",
			pending->message < VHU_MESSAGES ? vhu_messages[pending->message].name
							: "a request",
			vhu_duration_text(pending->age_ns, age), why);
	if (process->known)
		vhu_line_printf(line, " (pid %" PRIu32 ", state %c)", process->pid, process->state);
	vhu_line_printf(line, " (%s)", vhu_ring_verdicts[VHU_RING_D14].id);
}
