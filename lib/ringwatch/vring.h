/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vring that is looked at again and again: its indexes and counters at each look, since when
 * nothing has moved, and the evidence for a verdict. Whoever looks says what there is to see.
 *
 * Ownership: a struct vhu_ringwatch_vring owns its samples; it begins as all 0.
 */
#ifndef VHU_RINGWATCH_VRING_H
#define VHU_RINGWATCH_VRING_H

#include "lib/ring/verdict/verdict.h"

/* How many kicks and calls there were, counted since some time. */
struct vhu_ringwatch_signals {
	bool known;
	bool partly;           /* some kicks or calls may not have been counted */
	uint64_t kicks, calls; /* that reached the other side */
	/* Kicks that the back-end read; not known: all that its eventfd does not count any more. */
	bool wakes_known;
	uint64_t wakes;
};

/* What names a set-up of a vring: it is another one if one of these differs. */
struct vhu_ringwatch_setup {
	uint64_t started, size, descriptor;
};

/* What there is to see of a vring at a look. */
struct vhu_ringwatch_sight {
	unsigned index;
	struct vhu_ringwatch_setup setup;
	struct vhu_ring_place place; /* its memory is NULL if the place is not known */
	bool partly;                 /* there is memory that cannot be read */
	struct vhu_context context;  /* what session says it is about */
	bool context_known;
	struct vhu_ring_session session; /* without the vring as it was when it was started */
	struct vhu_ring_counter kick, call;
	struct vhu_ring_process front_end, back_end;
	struct vhu_ring_process proxy; /* that stands between kicks and calls */
	struct vhu_ring_pending pending;
	struct vhu_ringwatch_signals signals; /* counted before the memory was read */
	struct vhu_ring_signals turns;        /* how kicks and calls took turns, if that is known */
};

/* A vring as it was at a look, and what had been signalled by then. */
struct vhu_ringwatch_moment {
	uint64_t time_ns; /* 0: there was none */
	uint16_t available, used;
	uint64_t unread; /* kicks, as the eventfd counts them */
	struct vhu_ringwatch_signals signals;
};

struct vhu_ringwatch_vring {
	struct vhu_ringwatch_setup setup;
	struct vhu_context context;
	struct vhu_ring_evidence evidence;        /* sample[1] is of the latest look */
	struct vhu_ringwatch_moment last, before; /* before: of the look before it moved last */
	bool looked;                              /* at least once */
	bool moved;                               /* from the look before to this one */
	bool slides;         /* the next look replaces sample[0] by sample[1] */
	uint64_t still_ns;   /* since when nothing has moved */
	bool said;           /* that it hangs */
	const char *verdict; /* the id of the verdict that says so, if it was said */
};

/* Note how a vring is that is being started: the kick is about to reach the back-end. @signals: so
 * far. */
void vhu_ringwatch_vring_start(struct vhu_ringwatch_vring *vring,
			       const struct vhu_ring_place *place,
			       const struct vhu_ringwatch_signals *signals);

/* Note what had been signalled at a vring whose memory is not known, before the first look.
 */
void vhu_ringwatch_vring_since(struct vhu_ringwatch_vring *vring, uint64_t time_ns,
			       const struct vhu_ringwatch_signals *signals);

/* Look at a vring that is started, or whose eventfds alone are known. Forgets what was known of an
 * earlier set-up. */
void vhu_ringwatch_vring_look(struct vhu_ringwatch_vring *vring,
			      const struct vhu_ringwatch_sight *sight);

/* Free what is known of a vring, which is all 0 then. */
void vhu_ringwatch_vring_free(struct vhu_ringwatch_vring *vring);

#endif
