/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sockets, the mappings, the session and open descriptors say of a vring. */
#include <inttypes.h>

#include "lib/ring/verdict/judges.h"
#include "lib/ring/verdict/process.h"
#include "lib/util/duration.h"

/* A reply may take this long, as in rule 404; nanoseconds. */
#define REPLY_LIMIT UINT64_C(1000000000)
/* Kick, call and err of two vrings may be closed a while after they were replaced. */
#define DEAD_LEAST  8

/* Return the name of a message, "a request" for one without. */
static const char *name_of(enum vhu_message_id message)
{
	return message < VHU_MESSAGES ? vhu_messages[message].name : "a request";
}

/* Add how many bytes lie unread at one end. Returns whether some do, in both samples. */
static bool add_unread(struct vhu_judgement *judgement, const char *who,
		       const struct vhu_ring_process *older, const struct vhu_ring_process *newer)
{
	if (!older->known || !newer->known || older->unread == 0 || newer->unread < older->unread)
		return false;
	vhu_line_printf(&judgement->text, ", the %s leaves %" PRIu64 " bytes unread", who,
			newer->unread);
	return true;
}

bool vhu_judge_control(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *older = &judgement->evidence->sample[0];
	const struct vhu_ring_sample *newer = &judgement->evidence->sample[1];
	const struct vhu_ring_pending *pending = &newer->pending;
	size_t start = judgement->text.length;
	char age[VHU_DURATION_TEXT_SIZE];
	bool unread;

	if (pending->number == 0 || older->pending.number != pending->number ||
	    newer->time_ns - older->time_ns < VHU_RING_SAMPLES_APART)
		return false;
	vhu_line_printf(&judgement->text, "%s (message %" PRIu64 ") has waited %s for its reply",
			name_of(pending->message), pending->number,
			vhu_duration_text(pending->age_ns, age));
	unread = add_unread(judgement, "back-end", &older->back_end, &newer->back_end);
	unread |= add_unread(judgement, "front-end", &older->front_end, &newer->front_end);
	if (!unread && pending->age_ns < REPLY_LIMIT) {
		vhu_line_back(&judgement->text, start);
		return false;
	}
	if (!unread)
		vhu_line_printf(&judgement->text, ", the %s has read it",
				pending->from_back_end ? "front-end" : "back-end");
	vhu_judge_process(judgement, "back-end", &newer->back_end);
	vhu_judge_process(judgement, "front-end", &newer->front_end);
	vhu_judge_process(judgement, "proxy", &newer->proxy);
	return vhu_judge_as(judgement, VHU_RING_D14, true);
}

/* Return whether a process cannot run, and did not at the older sample. */
static bool cannot_run(const struct vhu_ring_process *older, const struct vhu_ring_process *newer)
{
	return older->known && newer->known && older->state == newer->state &&
	       vhu_ring_trouble(newer->state);
}

bool vhu_judge_proxy(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *older = &judgement->evidence->sample[0];
	const struct vhu_ring_sample *newer = &judgement->evidence->sample[1];

	if (!cannot_run(&older->proxy, &newer->proxy))
		return false;
	if (judgement->ring->waiting > 0)
		vhu_judge_waits(judgement);
	else
		vhu_line_printf(&judgement->text, "nothing waits, available and used are %u",
				judgement->ring->used);
	vhu_judge_process(judgement, "proxy", &newer->proxy);
	vhu_line_add(&judgement->text, " and passes no kick and no call on");
	/* Whether a call is on its way is not known: the guest hangs with it. */
	return vhu_judge_as(judgement, VHU_RING_D21, true);
}

bool vhu_judge_mappings(struct vhu_judgement *judgement)
{
	const struct vhu_ring_mappings *mappings = &judgement->evidence->mappings;
	const char *who = mappings->back_end ? "back-end" : "front-end";

	if (!mappings->known || (!mappings->private_map && !mappings->other_file))
		return false;
	vhu_line_printf(&judgement->text,
			mappings->private_map
			    ? "the %s has mapped the vring's memory private"
			    : "the %s has mapped another file where the vring's memory is",
			who);
	return vhu_judge_as(judgement, VHU_RING_D9, true);
}

bool vhu_judge_stopped(struct vhu_judgement *judgement)
{
	const struct vhu_ring_session *session = &judgement->evidence->session;
	const char *state = session->started ? "disabled" : "stopped";
	bool waits = judgement->readable && judgement->ring->waiting_least > 0;

	if (!session->known || (session->started && session->enabled))
		return false;
	if (waits) {
		vhu_judge_waits(judgement);
		vhu_line_add(&judgement->text, ", ");
	}
	if (session->stopped_by)
		vhu_line_printf(&judgement->text, "the vring was %s by %s (message %" PRIu64 ")",
				state, name_of(session->stopped_message), session->stopped_by);
	else
		vhu_line_printf(&judgement->text, "the vring was never %s",
				session->started ? "enabled" : "started");
	/* Drivers leave buffers for input in vrings that they do not use. */
	return vhu_judge_as(judgement, VHU_RING_D10,
			    waits && vhu_judge_role(judgement) == VHU_RING_REQUESTS);
}

bool vhu_judge_dead(struct vhu_judgement *judgement)
{
	const struct vhu_ring_dead *dead = &judgement->evidence->dead;

	if (!dead->known || dead->held < DEAD_LEAST)
		return false;
	vhu_line_printf(&judgement->text,
			"the back-end holds %u eventfds of earlier set-ups after %u resets",
			dead->held, dead->resets);
	if (dead->since)
		vhu_line_printf(&judgement->text, ", the first since message %" PRIu64,
				dead->since);
	return vhu_judge_as(judgement, VHU_RING_D19, false);
}
