/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What KVM says of the kicks of a virtual machine's vrings.
 *
 * Ownership: an answer owns its list, until vhu_rings_vm_free.
 */
#ifndef VHU_TOOLS_RINGS_PLACES_VM_H
#define VHU_TOOLS_RINGS_PLACES_VM_H

#include "bpf/vm/vm.h"
#include "lib/cli/options.h"
#include "tools/rings/process/process.h"

struct vhu_rings_vm {
	uint32_t vmm; /* the process */
	struct vhu_vm_signal *signal;
	unsigned signals; /* 0: it has no machine that KVM runs */
};

/* Ask KVM. If its eventfds cannot be listed, says why. */
void vhu_rings_vm_ask(struct vhu_rings_vm *vm, const struct vhu_command *command, uint32_t vmm);

/*
 * Find which eventfds of process @back_end kick which vrings of a device.
 * @range: where the guest reaches the device, @ranges entries; 0: the machine has no other.
 * @kick: gets them, to be freed; NULL without any.
 * Returns how many; -EMLINK: there are some, and they do not tell the vrings; -ENOMEM.
 */
int vhu_rings_vm_kicks(const struct vhu_rings_vm *vm, const struct vhu_vm_range *range,
		       unsigned ranges, const struct vhu_rings_process *back_end,
		       struct vhu_vm_kick **kick);

void vhu_rings_vm_free(struct vhu_rings_vm *vm);

/*
 * Find the back-end of a session whose front-end is known and whose vrings' eventfds are not, and
 * which of its eventfds kick the vrings. It is the only process that is connected to the front-end
 * and has the device's ioeventfds, or shares eventfds if KVM tells nothing. What cannot be found
 * stays as it is.
 * @only: the front-end has no other device with a back-end. @range: as above.
 */
void vhu_rings_find_back_end(struct vhu_rings_session *session, const struct vhu_rings_vm *vm,
			     bool only, const struct vhu_vm_range *range, unsigned ranges);

#endif
