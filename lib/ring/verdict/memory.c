/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the memory of a vring says: views, indexes, chains, the in-flight area. */
#include <inttypes.h>

#include "lib/ring/verdict/judges.h"

bool vhu_judge_views(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *sample = judgement->evidence->sample;

	for (unsigned i = 0; i < 2; i++)
		if (!sample[i].view_known ||
		    (sample[i].view_available == sample[i].ring.available &&
		     sample[i].view_used == sample[i].ring.used))
			return false;
	vhu_line_printf(&judgement->text,
			"the front-end sees available %u and used %u, the shared file has "
			"available %u and used %u",
			sample[1].view_available, sample[1].view_used, judgement->ring->available,
			judgement->ring->used);
	return vhu_judge_as(judgement, VHU_RING_D9, true);
}

/*
 * Return whether the back-end has begun a split ring's used index again at 0, after a base that is
 * further on. It has then used no more buffers than were made available since the base. A ring that
 * has gone around 65536 looks the same only while the available index is around and the used one
 * is not.
 */
static bool has_restarted(const struct vhu_judgement *judgement)
{
	const struct vhu_ring_session *session = &judgement->evidence->session;
	const struct vhu_ring_snapshot *ring = judgement->ring;
	uint16_t base = (uint16_t)session->base;
	uint16_t added = (uint16_t)(ring->available - base);

	return session->known && session->base_by && !ring->packed && ring->used < base &&
	       (uint16_t)(ring->used - base) > added && ring->used <= added;
}

/* Make out D17. */
static bool judge_as_restarted(struct vhu_judgement *judgement)
{
	vhu_line_printf(&judgement->text,
			"the used index is %u, the base of message %" PRIu64
			" is %u and %u buffers were made available since: the back-end began "
			"again at 0",
			judgement->ring->used, judgement->evidence->session.base_by,
			(uint16_t)judgement->evidence->session.base,
			(uint16_t)(judgement->ring->available - judgement->evidence->session.base));
	return vhu_judge_as(judgement, VHU_RING_D17, true);
}

/* Return whether the indexes of a snapshot cannot be those of a working ring. */
static bool is_impossible(const struct vhu_ring_snapshot *ring)
{
	return ring->steady && (ring->packed ? ring->misplaced : ring->waiting > ring->size);
}

bool vhu_judge_indexes(struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;

	if (!is_impossible(&judgement->evidence->sample[0].ring) || !is_impossible(ring))
		return false;
	if (has_restarted(judgement))
		return judge_as_restarted(judgement);
	if (ring->packed)
		vhu_line_printf(&judgement->text,
				"the in-flight area has the used position at %u with wrap %u, the "
				"driver is at %u with wrap %u: they are more than a lap apart",
				ring->inflight.used & 0x7fff, ring->inflight.used >> 15,
				ring->available & 0x7fff, ring->available >> 15);
	else
		vhu_line_printf(&judgement->text,
				"available %u is %" PRIu32
				" ahead of used %u in a ring of %" PRIu32,
				ring->available, ring->waiting, ring->used, ring->size);
	return vhu_judge_as(judgement, VHU_RING_D11, true);
}

bool vhu_judge_restart(struct vhu_judgement *judgement)
{
	if (!has_restarted(judgement))
		return false;
	vhu_judge_or(judgement, VHU_RING_D4);
	return judge_as_restarted(judgement);
}

bool vhu_judge_chains(struct vhu_judgement *judgement)
{
	const struct vhu_ring_look *older = &judgement->evidence->sample[0].look;
	const struct vhu_ring_look *newer = &judgement->evidence->sample[1].look;

	if (newer->fault == VHU_RING_FAULT_NONE || newer->fault == VHU_RING_FAULT_UNREADABLE ||
	    older->fault != newer->fault || older->fault_head != newer->fault_head ||
	    judgement->ring->waiting_least == 0)
		return false;
	vhu_judge_waits(judgement);
	vhu_line_printf(&judgement->text, ", the chain of head %u %s at descriptor %" PRIu32,
			newer->fault_head, vhu_ring_fault_text(newer->fault), newer->fault_row);
	if (newer->fault_address)
		vhu_line_printf(&judgement->text, " (address 0x%" PRIx64 ")", newer->fault_address);
	return vhu_judge_as(judgement, VHU_RING_D18, true);
}

bool vhu_judge_inflight(struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *ring = judgement->ring;
	const struct vhu_ring_inflight *inflight = &ring->inflight;
	bool too_many = inflight->descriptors > ring->waiting;
	/* The back-end asks for a kick behind all buffers and has none of them. */
	bool skipped =
	    inflight->count == 0 && ring->waiting > 0 && vhu_ring_kick(ring) == VHU_RING_KICK_TAKEN;

	if (!inflight->known || inflight->unsettled || (!too_many && !skipped))
		return false;
	vhu_judge_waits(judgement);
	vhu_line_printf(&judgement->text, ", the in-flight area has %" PRIu32 " in flight",
			inflight->descriptors);
	if (skipped)
		vhu_line_printf(&judgement->text,
				" and the back-end asks for a kick behind them (%u)",
				ring->device_event);
	return vhu_judge_as(judgement, VHU_RING_D12, ring->waiting > 0);
}
