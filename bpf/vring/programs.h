/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs of one set of hooks, loaded and attached. */
#ifndef VHU_BPF_VRING_PROGRAMS_H
#define VHU_BPF_VRING_PROGRAMS_H

#include "bpf/vring/hooks.h"

struct vhu_bpf_config;
struct vhu_probes;
struct vhu_uprobes_choice;

/*
 * Open the object, load the programs of @hooks and attach them, except those for a back-end's own
 * code, which are only loaded.
 * Returns 0; -errno, with nothing left behind.
 */
int vhu_programs_load(struct vhu_probes *probes, enum vhu_hooks hooks,
		      const struct vhu_bpf_config *config, const struct vhu_uprobes_choice *inside);

/* Detach and unload all programs. */
void vhu_programs_unload(struct vhu_probes *probes);

#endif
