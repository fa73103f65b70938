/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What earlier looks at vrings showed, for the next one: since when buffers wait, how the vring was
 * when its back-end was started, and what was signalled since its indexes moved last, as far as the
 * capture has kicks and calls.
 *
 * Ownership: a past owns its entries.
 */
#ifndef VHU_TOOLS_RINGS_PAST_H
#define VHU_TOOLS_RINGS_PAST_H

#include "tools/rings/target/target.h"

/* Indexes of a vring at one time, and what its session had recorded of it by then. */
struct vhu_rings_past_look {
	uint64_t time_ns; /* 0: there was none */
	uint16_t available, used;
	struct vhu_ring_signals signals;
};

/* A vring: one that the same front-end has at the same place, whatever its session. */
struct vhu_rings_past_vring {
	uint32_t front_end;
	unsigned vring;
	uint64_t descriptor, session;
	struct vhu_rings_past_look last;  /* the last look */
	struct vhu_rings_past_look other; /* the last one that showed other indexes */
	uint64_t
	    waiting_since_ns; /* since when the oldest buffer has waited at least; 0: none did */
	bool start_known;
	uint16_t start_available; /* when this session was started */
};

struct vhu_rings_past {
	struct vhu_rings_past_vring *vring;
	unsigned vrings;
};

/* Add what is known of the past to what is known of a vring, which was sampled. */
void vhu_rings_past_tell(const struct vhu_rings_past *past, struct vhu_rings_target *target);

/* Remember vrings as they were sampled; what does not fit in memory is not remembered. */
void vhu_rings_past_keep(struct vhu_rings_past *past, const struct vhu_rings_targets *targets);

void vhu_rings_past_free(struct vhu_rings_past *past);

#endif
