/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers wait: was the back-end kicked, does it listen, did it take them? */
#include <inttypes.h>

#include "lib/ring/verdict/judges.h"
#include "lib/util/duration.h"

/* Rests with an unread kick, without one that was read among them, that no back-end shows that
 * reads its kicks. */
#define RESTS_LEAST 3

/* Return whether requests wait: not buffers for input, and not only by a guess. */
static bool requests_wait(const struct vhu_judgement *judgement)
{
	return judgement->ring->waiting_least > 0 && vhu_judge_role(judgement) == VHU_RING_REQUESTS;
}

/* Return whether the back-end cannot run now. */
static bool is_held_up(const struct vhu_ring_process *process)
{
	return process->known && (process->state == 'T' || process->state == 't' ||
				  process->state == 'Z' || process->state == 'X');
}

/* Return whether the kick's counter wakes the back-end all the time: it polls the eventfd level
 * triggered, or it runs and how it polls is not known. */
static bool is_woken(const struct vhu_ring_evidence *evidence)
{
	const struct vhu_ring_sample *sample = evidence->sample;

	if (evidence->kick_poller == VHU_RING_POLLER_LEVEL)
		return true;
	return evidence->kick_poller == VHU_RING_POLLER_UNKNOWN && sample[0].back_end.known &&
	       sample[1].back_end.known && sample[0].back_end.state == 'R' &&
	       sample[1].back_end.state == 'R';
}

/* Return whether requests are done and no kick is ever read. */
static bool is_never_read(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_evidence *evidence = judgement->evidence;
	const struct vhu_ring_watch *watch = &evidence->watch;
	const struct vhu_ring_probes *probes = &evidence->probes;
	const struct vhu_ring_counter *older = &evidence->sample[0].kick;
	const struct vhu_ring_counter *newer = &evidence->sample[1].kick;
	bool moved = evidence->sample[0].ring.used != judgement->ring->used;

	if (!older->known || !newer->known || older->id != newer->id || older->count == 0 ||
	    newer->count < older->count)
		return false;
	/* A back-end that has always something to do need not read a kick: only one that had time
	 * to is judged. */
	if (!judgement->still)
		return moved && watch->rests >= RESTS_LEAST && watch->falls == 0;
	if (judgement->ring->waiting > 0)
		return false;
	if (probes->known && probes->kicks > 0 && probes->wakes == 0 &&
	    probes->used != judgement->ring->used)
		return true;
	/* All is done, and it is still awake. */
	return evidence->kick_poller == VHU_RING_POLLER_LEVEL &&
	       evidence->sample[0].back_end.state == 'R' &&
	       evidence->sample[1].back_end.state == 'R';
}

bool vhu_judge_busy_loop(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *sample = judgement->evidence->sample;

	if (!is_woken(judgement->evidence) || !is_never_read(judgement))
		return false;
	vhu_line_printf(
	    &judgement->text,
	    "the kick counter was %" PRIu64 " and is %" PRIu64 ", used went from %u to %u",
	    sample[0].kick.count, sample[1].kick.count, sample[0].ring.used, judgement->ring->used);
	return vhu_judge_as(judgement, VHU_RING_D16, false);
}

/* Add that the back-end does not read its kick. */
static void add_not_read(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *newer = &judgement->evidence->sample[1];

	vhu_line_printf(&judgement->text, ", the kick counter is %" PRIu64 " (eventfd %" PRIu32,
			newer->kick.count, newer->kick.id);
	if (newer->kick.interposed)
		vhu_line_printf(&judgement->text, ", which the proxy passed in place of %" PRIu32,
				newer->kick.instead_of);
	vhu_line_add(&judgement->text, ") and the back-end does not read it");
	if (judgement->evidence->kick_poller == VHU_RING_POLLER_NONE)
		vhu_line_add(&judgement->text, ", no process polls the eventfd");
	vhu_judge_process(judgement, "back-end", &newer->back_end);
}

bool vhu_judge_deaf(struct vhu_judgement *judgement)
{
	const struct vhu_ring_evidence *evidence = judgement->evidence;
	const struct vhu_ring_sample *newer = &evidence->sample[1];
	bool sure = requests_wait(judgement);

	if (judgement->ring->waiting_least == 0 || !vhu_judge_pending(&newer->kick))
		return false;
	/* Back-ends that poll the vring itself never read a kick: input may just not come. */
	if (!sure && !is_held_up(&newer->back_end) &&
	    evidence->kick_poller != VHU_RING_POLLER_LEVEL)
		return false;
	vhu_judge_waits(judgement);
	add_not_read(judgement);
	return vhu_judge_as(judgement, VHU_RING_D3, true);
}

