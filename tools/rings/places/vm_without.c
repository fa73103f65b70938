/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is of KVM's kicks in a build without BPF programs: nothing. */
#include "tools/rings/places/vm.h"

unsigned vhu_rings_vm_kicks(const struct vhu_command *command, uint32_t vmm,
			    const struct vhu_rings_process *back_end, struct vhu_vm_kick **kick)
{
	(void)command;
	(void)vmm;
	(void)back_end;
	*kick = NULL;
	return 0;
}
