/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The eventfds of virtual machines under KVM, by the kernel's own lists: of an ioeventfd they show
 * which write of the guest kicks it, and that tells the vring.
 */
#ifndef VHU_BPF_VM_VM_H
#define VHU_BPF_VM_VM_H

#include <stdbool.h>

#include "bpf/load/diagnose.h"
#include "bpf/vm/signals.h"

/*
 * List the eventfds of a VMM's virtual machines. It loads a program, which takes 40 to 110 ms, but
 * only if the process has a virtual machine.
 * @vmm: the process; 0: all processes.
 * @list: gets them, to be freed; NULL without any.
 * @error: VHU_BPF_ERROR_SIZE bytes, gets why that is not possible, one line.
 * Returns how many; -errno.
 */
int vhu_vm_list(uint32_t vmm, struct vhu_vm_signal **list, char *error);

/* The kick of a vring. */
struct vhu_vm_kick {
	uint32_t eventfd_id;
	unsigned vring; /* its index */
};

/* A part of the guest's memory or of its ports. */
struct vhu_vm_range {
	uint64_t address, size;
	bool ports;
};

/* A device of a virtual machine, or all of them. */
struct vhu_vm_device {
	uint32_t vmm;                     /* the process */
	const struct vhu_vm_range *range; /* where the guest reaches it */
	unsigned ranges;                  /* 0: anywhere */
};

/*
 * Find the kicks of the device that another process serves.
 * @list: @count entries, which are put in order; those of other devices than @of do not count.
 * @is_shared: whether that process has an eventfd of this id, too.
 * @kick: gets them by vring, to be freed; NULL without any.
 * Returns how many; -EMLINK: they are of several devices, or their addresses do not tell the
 * vrings; -ENOMEM.
 *
 * A driver notifies a device of virtio 1 at an address of each vring, four bytes apart, which all
 * VMMs known to use ioeventfds put at the beginning of a page (virtio 1.2, 4.1.4.4); other devices
 * by the vring's index as the value (4.1.5.2, 4.2.2).
 */
int vhu_vm_kicks(struct vhu_vm_signal *list, unsigned count, const struct vhu_vm_device *of,
		 bool (*is_shared)(const void *with, uint32_t eventfd_id), const void *with,
		 struct vhu_vm_kick **kick);

#endif
