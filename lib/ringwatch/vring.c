/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vring that is looked at again and again. */
#include "lib/ringwatch/vring.h"

#include <errno.h>

#include "lib/util/util.h"

/* Return the moment of a look. */
static struct vhu_ringwatch_moment moment_of(const struct vhu_ring_snapshot *ring, uint64_t unread,
					     const struct vhu_ringwatch_signals *signals,
					     uint64_t time_ns)
{
	return (struct vhu_ringwatch_moment){time_ns, ring->available, ring->used, unread,
					     *signals};
}

void vhu_ringwatch_vring_start(struct vhu_ringwatch_vring *vring,
			       const struct vhu_ring_place *place,
			       const struct vhu_ringwatch_signals *signals)
{
	struct vhu_ring_snapshot ring;

	vhu_ringwatch_vring_free(vring);
	if (vhu_ring_snapshot_read(place, &ring))
		return;
	vring->evidence.session.start_known = true;
	vring->evidence.session.start_available = ring.available;
	vring->last = vring->before = moment_of(&ring, 0, signals, vhu_now_ns());
	vhu_ring_snapshot_free(&ring);
}

/* Take what the session says of the vring. */
static void take_session(struct vhu_ringwatch_vring *vring, const struct vhu_ringwatch_sight *sight)
{
	const struct vhu_ringwatch_setup *setup = &sight->setup;
	struct vhu_ring_evidence *evidence = &vring->evidence;
	struct vhu_ring_session session = sight->session;

	if (vring->setup.started != setup->started || vring->setup.size != setup->size ||
	    vring->setup.descriptor != setup->descriptor) {
		vring->looked = vring->said = vring->slides = false;
		evidence->sample[0].ring_error = -ENODATA;
		vring->setup = *setup;
	}
	session.start_known = evidence->session.start_known;
	session.start_available = evidence->session.start_available;
	evidence->vring = sight->index;
	vring->context = sight->context;
	evidence->context = sight->context_known ? &vring->context : NULL;
	evidence->session = session;
	evidence->signals = sight->turns;
}

/* Return how many of @kicks the back-end has read. */
static uint64_t wakes_of(const struct vhu_ringwatch_signals *now,
			 const struct vhu_ringwatch_signals *before, uint64_t kicks,
			 uint64_t unread)
{
	if (now->wakes_known)
		return now->wakes - before->wakes;
	return kicks > unread ? kicks - unread : 0;
}

/* Take what was signalled since the vring moved last as what probes count. */
static void take_probes(struct vhu_ringwatch_vring *vring,
			const struct vhu_ringwatch_signals *signals)
{
	const struct vhu_ringwatch_moment *before = &vring->before;
	const struct vhu_ring_sample *newer = &vring->evidence.sample[1];
	const bool known =
	    before->time_ns && before->signals.known && signals->known && !signals->partly;
	const uint64_t kicks = known ? signals->kicks - before->signals.kicks : 0;
	uint16_t available = before->available;

	/* If some of the buffers that were added since came with a kick, the last one may have come
	 * without: then nothing is said of kicks. */
	if (kicks > 0 && kicks < (uint16_t)(newer->ring.available - before->available))
		available = newer->ring.available;
	vring->evidence.probes = (struct vhu_ring_probes){
	    .known = known,
	    .since_ns = before->time_ns,
	    .until_ns = newer->time_ns,
	    .available = available,
	    .used = before->used,
	    .kicks = kicks,
	    .wakes = known ? wakes_of(signals, &before->signals, kicks, newer->kick.count) : 0,
	    .calls = known ? signals->calls - before->signals.calls : 0,
	};
}

/* Return whether two counters are the same. */
static bool same_counter(const struct vhu_ring_counter *one, const struct vhu_ring_counter *other)
{
	return one->known == other->known && one->id == other->id && one->count == other->count;
}

/* Make the newer sample the older one. */
static void slide(struct vhu_ring_evidence *evidence)
{
	struct vhu_ring_sample older = evidence->sample[0];

	evidence->sample[0] = evidence->sample[1];
	evidence->sample[1] = older;
}

