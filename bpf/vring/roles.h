/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What eventfds stand for: a vring's kick or call, or one whose role is to be learnt. */
#ifndef VHU_BPF_VRING_ROLES_H
#define VHU_BPF_VRING_ROLES_H

#include "bpf/vring/maps.h"

struct vhu_probes;

/*
 * Let an eventfd stand for something. The caller keeps it open until vhu_probes_forget.
 * Returns 0 or -errno.
 */
int vhu_probes_assign(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd,
		      const struct vhu_bpf_role *role);
/* Let an eventfd stand for nothing; one that did not is left alone. */
void vhu_probes_forget(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd);

/*
 * Give a role to the eventfd with the id role->eventfd_id, in every process. While any id has a
 * role, each use of an eventfd without a role costs more; and the kernel reuses ids.
 * Returns 0 or -errno.
 */
int vhu_probes_assign_id(struct vhu_probes *probes, const struct vhu_bpf_role *role);
/* Let the id stand for nothing; one that did not is left alone. */
void vhu_probes_forget_id(struct vhu_probes *probes, uint32_t id);

#endif
