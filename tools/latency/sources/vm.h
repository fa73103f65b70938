/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KVM says of the eventfds that a back-end shares with a virtual machine. */
#ifndef VHU_TOOLS_LATENCY_VM_H
#define VHU_TOOLS_LATENCY_VM_H

#include <stdbool.h>

#include "bpf/vm/vm.h"
#include "bpf/vring/maps.h"

struct vhu_latency_vm {
	struct vhu_vm_kick *kick; /* NULL: KVM says nothing */
	unsigned kicks;
};

/*
 * Ask again.
 * @list: the eventfds of all processes, @count. @front_end: the only process that counts; 0: any.
 */
void vhu_latency_vm_ask(struct vhu_latency_vm *vm, const struct vhu_bpf_eventfd *list, int count,
			uint32_t back_end, uint32_t front_end);
void vhu_latency_vm_free(struct vhu_latency_vm *vm);

/* Return the vring whose kick an eventfd is; NULL: not known. */
const struct vhu_vm_kick *vhu_latency_vm_kick(const struct vhu_latency_vm *vm, uint32_t id);

#endif
