/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the watchdog sees of the vrings of a session: their indexes and counters at each look, since
 * when nothing has moved, and the evidence for a verdict.
 *
 * Ownership: a struct vhu_watchdog_vring owns its samples. Memory is read by descriptors that
 * struct vhu_watchdog_kept owns.
 */
#ifndef VHU_PROXY_WATCHDOG_LOOK_H
#define VHU_PROXY_WATCHDOG_LOOK_H

#include "lib/ring/verdict/verdict.h"
#include "proxy/eventfd/interposer.h"
#include "proxy/eventfd/kept.h"
#include "proxy/watchdog/kept.h"

/* A vring as it was at a look, and what the interposer had counted by then. */
struct vhu_watchdog_moment {
	uint64_t time_ns;
	uint16_t available, used;
	uint64_t kicks, calls; /* that reached the other side */
};

struct vhu_watchdog_vring {
	/* Which set-up it is about: the messages that started it and told where it is. */
	uint64_t started_by, descriptor_by, size_by;
	struct vhu_ring_evidence evidence;       /* sample[1] is of the latest look */
	struct vhu_watchdog_moment last, before; /* before: of the look before it moved last */
	bool looked;                             /* at least once */
	bool moved;                              /* from the look before to this one */
	bool slides;                             /* the next look replaces sample[0] by sample[1] */
	uint64_t still_ns;                       /* since when nothing has moved */
	bool said;                               /* that it hangs */
};

/* The memory of a session, as it is at a look. */
struct vhu_watchdog_memory {
	struct vhu_ring_memory memory, inflight;
	struct vhu_ring_region *region, inflight_region;
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
void vhu_watchdog_vring_start(struct vhu_watchdog_vring *vring,
			      const struct vhu_watchdog_view *view, unsigned index);

/* Look at a vring that is started. */
void vhu_watchdog_vring_look(struct vhu_watchdog_vring *vring, const struct vhu_watchdog_view *view,
			     unsigned index);

/* Return the fault that lost the latest kick or call of a vring; 0: that was passed on, or is not
 * known. */
unsigned vhu_watchdog_lost_by(const struct vhu_interposer *interposer, unsigned vring,
			      enum vhu_vring_role role);

/* Read a process's state from /proc. */
void vhu_watchdog_process_read(struct vhu_ring_process *process, uint32_t pid);

/* Free what is known of a vring. */
void vhu_watchdog_vring_free(struct vhu_watchdog_vring *vring);

#endif
