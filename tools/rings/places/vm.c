/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kicks of a virtual machine under KVM. */
#include "tools/rings/places/vm.h"

#include <stdlib.h>

/* Return whether a process has an eventfd of this id. */
static bool has(const void *with, uint32_t id)
{
	return vhu_rings_process_eventfd(with, id);
}

void vhu_rings_vm_ask(struct vhu_rings_vm *vm, const struct vhu_command *command, uint32_t vmm)
{
	char error[VHU_BPF_ERROR_SIZE];
	int signals;

	*vm = (struct vhu_rings_vm){.vmm = vmm};
	signals = vhu_vm_list(vmm, &vm->signal, error);
	if (signals < 0)
		vhu_fail(command, "%s", error);
	else
		vm->signals = (unsigned)signals;
}

int vhu_rings_vm_kicks(const struct vhu_rings_vm *vm, const struct vhu_vm_range *range,
		       unsigned ranges, const struct vhu_rings_process *back_end,
		       struct vhu_vm_kick **kick)
{
	const struct vhu_vm_device device = {.vmm = vm->vmm, .range = range, .ranges = ranges};

	return vhu_vm_kicks(vm->signal, vm->signals, &device, has, back_end, kick);
}

void vhu_rings_vm_free(struct vhu_rings_vm *vm)
{
	free(vm->signal);
	*vm = (struct vhu_rings_vm){0};
}