bool vhu_judge_not_read(struct vhu_judgement *judgement)
{
	const struct vhu_ring_evidence *evidence = judgement->evidence;
	const struct vhu_ring_sample *older = &evidence->sample[0], *newer = &evidence->sample[1];
	const struct vhu_ring_probes *probes = &evidence->probes;
	char age[VHU_DURATION_TEXT_SIZE];

	/* A kick from before the probes may wake no thread. */
	if (judgement->readable || !probes->known || probes->kicks == 0 || probes->wakes > 0 ||
	    probes->calls > 0 || !vhu_judge_pending(&older->kick) ||
	    !vhu_judge_pending(&newer->kick) || older->kick.id != newer->kick.id ||
	    newer->time_ns - older->time_ns < VHU_RING_SAMPLES_APART)
		return false;
	vhu_line_printf(&judgement->text, "%" PRIu64 " kick%s wait%s", newer->kick.count,
			newer->kick.count == 1 ? "" : "s", newer->kick.count == 1 ? "s" : "");
	if (evidence->waiting_since_known)
		vhu_line_printf(&judgement->text, " for %s",
				vhu_duration_text(evidence->waiting_since_ns, age));
	add_not_read(judgement);
	return vhu_judge_as(judgement, VHU_RING_D3, true);
}

/* Add what the device asked for. */
static void add_event(struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;

	if (ring->packed && ring->event_idx)
		vhu_line_printf(&judgement->text,
				" (device event %u wrap %u, available %u wrap %u)",
				ring->device_event & 0x7fff, ring->device_event >> 15,
				ring->available & 0x7fff, ring->available >> 15);
	else if (ring->event_idx)
		vhu_line_printf(&judgement->text, " (avail_event %u, available %u)",
				ring->device_event, ring->available);
	else
		vhu_line_printf(&judgement->text, " (flags 0x%x)", ring->device_flags);
}

/* Make out D4: the back-end has the buffers. @why: how that is known. */
static bool judge_taken(struct vhu_judgement *judgement, const char *why)
{
	vhu_line_printf(&judgement->text, ", %s", why);
	vhu_judge_process(judgement, "back-end", &judgement->evidence->sample[1].back_end);
	return vhu_judge_as(judgement, VHU_RING_D4, true);
}

/* Make out D2: the device asks for no kicks. */
static bool judge_not_armed(struct vhu_judgement *judgement)
{
	vhu_line_add(&judgement->text, ", the back-end asks for no kick");
	add_event(judgement);
	vhu_judge_process(judgement, "back-end", &judgement->evidence->sample[1].back_end);
	/* A back-end that polls the vring itself wants no kicks and may have the buffers. */
	if (judgement->evidence->kick_poller == VHU_RING_POLLER_NONE &&
	    !judgement->ring->inflight.known)
		vhu_judge_or(judgement, VHU_RING_D4);
	if (!judgement->evidence->sample[1].kick.known)
		vhu_judge_or(judgement, VHU_RING_D3);
	return vhu_judge_as(judgement, VHU_RING_D2, true);
}

/* Return whether nothing was used since the vring was started, as far as the base tells. */
static bool nothing_was_used(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_session *session = &judgement->evidence->session;
	uint32_t base = judgement->ring->packed ? session->base >> 16 : session->base;

	return session->known && session->base_by && (uint16_t)base == judgement->ring->used;
}

/* Return whether a kick came for what waits; true adds how that is known to the text. */
static bool was_kicked(struct vhu_judgement *judgement)
{
	const struct vhu_ring_evidence *evidence = judgement->evidence;
	const struct vhu_ring_probes *probes = &evidence->probes;
	const char *then = evidence->sample[1].kick.known ? " and read the kick" : "";

	if (probes->known && probes->kicks > 0 && probes->available != judgement->ring->available)
		vhu_line_printf(&judgement->text, ", the back-end was kicked%s", then);
	else if (vhu_judge_took_turns(judgement) && vhu_judge_one_at_a_time(judgement) &&
		 evidence->sample[1].look.requests <= evidence->signals.open_kicks)
		vhu_line_printf(&judgement->text,
				", each earlier kick had a call, the back-end was kicked again%s",
				then);
	else
		return false;
	return true;
}

/* Add that the kick's counter is not known, and thus whether @what. */
static void add_not_known(struct vhu_judgement *judgement, const char *what)
{
	vhu_line_printf(&judgement->text, "; whether %s is not known%s", what,
			judgement->evidence->sample[1].kick.interposed
			    ? ": the proxy stands between, ask its control socket (-s)"
			    : "");
}

/* Make out D20 or D4: the back-end was kicked. @taken_is_known: that it took nothing is known. */
static bool judge_kicked(struct vhu_judgement *judgement, bool taken_is_known)
{
	const struct vhu_ring_sample *newer = &judgement->evidence->sample[1];

	if (taken_is_known)
		vhu_line_add(&judgement->text, ", the in-flight area has none in flight");
	vhu_judge_process(judgement, "back-end", &newer->back_end);
	if (!newer->kick.known)
		add_not_known(judgement, "it read the kick");
	/* One that is stopped most likely did not read it. */
	if (!newer->kick.known && is_held_up(&newer->back_end)) {
		vhu_judge_or(judgement, taken_is_known ? VHU_RING_D20 : VHU_RING_D4);
		return vhu_judge_as(judgement, VHU_RING_D3, true);
	}
	if (!newer->kick.known)
		vhu_judge_or(judgement, VHU_RING_D3);
	if (!taken_is_known)
		vhu_judge_or(judgement, VHU_RING_D20);
	return vhu_judge_as(judgement, taken_is_known ? VHU_RING_D20 : VHU_RING_D4, true);
}

