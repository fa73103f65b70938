/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is of KVM's kicks in a build without BPF programs: nothing. */
#include "tools/rings/places/vm.h"

void vhu_rings_vm_ask(struct vhu_rings_vm *vm, const struct vhu_command *command, uint32_t vmm)
{
	(void)command;
	*vm = (struct vhu_rings_vm){.vmm = vmm};
}

int vhu_rings_vm_kicks(const struct vhu_rings_vm *vm, const struct vhu_vm_range *range,
		       unsigned ranges, const struct vhu_rings_process *back_end,
		       struct vhu_vm_kick **kick)
{
	(void)vm;
	(void)range;
	(void)ranges;
	(void)back_end;
	*kick = NULL;
	return 0;
}

void vhu_rings_vm_free(struct vhu_rings_vm *vm)
{
	*vm = (struct vhu_rings_vm){0};
}
