/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the judges of a vring share: how a verdict is made out. */
#include "lib/ring/verdict/judgement.h"

#include <inttypes.h>

#include "lib/ring/verdict/process.h"
#include "lib/util/duration.h"
#include "lib/util/turns.h"
#include "lib/util/util.h"

bool vhu_judge_as(struct vhu_judgement *judgement, enum vhu_ring_verdict_id id, bool hangs)
{
	judgement->verdict->id = id;
	judgement->verdict->hangs = hangs;
	return true;
}

void vhu_judge_or(struct vhu_judgement *judgement, enum vhu_ring_verdict_id id)
{
	struct vhu_ring_verdict *verdict = judgement->verdict;

	if (verdict->alternatives < VHU_RING_ALTERNATIVES_MAX)
		verdict->alternative[verdict->alternatives++] = id;
}

void vhu_judge_waits(struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;
	char age[VHU_DURATION_TEXT_SIZE];

	if (ring->waiting != ring->waiting_least)
		vhu_line_printf(&judgement->text, "%" PRIu32 " to ", ring->waiting_least);
	vhu_line_printf(&judgement->text, "%" PRIu32 " %s%s wait%s", ring->waiting,
			ring->packed ? "descriptor" : "buffer", ring->waiting == 1 ? "" : "s",
			ring->waiting == 1 ? "s" : "");
	if (judgement->evidence->waiting_since_known)
		vhu_line_printf(&judgement->text, " for %s",
				vhu_duration_text(judgement->evidence->waiting_since_ns, age));
}

void vhu_judge_process(struct vhu_judgement *judgement, const char *who,
		       const struct vhu_ring_process *process)
{
	const struct vhu_ring_trouble *trouble = vhu_ring_trouble(process->state);

	if (!process->known || !trouble)
		return;
	vhu_line_printf(&judgement->text, ", the %s (pid %" PRIu32 ") %s", who, process->pid,
			trouble->text);
	judgement->verdict->advice = trouble->advice;
}

bool vhu_judge_pending(const struct vhu_ring_counter *counter)
{
	return counter->known && counter->count > 0;
}

bool vhu_judge_took_turns(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_signals *signals = &judgement->evidence->signals;

	return signals->known && signals->open_kicks > 0 && signals->in_turn >= VHU_TURNS_HABIT;
}

bool vhu_judge_one_at_a_time(const struct vhu_judgement *judgement)
{
	struct vhu_ring_snapshot completed = *judgement->ring;

	completed.available = completed.used;
	return vhu_ring_one_at_a_time(&completed, VHU_TURNS_HABIT);
}

enum vhu_ring_role vhu_judge_role(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_evidence *evidence = judgement->evidence;
	enum vhu_ring_role role = VHU_RING_ROLE_UNKNOWN;

	if (evidence->context)
		role = vhu_ring_role(evidence->context->device, evidence->context->features,
				     evidence->vring);
	/* Buffers that the device only writes to may be there for input; requests tell it
	 * something. */
	if (role == VHU_RING_ROLE_UNKNOWN && evidence->sample[1].look.requests > 0 &&
	    !evidence->sample[1].look.input)
		role = VHU_RING_REQUESTS;
	return role;
}