/* Add that a kick is wanted, and whether one is pending. */
static void add_wanted(struct vhu_judgement *judgement)
{
	const struct vhu_ring_counter *kick = &judgement->evidence->sample[1].kick;

	vhu_line_add(&judgement->text, ", a kick is wanted");
	if (kick->known)
		vhu_line_add(&judgement->text, " and none is pending");
	add_event(judgement);
	vhu_judge_process(judgement, "back-end", &judgement->evidence->sample[1].back_end);
	if (!kick->known)
		add_not_known(judgement, "one is pending");
}

/* Make out D1, D2b or what comes after a kick: a kick is wanted, none is pending, and the buffers
 * are not taken, or nothing says so. @taken_is_known: that they are not taken is known. */
static bool judge_not_kicked(struct vhu_judgement *judgement, bool taken_is_known)
{
	const struct vhu_ring_evidence *evidence = judgement->evidence;
	const struct vhu_ring_probes *probes = &evidence->probes;

	if (evidence->session.start_known && nothing_was_used(judgement) &&
	    evidence->session.start_available == judgement->ring->available) {
		vhu_line_add(&judgement->text,
			     " since before the back-end started, and nothing was used since");
		return vhu_judge_as(judgement, VHU_RING_D2b, true);
	}
	if (evidence->signals.lost_kick) {
		vhu_line_add(&judgement->text, ", and a fault of the proxy lost the last kick");
		judgement->verdict->advice = VHU_JUDGE_REMOVE_FAULT;
		return vhu_judge_as(judgement, VHU_RING_D1, true);
	}
	if (was_kicked(judgement))
		return judge_kicked(judgement, taken_is_known);
	if (probes->known && probes->available != judgement->ring->available) {
		vhu_line_printf(&judgement->text,
				", a kick is wanted and the probes saw none since available was %u",
				probes->available);
		return vhu_judge_as(judgement, VHU_RING_D1, true);
	}
	add_wanted(judgement);
	if (!evidence->sample[1].kick.known)
		vhu_judge_or(judgement, VHU_RING_D3);
	if (!taken_is_known)
		vhu_judge_or(judgement, VHU_RING_D4);
	else
		judgement->verdict->apart =
		    "start `vhu latency` for the next time: it counts kicks and wakes";
	vhu_judge_or(judgement, VHU_RING_D20);
	if (nothing_was_used(judgement) && !evidence->session.start_known)
		vhu_judge_or(judgement, VHU_RING_D2b);
	return vhu_judge_as(judgement, VHU_RING_D1, true);
}

/* Judge by the in-flight area, which says exactly what was taken. */
static bool judge_by_inflight(struct vhu_judgement *judgement, enum vhu_ring_kick kick)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;
	uint32_t taken = ring->inflight.descriptors;
	bool suppressed = kick == VHU_RING_KICK_STALE || kick == VHU_RING_KICK_SUPPRESSED;
	char why[80];
	struct vhu_line line = vhu_line_in(why, sizeof(why));

	if (taken == 0)
		return suppressed ? judge_not_armed(judgement) : judge_not_kicked(judgement, true);
	vhu_line_printf(&line, "the in-flight area has %" PRIu32 " of them in flight", taken);
	if (taken < ring->waiting)
		vhu_judge_or(judgement, suppressed ? VHU_RING_D2 : VHU_RING_D1);
	return judge_taken(judgement, why);
}

bool vhu_judge_waiting(struct vhu_judgement *judgement)
{
	enum vhu_ring_kick kick;

	if (!requests_wait(judgement))
		return false;
	vhu_judge_waits(judgement);
	if (judgement->evidence->session.polled) {
		vhu_line_add(&judgement->text, ", the back-end polls the vring and takes none");
		vhu_judge_process(judgement, "back-end", &judgement->evidence->sample[1].back_end);
		return vhu_judge_as(judgement, VHU_RING_D15, true);
	}
	kick = vhu_ring_kick(judgement->ring);
	if (judgement->ring->inflight.known)
		return judge_by_inflight(judgement, kick);
	switch (kick) {
	case VHU_RING_KICK_STALE:
	case VHU_RING_KICK_SUPPRESSED:
		return judge_not_armed(judgement);
	case VHU_RING_KICK_TAKEN:
		return judge_taken(judgement, "the back-end asks for a kick behind them: it has "
					      "taken them");
	case VHU_RING_KICK_WANTED:
		break;
	}
	/* The device's event does not help: some back-ends move it when they take a buffer, others
	 * when they have completed all and ask for the next kick. */
	return judge_not_kicked(judgement, false);
}
