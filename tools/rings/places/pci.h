/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a PCI device of a QEMU is in the guest's address spaces, by query-pci. */
#ifndef VHU_TOOLS_RINGS_PLACES_PCI_H
#define VHU_TOOLS_RINGS_PLACES_PCI_H

#include "bpf/vm/vm.h"
#include "tools/qmp/qmp.h"

/* Regions that a device has at most: six, and one for its ROM. */
#define VHU_RINGS_BARS_MAX 7

struct vhu_rings_bars {
	struct vhu_vm_range bar[VHU_RINGS_BARS_MAX];
	unsigned count; /* 0: not known */
};

/*
 * Ask QEMU where a virtio device is.
 * @path: as x-query-virtio names it, below /machine/peripheral if the device has an id.
 * @bars: gets its regions; none if the device has no id, or is not on PCI.
 */
void vhu_rings_bars_ask(struct vhu_qmp *qmp, const char *path, struct vhu_rings_bars *bars);

#endif
