/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds of other processes: listed by the kernel, and held open, so that neither the id nor the
 * kernel's structures can come to stand for something else.
 */
#ifndef VHU_BPF_VRING_EVENTFDS_H
#define VHU_BPF_VRING_EVENTFDS_H

#include <stdbool.h>

#include "bpf/vring/maps.h"

struct vhu_probes;

/*
 * List the eventfds that processes have open, by process and descriptor.
 * @list: gets them, to be freed. Returns how many, or -errno.
 */
int vhu_probes_list(struct vhu_probes *probes, struct vhu_bpf_eventfd **list);

/* An eventfd that is held. */
struct vhu_held {
	struct vhu_bpf_eventfd eventfd; /* a descriptor of one of its holders */
	int fd;                         /* ours; -1: the holder did not let us have it */
};

/*
 * Open for ourselves what @eventfd's process has open, and make sure that it is still the same.
 * Returns 0; -EPERM if that is not allowed, held->fd is -1 then and all else is set; -ESRCH
 * if it is gone.
 */
int vhu_held_open(struct vhu_held *held, const struct vhu_bpf_eventfd *eventfd);
/* Read what it counts. Returns whether that is known. */
bool vhu_held_count(const struct vhu_held *held, uint64_t *count);
/* Let it go. */
void vhu_held_close(struct vhu_held *held);

#endif
