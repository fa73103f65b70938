/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probes' interface: loaded with the best set of hooks that this kernel supports. Their parts
 * have headers of their own: the eventfds of each vring (roles.h), counts (counts.h), single events
 * (events.h), all eventfds (eventfds.h).
 *
 * Ownership: all belongs to the probes and goes with vhu_probes_close. Not for several threads.
 */
#ifndef VHU_BPF_VRING_PROBES_H
#define VHU_BPF_VRING_PROBES_H

#include "bpf/load/diagnose.h"
#include "bpf/vring/hooks.h"
#include "bpf/vring/maps.h"
#include "bpf/vring/uprobes.h"

struct vhu_probes;

struct vhu_probes_choice {
	int hooks; /* enum vhu_hooks, -1: the best that there is */
	struct vhu_bpf_config config;
	struct vhu_uprobes_choice inside;
	/* See an event; called by vhu_probes_events. */
	void (*see)(void *with, const struct vhu_bpf_event *event);
	void *with;
};

/*
 * Load, attach and try the probes.
 * @error: VHU_BPF_ERROR_SIZE bytes, gets what is missing, one line.
 * Returns 0 and *@probes; -errno: -EPERM if a capability is missing.
 */
int vhu_probes_open(struct vhu_probes **probes, const struct vhu_probes_choice *choice,
		    char *error);
void vhu_probes_close(struct vhu_probes *probes);

/* Return the set of hooks in use. */
enum vhu_hooks vhu_probes_hooks(const struct vhu_probes *probes);
/* Return what the probes cannot see, "" nothing. */
const char *vhu_probes_blind(const struct vhu_probes *probes);

#endif