/* Read what there is to see into the newer sample. */
static void take_sample(struct vhu_ring_sample *newer, const struct vhu_ringwatch_sight *sight)
{
	newer->time_ns = vhu_now_ns();
	newer->kick = sight->kick;
	newer->call = sight->call;
	newer->front_end = sight->front_end;
	newer->back_end = sight->back_end;
	newer->proxy = sight->proxy;
	newer->pending = sight->pending;
	if (sight->place.memory) {
		vhu_ring_sample_read(&sight->place, newer);
	} else {
		vhu_ring_sample_free(newer);
		newer->ring_error = -ENODATA;
	}
	/* An address in memory that is not known says nothing. */
	if (sight->partly && newer->look.fault == VHU_RING_FAULT_UNMAPPED)
		newer->look.fault = VHU_RING_FAULT_NONE;
}

/* Return whether something moved since the last look at a vring. */
static bool has_moved(const struct vhu_ringwatch_vring *vring,
		      const struct vhu_ringwatch_sight *sight)
{
	const struct vhu_ring_sample *older = &vring->evidence.sample[0];
	const struct vhu_ring_sample *newer = &vring->evidence.sample[1];
	const struct vhu_ringwatch_signals *last = &vring->last.signals;

	if (!vring->looked)
		return true;
	if (sight->place.memory)
		return newer->ring_error || older->ring_error ||
		       !vhu_ring_snapshot_same(&older->ring, &newer->ring);
	/* Without memory it is at rest while a kick is not read. */
	return !newer->kick.known || newer->kick.count == 0 || vring->last.unread == 0 ||
	       newer->kick.count < vring->last.unread || !last->known || !sight->signals.known ||
	       sight->signals.wakes != last->wakes || sight->signals.calls != last->calls;
}

void vhu_ringwatch_vring_since(struct vhu_ringwatch_vring *vring, uint64_t time_ns,
			       const struct vhu_ringwatch_signals *signals)
{
	vring->last = (struct vhu_ringwatch_moment){.time_ns = time_ns, .signals = *signals};
}

void vhu_ringwatch_vring_look(struct vhu_ringwatch_vring *vring,
			      const struct vhu_ringwatch_sight *sight)
{
	struct vhu_ring_evidence *evidence = &vring->evidence;
	struct vhu_ring_sample *older = &evidence->sample[0], *newer = &evidence->sample[1];

	take_session(vring, sight);
	if (vring->slides)
		slide(evidence);
	take_sample(newer, sight);
	vring->moved = has_moved(vring, sight);
	if (vring->moved) {
		vring->before = vring->last;
		/* Without memory it rests from the last wake and call on. */
		if (!sight->place.memory) {
			vring->before.signals.wakes = sight->signals.wakes;
			vring->before.signals.calls = sight->signals.calls;
		}
		vring->still_ns = newer->time_ns;
		vring->said = false;
	}
	if (!newer->ring_error || !sight->place.memory)
		vring->last =
		    moment_of(&newer->ring, newer->kick.count, &sight->signals, newer->time_ns);
	take_probes(vring, &sight->signals);
	evidence->waiting_since_known =
	    !vring->moved && (newer->ring.waiting > 0 || !sight->place.memory);
	evidence->waiting_since_ns = newer->time_ns - vring->still_ns;
	vring->looked = true;
	/* A sample that allows no judgement makes room for the next one. */
	vring->slides = vring->moved || !same_counter(&older->kick, &newer->kick) ||
			!same_counter(&older->call, &newer->call) ||
			older->pending.number != newer->pending.number;
}

void vhu_ringwatch_vring_free(struct vhu_ringwatch_vring *vring)
{
	for (unsigned i = 0; i < 2; i++)
		vhu_ring_sample_free(&vring->evidence.sample[i]);
	*vring = (struct vhu_ringwatch_vring){0};
}
