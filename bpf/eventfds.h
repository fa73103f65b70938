/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds of other processes: found by id, and held open, so that neither the id nor the kernel's
 * structures can come to stand for something else.
 */
#ifndef VHU_BPF_EVENTFDS_H
#define VHU_BPF_EVENTFDS_H

#include "bpf/ring.h"

/* An eventfd that is held. */
struct vhu_held {
	struct vhu_bpf_eventfd eventfd; /* as one of its holders has it */
	int fd;                         /* ours; -1: the holder did not let us have it */
};

/*
 * Open for ourselves what @eventfd's process has open, and make sure that it is still the same.
 * Returns 0; -EPERM where that is not allowed, held->fd is -1 then and all else is set; -ESRCH
 * where it is gone.
 */
int vhu_held_open(struct vhu_held *held, const struct vhu_bpf_eventfd *eventfd);
/* Let it go. */
void vhu_held_close(struct vhu_held *held);

#endif
