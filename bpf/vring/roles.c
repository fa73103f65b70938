/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What eventfds stand for, in the maps that the programs look at. */
#include "bpf/vring/roles.h"

#include <errno.h>

#include "bpf/vring/internal.h"
#include "lib/protocol/protocol.h"

_Static_assert((int)VHU_BPF_KICK == (int)VHU_KICK && (int)VHU_BPF_CALL == (int)VHU_CALL,
	       "the programs know a kick and a call by the numbers that all others use");

/* Find where an address is known, or a place for one: @address 0. Returns it, or NULL. */
static struct vhu_bpf_known *place_of(struct vhu_probes *probes, uint64_t set, uint64_t address)
{
	for (unsigned i = 0; i < VHU_BPF_PLACES; i++)
		if (probes->sets[set].known[i].address == address)
			return &probes->sets[set].known[i];
	return NULL;
}

/* Make an address known. Returns 0 or -errno. */
static int know(struct vhu_probes *probes, uint64_t address, const struct vhu_bpf_role *role)
{
	struct vhu_bpf_known *known = place_of(probes, VHU_BPF_SPREAD(address), address);

	if (!known)
		known = place_of(probes, VHU_BPF_SPREAD(address), 0);
	if (!known) {
		if (bpf_map_update_elem(probes->roles, &address, role, BPF_NOEXIST))
			return -errno;
		__atomic_add_fetch(&probes->shared->elsewhere, 1, __ATOMIC_RELEASE);
		return 0;
	}
	known->role = *role;
	__atomic_store_n(&known->address, address, __ATOMIC_RELEASE);
	return 0;
}

/* Make an address unknown; one that is not known is left alone. */
static void forget(struct vhu_probes *probes, uint64_t address)
{
	struct vhu_bpf_known *known = place_of(probes, VHU_BPF_SPREAD(address), address);

	if (known)
		__atomic_store_n(&known->address, 0, __ATOMIC_RELEASE);
	else if (bpf_map_delete_elem(probes->roles, &address) == 0)
		__atomic_sub_fetch(&probes->shared->elsewhere, 1, __ATOMIC_RELEASE);
}

int vhu_probes_assign(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd,
		      const struct vhu_bpf_role *role)
{
	struct vhu_bpf_role with_id = *role;
	int ret;

	with_id.eventfd_id = eventfd->eventfd_id;
	with_id.context = eventfd->context;
	vhu_probes_forget(probes, eventfd);
	ret = know(probes, eventfd->file, &with_id);
	if (!ret)
		ret = know(probes, eventfd->context, &with_id);
	if (ret)
		vhu_probes_forget(probes, eventfd);
	return ret;
}

void vhu_probes_forget(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd)
{
	forget(probes, eventfd->file);
	forget(probes, eventfd->context);
}

int vhu_probes_assign_id(struct vhu_probes *probes, const struct vhu_bpf_role *role)
{
	if (bpf_map_update_elem(probes->ids, &role->eventfd_id, role, BPF_NOEXIST))
		return -errno;
	__atomic_add_fetch(&probes->shared->ids, 1, __ATOMIC_RELEASE);
	return 0;
}

void vhu_probes_forget_id(struct vhu_probes *probes, uint32_t id)
{
	if (bpf_map_delete_elem(probes->ids, &id) == 0)
		__atomic_sub_fetch(&probes->shared->ids, 1, __ATOMIC_RELEASE);
}
