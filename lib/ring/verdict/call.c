/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers are used: was the driver called, was the call delivered, has the driver seen it? */
#include <inttypes.h>

#include "lib/ring/verdict/judges.h"
#include "lib/util/duration.h"

/* A kick that has had no call for so long has none, nanoseconds. */
#define OPEN_LEAST UINT64_C(1000000000)

/* Return whether the back-end called what is no longer the vring's call, all the time. */
static bool calls_elsewhere(const struct vhu_ring_evidence *evidence)
{
	const struct vhu_ring_sample *sample = evidence->sample;

	for (unsigned i = 0; i < 2; i++)
		if (!sample[i].call_holders_known || sample[i].holds_call ||
		    !sample[i].holds_old_call)
			return false;
	return evidence->session.known && evidence->session.started &&
	       sample[0].call.id == sample[1].call.id;
}

/* Return whether an unread call holds the driver up. */
static bool is_undelivered(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_evidence *evidence = judgement->evidence;
	const struct vhu_ring_process *front_end = &evidence->sample[1].front_end;

	if (!vhu_judge_pending(&evidence->sample[1].call))
		return false;
	switch (vhu_ring_call(judgement->ring)) {
	case VHU_RING_CALL_AHEAD:
		return false; /* the driver has seen all without it */
	case VHU_RING_CALL_SUPPRESSED:
		return front_end->known && (front_end->state == 'T' || front_end->state == 't');
	case VHU_RING_CALL_UNKNOWN:
	case VHU_RING_CALL_PASSED:
		break;
	}
	/* Drivers that poll never read their call. */
	return evidence->call_poller != VHU_RING_POLLER_NONE;
}

/* Return whether buffers were used while the probes watched, and the driver wanted a call. */
static bool was_to_be_called(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_probes *probes = &judgement->evidence->probes;
	struct vhu_ring_snapshot before = *judgement->ring;

	if (!probes->known || probes->used == judgement->ring->used)
		return false;
	switch (vhu_ring_call(judgement->ring)) {
	case VHU_RING_CALL_UNKNOWN:
		return true;
	case VHU_RING_CALL_PASSED:
		/* The driver's event was passed during the watch, not before. */
		before.used = probes->used;
		return vhu_ring_call(&before) == VHU_RING_CALL_AHEAD;
	case VHU_RING_CALL_AHEAD:
	case VHU_RING_CALL_SUPPRESSED:
		break;
	}
	return false;
}

/* Add since when kicks have had no call. */
static void add_age(struct vhu_judgement *judgement)
{
	char age[VHU_DURATION_TEXT_SIZE];

	vhu_line_add(&judgement->text,
		     vhu_duration_text(judgement->evidence->signals.open_ns, age));
}

/* Return whether the driver wants to be called for what is used, as far as that shows. */
static bool may_want_call(const struct vhu_judgement *judgement)
{
	enum vhu_ring_call call = vhu_ring_call(judgement->ring);

	return judgement->ring->waiting == 0 &&
	       (call == VHU_RING_CALL_UNKNOWN || call == VHU_RING_CALL_PASSED) &&
	       vhu_judge_role(judgement) != VHU_RING_INPUT;
}

/* Return whether the driver asks for a call where it has been long ago: it may do without. */
static bool is_event_old(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;

	return ring->event_idx && !ring->packed &&
	       (uint16_t)(ring->used - ring->driver_event) >
		   judgement->evidence->signals.open_kicks;
}

/* Make out D6 if the proxy lost the last call, else D5 if each kick had a call and the last one has
 * none: by what was counted since the session began. */
static bool judge_uncalled(struct vhu_judgement *judgement)
{
	const struct vhu_ring_signals *signals = &judgement->evidence->signals;

	if (!may_want_call(judgement))
		return false;
	if (signals->lost_call) {
		vhu_line_printf(&judgement->text,
				"all is used up to %u, and a fault of the proxy lost the last call",
				judgement->ring->used);
		judgement->verdict->advice = VHU_JUDGE_REMOVE_FAULT;
		return vhu_judge_as(judgement, VHU_RING_D6, true);
	}
	if (!vhu_judge_took_turns(judgement) || signals->open_ns < OPEN_LEAST ||
	    is_event_old(judgement))
		return false;
	/* Event indexes show which requests the driver has seen. */
	if (!judgement->ring->event_idx && !vhu_judge_one_at_a_time(judgement))
		return false;
	vhu_line_printf(&judgement->text,
			"all is used up to %u, each kick had a call, and the last one has had none "
			"for ",
			judgement->ring->used);
	add_age(judgement);
	return vhu_judge_as(judgement, VHU_RING_D5, true);
}

