/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs counted, by the slot of a vring in their map. */
#ifndef VHU_BPF_VRING_COUNTS_H
#define VHU_BPF_VRING_COUNTS_H

#include <stdbool.h>

#include "bpf/vring/maps.h"

struct vhu_probes;

/* Read a vring's counts. Returns 0 or -errno. */
int vhu_probes_counts(struct vhu_probes *probes, uint32_t slot, struct vhu_bpf_vring *vring);
/* Set all of a vring's counts to zero. */
void vhu_probes_clear(struct vhu_probes *probes, uint32_t slot);

/* Return whether pops or pushes are watched. */
bool vhu_probes_has_inside(const struct vhu_probes *probes);
/* Read what the back-end's own code did for a vring. Returns 0 or -errno. */
int vhu_probes_inside(struct vhu_probes *probes, uint32_t slot, struct vhu_bpf_inside *inside);
/* Say which vring the static probes of a process mean by an index; @slot VHU_BPF_VRINGS: none. */
void vhu_probes_number(struct vhu_probes *probes, struct vhu_bpf_vring_key key, uint32_t slot);
/* Return how many pops and pushes were of no known vring. */
uint64_t vhu_probes_unplaced(const struct vhu_probes *probes);

#endif
