/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What earlier looks at vrings showed, for the next one. */
#include "tools/rings/target/past.h"

#include <stdlib.h>

#include "lib/util/array.h"

/* Return what is remembered of a vring, or NULL. */
static struct vhu_rings_past_vring *find(const struct vhu_rings_past *past,
					 const struct vhu_rings_target *target)
{
	const uint32_t front_end = target->session->pid[VHU_RINGS_FRONT];

	for (unsigned i = 0; i < past->vrings && front_end; i++) {
		struct vhu_rings_past_vring *vring = &past->vring[i];

		if (vring->front_end == front_end && vring->vring == target->vring->index &&
		    vring->descriptor == target->vring->descriptor)
			return vring;
	}
	return NULL;
}

/* Return the vring of a target as it was sampled last. */
static struct vhu_rings_past_look look_of(const struct vhu_rings_target *target)
{
	const struct vhu_ring_sample *sample = &target->evidence.sample[1];

	return (struct vhu_rings_past_look){
	    .time_ns = sample->time_ns,
	    .available = sample->ring.available,
	    .used = sample->ring.used,
	    .signals = target->vring->signals,
	};
}

/* Return whether two looks showed the same indexes. */
static bool is_same(const struct vhu_rings_past_look *one, const struct vhu_rings_past_look *other)
{
	return one->available == other->available && one->used == other->used;
}

/* Return whether a vring was read. */
static bool is_read(const struct vhu_rings_target *target)
{
	return target->vring->index != VHU_RING_NO_VRING && target->evidence.sample[1].time_ns &&
	       !target->evidence.sample[1].ring_error;
}

/* Return what was signalled since an earlier look at the same session, if the capture says. */
static struct vhu_ring_probes probes_since(const struct vhu_rings_past_look *then,
					   const struct vhu_rings_past_look *now)
{
	const uint64_t kicks = now->signals.kicks - then->signals.kicks;
	uint16_t available = then->available;

	if (!then->time_ns || !then->signals.known)
		return (struct vhu_ring_probes){0};
	/* If some of the buffers that were added since came with a kick, the last one may have come
	 * without: then nothing is said of kicks. */
	if (kicks > 0 && kicks < (uint16_t)(now->available - then->available))
		available = now->available;
	return (struct vhu_ring_probes){
	    .known = true,
	    .since_ns = then->time_ns,
	    .until_ns = now->time_ns,
	    .available = available,
	    .used = then->used,
	    .kicks = kicks,
	    /* Who read them is not recorded. */
	    .wakes = kicks,
	    .calls = now->signals.calls - then->signals.calls,
	};
}

void vhu_rings_past_tell(const struct vhu_rings_past *past, struct vhu_rings_target *target)
{
	const struct vhu_rings_past_vring *vring = find(past, target);
	struct vhu_ring_evidence *evidence = &target->evidence;
	struct vhu_rings_past_look now;

	if (!vring || !is_read(target))
		return;
	now = look_of(target);
	if (evidence->sample[1].ring.waiting > 0 && vring->waiting_since_ns &&
	    vring->last.used == now.used) {
		evidence->waiting_since_known = true;
		evidence->waiting_since_ns = now.time_ns - vring->waiting_since_ns;
	}
	if (vring->session == target->session->kept.session) {
		evidence->session.start_known = vring->start_known;
		evidence->session.start_available = vring->start_available;
		evidence->probes =
		    probes_since(is_same(&vring->last, &now) ? &vring->other : &vring->last, &now);
		return;
	}
	/* The session is new, and looked at first. */
	evidence->session.start_known = true;
	evidence->session.start_available = vring->last.available;
}

/* Remember one vring. */
static void keep(struct vhu_rings_past *past, const struct vhu_rings_target *target)
{
	struct vhu_rings_past_vring *vring = find(past, target), *more;
	const struct vhu_rings_past_look now = look_of(target);
	const bool waits = target->evidence.sample[1].ring.waiting > 0;

	if (!vring) {
		more = vhu_array_more(past->vring, &past->vrings, sizeof(*more));
		if (!more)
			return;
		past->vring = more;
		vring = &past->vring[past->vrings - 1];
		*vring = (struct vhu_rings_past_vring){
		    .front_end = target->session->pid[VHU_RINGS_FRONT],
		    .vring = target->vring->index,
		    .descriptor = target->vring->descriptor,
		    .session = target->session->kept.session,
		};
	}
	if (vring->session != target->session->kept.session) {
		vring->session = target->session->kept.session;
		vring->start_known = true;
		vring->start_available = vring->last.available;
		vring->other = vring->last = (struct vhu_rings_past_look){0};
	}
	if (!waits)
		vring->waiting_since_ns = 0;
	else if (!vring->waiting_since_ns || vring->last.used != now.used)
		vring->waiting_since_ns = target->evidence.sample[0].time_ns;
	if (!is_same(&vring->last, &now))
		vring->other = vring->last;
	vring->last = now;
}

void vhu_rings_past_keep(struct vhu_rings_past *past, const struct vhu_rings_targets *targets)
{
	for (unsigned i = 0; i < targets->count; i++)
		if (is_read(&targets->target[i]) &&
		    targets->target[i].session->pid[VHU_RINGS_FRONT])
			keep(past, &targets->target[i]);
}

void vhu_rings_past_free(struct vhu_rings_past *past)
{
	free(past->vring);
	*past = (struct vhu_rings_past){0};
}
