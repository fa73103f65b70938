/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a vring: how samples and looks are taken. */
#include "lib/ring/verdict/evidence.h"

/* A back-end that is woken reads its kick within this time, nanoseconds. */
#define REST UINT64_C(5000000)

/* As many of the oldest requests are looked at. */
#define REQUESTS_LOOKED_AT 16

void vhu_ring_sample_read(const struct vhu_ring_place *place, struct vhu_ring_sample *sample)
{
	vhu_ring_sample_free(sample);
	sample->ring_error = vhu_ring_snapshot_read(place, &sample->ring);
	if (!sample->ring_error)
		sample->look = vhu_ring_look(place->memory, &sample->ring, REQUESTS_LOOKED_AT);
}

void vhu_ring_sample_free(struct vhu_ring_sample *sample)
{
	vhu_ring_snapshot_free(&sample->ring);
	sample->look = (struct vhu_ring_look){0};
}

void vhu_ring_watch_add(struct vhu_ring_watch *watch, const struct vhu_ring_sample *older,
			uint64_t time_ns, const struct vhu_ring_snapshot *ring,
			const struct vhu_ring_counter *kick)
{
	struct vhu_ring_watch_last now = {.time_ns = time_ns};

	watch->looks++;
	if (ring && !older->ring_error && !vhu_ring_snapshot_same(&older->ring, ring))
		watch->moves++;
	if (!kick || !kick->known)
		return;
	now.count = kick->count;
	now.used = ring ? ring->used : 0;
	now.empty = ring && ring->steady && ring->waiting == 0 && kick->count > 0;
	if (watch->counts > 0 && now.count < watch->last.count)
		watch->falls++;
	watch->counts++;
	if (now.empty && watch->last.empty && now.used == watch->last.used) {
		/* Looks that follow each other closely make up one rest. */
		if (time_ns - watch->last.time_ns < REST) {
			watch->last.count = now.count;
			return;
		}
		watch->rests++;
	}
	watch->last = now;
}
