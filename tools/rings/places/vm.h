/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KVM says of the kicks of a virtual machine's vrings. */
#ifndef VHU_TOOLS_RINGS_PLACES_VM_H
#define VHU_TOOLS_RINGS_PLACES_VM_H

#include "bpf/vm/vm.h"
#include "tools/rings/places/places.h"
#include "tools/rings/process/process.h"

/*
 * Find which eventfds of process @back_end kick which vrings, if @vmm is a VMM that runs its
 * machine by KVM. If KVM's eventfds cannot be listed, says why.
 * @kick: gets them, to be freed; NULL without any.
 * Returns how many; 0 also if KVM does not tell.
 */
unsigned vhu_rings_vm_kicks(const struct vhu_command *command, uint32_t vmm,
			    const struct vhu_rings_process *back_end, struct vhu_vm_kick **kick);

/*
 * Find the back-end of a session whose front-end is known and whose vrings' eventfds are not: the
 * only process that is connected to the front-end and shares eventfds with it. Then KVM says which
 * of these kick the vrings. What cannot be found stays as it is.
 */
void vhu_rings_find_back_end(const struct vhu_command *command, struct vhu_rings_session *session);

#endif
