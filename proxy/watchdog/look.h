/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the watchdog sees of the vrings of a session.
 *
 * Ownership: memory is read by descriptors that struct vhu_watchdog_kept owns.
 */
#ifndef VHU_PROXY_WATCHDOG_LOOK_H
#define VHU_PROXY_WATCHDOG_LOOK_H

#include "lib/ringwatch/vring.h"
#include "proxy/eventfd/interposer.h"
#include "proxy/eventfd/kept.h"
#include "proxy/watchdog/kept.h"

/* The memory of a session, as it is at a look. */
struct vhu_watchdog_memory {
	struct vhu_ring_memory memory, inflight;
	struct vhu_ring_region *region, inflight_region;
	struct vhu_ring_translation *translation;
	uint64_t inflight_size;
	unsigned queues;
};

/* A session at a look. */
struct vhu_watchdog_view {
	const struct vhu_state *state;
	const struct vhu_watchdog_kept *kept;
	const struct vhu_kept_eventfds *eventfds;
	const struct vhu_interposer *interposer; /* NULL without */
	struct vhu_watchdog_memory memory;
	struct vhu_ring_pending pending;
	struct vhu_ring_process process[2]; /* by side */
};

/* Begin a look: find the memory. Returns 0 or -ENOMEM; then vhu_watchdog_view_end is to be called.
 */
int vhu_watchdog_view_begin(struct vhu_watchdog_view *view);
void vhu_watchdog_view_end(struct vhu_watchdog_view *view);

/* Note how a vring is that is being started: the kick is about to reach the back-end. */
void vhu_watchdog_vring_start(struct vhu_ringwatch_vring *vring,
			      const struct vhu_watchdog_view *view, unsigned index);

/* Look at a vring that is started. */
void vhu_watchdog_vring_look(struct vhu_ringwatch_vring *vring,
			     const struct vhu_watchdog_view *view, unsigned index);

/* Return the fault that lost the latest kick or call of a vring; 0: that was passed on, or is not
 * known. */
unsigned vhu_watchdog_lost_by(const struct vhu_interposer *interposer, unsigned vring,
			      enum vhu_vring_role role);

#endif
