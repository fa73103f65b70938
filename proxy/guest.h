/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest: a peer that is there, and waits for one of the other side.
 *
 * Ownership: a guest belongs to its pair's list, and owns its socket until that is taken.
 */
#ifndef VHU_PROXY_GUEST_H
#define VHU_PROXY_GUEST_H

#include "proxy/proxy.h"

struct vhu_pair;

struct vhu_guest {
	struct vhu_watch watch; /* tells when it goes away; in the loop once it has to wait */
	struct vhu_pair *pair;
	enum vhu_side side;
	uint64_t since_ns; /* when it came, as vhu_loop_now tells */
	struct vhu_guest *next;
};

/* Put @fd at the end of the guests of @pair. Returns the guest; NULL out of memory, and @fd is
 * closed. */
struct vhu_guest *vhu_guest_add(struct vhu_pair *pair, enum vhu_side side, int fd);

/* Let @guest wait: from now on its going away is noticed, and told to the pair. */
void vhu_guest_wait(struct vhu_guest *guest);

/* Return whether @guest, which has waited, has gone away: that may be known before it is told. */
bool vhu_guest_left(const struct vhu_guest *guest);

/* Free @guest. Returns its socket, which is the caller's from now on. */
int vhu_guest_take(struct vhu_guest *guest);

#endif
