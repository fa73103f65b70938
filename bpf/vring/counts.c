/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs counted. */
#include "bpf/vring/counts.h"

#include <errno.h>

#include "bpf/vring/internal.h"

/* Return how many values a vring's histogram of @stage has. */
static uint64_t count_of(const struct vhu_bpf_vring *vring, enum vhu_bpf_stage stage)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < VHU_BPF_BUCKETS; i++)
		count += vring->bucket[stage][i];
	return count;
}

int vhu_probes_counts(struct vhu_probes *probes, uint32_t slot, struct vhu_bpf_vring *vring)
{
	if (bpf_map_lookup_elem(probes->vrings, &slot, vring))
		return -errno;
	vring->wakes += count_of(vring, VHU_KICK_TO_WAKE) + vring->wakes_without_kick;
	vring->calls += count_of(vring, VHU_WAKE_TO_CALL) + vring->calls_without_kick;
	return 0;
}

void vhu_probes_clear(struct vhu_probes *probes, uint32_t slot)
{
	static const struct vhu_bpf_vring empty;
	static const struct vhu_bpf_inside empty_inside;

	bpf_map_update_elem(probes->vrings, &slot, &empty, BPF_ANY);
	if (vhu_probes_has_inside(probes))
		bpf_map_update_elem(probes->insides, &slot, &empty_inside, BPF_ANY);
}

bool vhu_probes_has_inside(const struct vhu_probes *probes)
{
	return probes->insides >= 0;
}

int vhu_probes_inside(struct vhu_probes *probes, uint32_t slot, struct vhu_bpf_inside *inside)
{
	return bpf_map_lookup_elem(probes->insides, &slot, inside) ? -errno : 0;
}

void vhu_probes_number(struct vhu_probes *probes, struct vhu_bpf_vring_key key, uint32_t slot)
{
	if (slot < VHU_BPF_VRINGS)
		bpf_map_update_elem(probes->slots, &key, &slot, BPF_ANY);
	else
		bpf_map_delete_elem(probes->slots, &key);
}

uint64_t vhu_probes_unplaced(const struct vhu_probes *probes)
{
	return __atomic_load_n(&probes->shared->unplaced, __ATOMIC_RELAXED);
}
