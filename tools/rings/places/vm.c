/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kicks of a virtual machine under KVM. */
#include "tools/rings/places/vm.h"

#include <stdlib.h>

/* Return whether a process has an eventfd of this id. */
static bool has(const void *with, uint32_t id)
{
	return vhu_rings_process_eventfd(with, id);
}

unsigned vhu_rings_vm_kicks(const struct vhu_command *command, uint32_t vmm,
			    const struct vhu_rings_process *back_end, struct vhu_vm_kick **kick)
{
	struct vhu_vm_signal *signal;
	char error[VHU_BPF_ERROR_SIZE];
	int signals = vhu_vm_list(vmm, &signal, error), kicks = 0;

	*kick = NULL;
	if (signals < 0)
		vhu_fail(command, "%s", error);
	else
		kicks = vhu_vm_kicks(signal, (unsigned)signals, vmm, has, back_end, kick);
	free(signal);
	return kicks > 0 ? (unsigned)kicks : 0;
}
