/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the watchdog keeps of the descriptors that pass in a session: the files that memory is in,
 * opened read-only if the kernel allows that. The memory lives until the session ends, or until the
 * front-end replaces it.
 *
 * Ownership: a struct vhu_watchdog_kept owns its descriptors.
 */
#ifndef VHU_PROXY_WATCHDOG_KEPT_H
#define VHU_PROXY_WATCHDOG_KEPT_H

#include "lib/session/state/state.h"
#include "proxy/relay/relay.h"

/* Files that are kept of a session at the most. */
#define VHU_WATCHDOG_FILES_MAX 512

/* A file with memory. */
struct vhu_watchdog_file {
	uint64_t inode, device;
	int fd;
	bool fresh; /* it came since the files were looked through */
};

/* The in-flight area, as in SET_INFLIGHT_FD. */
struct vhu_watchdog_area {
	uint64_t inode, device, offset, size;
	unsigned queues; /* 0: no area */
};

struct vhu_watchdog_kept {
	struct vhu_watchdog_file file[VHU_WATCHDOG_FILES_MAX];
	unsigned files;
	struct vhu_watchdog_area area;
};

/* Keep what the message of @relay brings. It was received whole, from the front-end, and is not
 * sent yet. */
void vhu_watchdog_keep(struct vhu_watchdog_kept *kept, const struct vhu_relay *relay);

/* Close the files that the session has no memory in any more. */
void vhu_watchdog_keep_less(struct vhu_watchdog_kept *kept, const struct vhu_state *state);

/* Return the descriptor of a file that is kept, or -1. */
int vhu_watchdog_kept_file(const struct vhu_watchdog_kept *kept, uint64_t inode, uint64_t device);

/* Return how many descriptors are kept. */
unsigned vhu_watchdog_kept_fds(const struct vhu_watchdog_kept *kept);

void vhu_watchdog_kept_free(struct vhu_watchdog_kept *kept);

#endif