bool vhu_judge_call(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *newer = &judgement->evidence->sample[1];
	const struct vhu_ring_probes *probes = &judgement->evidence->probes;

	if (calls_elsewhere(judgement->evidence)) {
		vhu_line_printf(&judgement->text,
				"the call is eventfd %" PRIu32
				", and the back-end holds one that it replaced instead",
				newer->call.id);
		return vhu_judge_as(judgement, VHU_RING_D7, true);
	}
	if (is_undelivered(judgement)) {
		vhu_line_printf(&judgement->text,
				"the call counter is %" PRIu64 " (eventfd %" PRIu32
				") and the front-end does not read it, used is %u",
				newer->call.count, newer->call.id, judgement->ring->used);
		vhu_judge_process(judgement, "front-end", &newer->front_end);
		return vhu_judge_as(judgement, VHU_RING_D6, true);
	}
	if (judge_uncalled(judgement))
		return true;
	if (!was_to_be_called(judgement) || probes->calls > 0)
		return false;
	vhu_line_printf(&judgement->text,
			"used went from %u to %u while the probes watched, the driver wanted a "
			"call and there was none",
			probes->used, judgement->ring->used);
	return vhu_judge_as(judgement, VHU_RING_D5, true);
}

/* Return whether nothing was ever used, since the base at least. */
static bool is_new(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;
	const struct vhu_ring_session *session = &judgement->evidence->session;

	if (ring->packed) /* the device leaves the address of the first descriptor as it is */
		return vhu_ring_row_field(ring->descriptor, 0, 0, 8, ring->big_endian) == 0;
	return ring->used == (session->base_by ? (uint16_t)session->base : 0);
}

/* Say what an idle vring could hide: calls that were not made, or that the guest did not heed. */
static void add_doubts(struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;
	enum vhu_ring_call call = vhu_ring_call(ring);

	if (is_new(judgement) || (call != VHU_RING_CALL_UNKNOWN && call != VHU_RING_CALL_PASSED))
		return;
	if (call == VHU_RING_CALL_PASSED)
		vhu_line_printf(&judgement->text, ", the driver asked for a call at %u",
				ring->driver_event);
	if (judgement->evidence->signals.open_ns >= OPEN_LEAST) {
		vhu_line_printf(&judgement->text, ", the last kick%s had no call for ",
				judgement->evidence->signals.open_kicks == 1 ? " has" : "s have");
		add_age(judgement);
	}
	if (!was_to_be_called(judgement))
		vhu_judge_or(judgement, VHU_RING_D5);
	vhu_judge_or(judgement, VHU_RING_D8);
}

/* Add which side cannot run: a machine that is stopped hangs, though its vrings are idle. */
static void add_processes(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *newer = &judgement->evidence->sample[1];

	vhu_judge_process(judgement, "back-end", &newer->back_end);
	vhu_judge_process(judgement, "front-end", &newer->front_end);
}

bool vhu_judge_idle(struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;
	const struct vhu_ring_probes *probes = &judgement->evidence->probes;
	enum vhu_ring_role role = vhu_judge_role(judgement);

	if (ring->waiting > 0) {
		vhu_judge_waits(judgement);
		if (role == VHU_RING_INPUT) {
			vhu_line_add(&judgement->text, " for input");
			add_processes(judgement);
		} else {
			vhu_line_add(&judgement->text, ring->waiting_least
							   ? ", which may be for input"
							   : ", or none");
			vhu_judge_or(judgement, VHU_RING_D4);
			vhu_judge_or(judgement, VHU_RING_D1);
		}
		return vhu_judge_as(judgement, VHU_RING_D13, false);
	}
	if (was_to_be_called(judgement) && vhu_ring_call(ring) == VHU_RING_CALL_PASSED) {
		vhu_line_printf(&judgement->text,
				"all is used up to %u, the back-end called (%" PRIu64
				" times), and the driver still asks for a call at %u",
				ring->used, probes->calls, ring->driver_event);
		/* The last one of several calls may be the one that is missing. */
		if (ring->packed || probes->calls < (uint16_t)(ring->used - probes->used))
			vhu_judge_or(judgement, VHU_RING_D5);
		return vhu_judge_as(judgement, VHU_RING_D8, true);
	}
	vhu_line_printf(&judgement->text, "nothing waits, available and used are %u", ring->used);
	add_doubts(judgement);
	add_processes(judgement);
	return vhu_judge_as(judgement, VHU_RING_D13, false);
}
