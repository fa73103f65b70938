/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which vring an ioeventfd kicks, by the guest's write that signals it. */
#include <errno.h>
#include <stdlib.h>

#include "bpf/vm/vm.h"

/* The guest notifies the vrings of a device at addresses in one page, each with so many bytes. */
#define PAGE  4096
#define BYTES 4
/* The bus of the guest's ports. */
#define PORTS 1

/* Return where the device is that is notified so; not the same for all of its vrings. */
static uint64_t device_of(const struct vhu_vm_signal *signal)
{
	return signal->any ? signal->address / PAGE : signal->address;
}

/* Return the vring that is notified so. */
static uint64_t vring_of(const struct vhu_vm_signal *signal)
{
	return signal->any ? signal->address % PAGE / BYTES : signal->datamatch;
}

/* Return whether the write tells the vring. */
static bool tells_vring(const struct vhu_vm_signal *signal)
{
	return signal->any ? signal->address % BYTES == 0 : signal->datamatch <= UINT16_MAX;
}

/* Put eventfds in order, for qsort: by id; of the ways to signal one the value's first, since a
 * value says most. */
static int by_eventfd(const void *left, const void *right)
{
	const struct vhu_vm_signal *a = left, *b = right;

	if (a->what != b->what)
		return a->what < b->what ? -1 : 1;
	if (a->eventfd_id != b->eventfd_id)
		return a->eventfd_id < b->eventfd_id ? -1 : 1;
	if (!a->any != !b->any)
		return a->any ? 1 : -1;
	return a->address < b->address ? -1 : a->address > b->address;
}

/* Put kicks in order, for qsort. */
static int by_vring(const void *left, const void *right)
{
	const struct vhu_vm_kick *a = left, *b = right;

	return a->vring < b->vring ? -1 : a->vring > b->vring;
}

/* Return whether a device is notified so. */
static bool is_of(const struct vhu_vm_device *device, const struct vhu_vm_signal *signal)
{
	if (signal->vmm != device->vmm)
		return false;
	for (unsigned i = 0; i < device->ranges; i++) {
		const struct vhu_vm_range *range = &device->range[i];

		if (range->ports == (signal->bus == PORTS) && signal->address >= range->address &&
		    signal->address - range->address < range->size)
			return true;
	}
	return !device->ranges;
}

/* Return whether a kick is of the device that the first one is of. */
static bool is_same_device(const struct vhu_vm_signal *first, const struct vhu_vm_signal *signal)
{
	return first->vm == signal->vm && !first->any == !signal->any &&
	       device_of(first) == device_of(signal);
}

int vhu_vm_kicks(struct vhu_vm_signal *list, unsigned count, const struct vhu_vm_device *of,
		 bool (*is_shared)(const void *with, uint32_t eventfd_id), const void *with,
		 struct vhu_vm_kick **to)
{
	struct vhu_vm_kick *kick = count ? calloc(count, sizeof(*kick)) : NULL;
	const struct vhu_vm_signal *first = NULL;
	bool clear = true;
	unsigned kicks = 0;

	*to = NULL;
	if (count && !kick)
		return -ENOMEM;
	if (count)
		qsort(list, count, sizeof(*list), by_eventfd);
	for (unsigned i = 0; i < count && list[i].what == VHU_VM_IOEVENTFD; i++) {
		if ((kicks && list[i].eventfd_id == kick[kicks - 1].eventfd_id) ||
		    !is_of(of, &list[i]) || !is_shared(with, list[i].eventfd_id))
			continue;
		if (!first)
			first = &list[i];
		clear &= is_same_device(first, &list[i]) && tells_vring(&list[i]);
		kick[kicks++] =
		    (struct vhu_vm_kick){list[i].eventfd_id, (unsigned)vring_of(&list[i])};
	}
	if (kicks)
		qsort(kick, kicks, sizeof(*kick), by_vring);
	for (unsigned i = 1; i < kicks; i++)
		clear &= kick[i].vring != kick[i - 1].vring;
	if (kicks && clear) {
		*to = kick;
		return (int)kicks;
	}
	free(kick);
	return kicks ? -EMLINK : 0;
}
