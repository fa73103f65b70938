/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The eventfds of a session's vrings that the proxy keeps a copy of, to read what they count and to
 * signal them once on request. A vring's kick and call are kept until the front-end replaces them,
 * or the session ends; a kick also ends when its vring stops.
 *
 * Ownership: a struct vhu_kept_eventfds owns its descriptors.
 */
#ifndef VHU_PROXY_EVENTFD_KEPT_H
#define VHU_PROXY_EVENTFD_KEPT_H

#include <stdint.h>

#include "lib/capture/record.h"

struct vhu_relay;

struct vhu_kept_eventfd {
	int fd; /* -1: none */
	uint32_t id;
};

/* The eventfds of a vring, by role. */
struct vhu_kept_vring {
	struct vhu_kept_eventfd eventfd[VHU_VRING_ROLES];
};

/* All zero: nothing is kept. */
struct vhu_kept_eventfds {
	struct vhu_kept_vring *vring;
	unsigned vrings;
};

/* Keep the kick or the call that the message of @relay brings, if it brings one. The front-end sent
 * the message, it was received whole, and is not passed on yet. */
void vhu_kept_eventfds_keep(struct vhu_kept_eventfds *kept, const struct vhu_relay *relay);

/* Let go of the kick of the vring that the reply of @relay stops, if it stops one. */
void vhu_kept_eventfds_stop(struct vhu_kept_eventfds *kept, const struct vhu_relay *relay);

/* Return a vring's kick or call; its descriptor is -1 if none is kept. */
struct vhu_kept_eventfd vhu_kept_eventfds_find(const struct vhu_kept_eventfds *kept, unsigned vring,
					       enum vhu_vring_role role);

/* Return how many descriptors are kept. */
unsigned vhu_kept_eventfds_count(const struct vhu_kept_eventfds *kept);

/* Close all descriptors, and free what holds them. */
void vhu_kept_eventfds_free(struct vhu_kept_eventfds *kept);

#endif
