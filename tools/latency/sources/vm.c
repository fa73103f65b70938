/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KVM says of the eventfds that a back-end shares with a virtual machine. */
#include "tools/latency/sources/vm.h"

#include <stdlib.h>

/* The eventfds of a process, among those of all. */
struct eventfds {
	const struct vhu_bpf_eventfd *list;
	int count;
	uint32_t pid;
};

/* Return whether the process has an eventfd of this id. */
static bool has(const void *with, uint32_t id)
{
	const struct eventfds *of = with;

	for (int i = 0; i < of->count; i++)
		if (of->list[i].pid == of->pid && of->list[i].eventfd_id == id)
			return true;
	return false;
}

/* Return whether a process comes first in the list at entry @at, and may be the VMM. */
static bool is_new(const struct eventfds *of, int at, uint32_t front_end)
{
	const uint32_t pid = of->list[at].pid;

	if (pid == of->pid || of->list[at].own || (front_end && pid != front_end))
		return false;
	for (int i = 0; i < at; i++)
		if (of->list[i].pid == pid)
			return false;
	return true;
}

void vhu_latency_vm_ask(struct vhu_latency_vm *vm, const struct vhu_bpf_eventfd *list, int count,
			uint32_t back_end, uint32_t front_end)
{
	const struct eventfds of = {list, count, back_end};
	char error[VHU_BPF_ERROR_SIZE];
	int signals = 0;

	vhu_latency_vm_free(vm);
	for (int i = 0; i < count && !vm->kick && signals >= 0; i++) {
		const struct vhu_vm_device any = {.vmm = list[i].pid};
		struct vhu_vm_signal *signal;
		int kicks;

		if (!is_new(&of, i, front_end))
			continue;
		signals = vhu_vm_list(list[i].pid, &signal, error);
		kicks = signals > 0
			    ? vhu_vm_kicks(signal, (unsigned)signals, &any, has, &of, &vm->kick)
			    : 0;
		vm->kicks = kicks > 0 ? (unsigned)kicks : 0;
		free(signal);
	}
}

void vhu_latency_vm_free(struct vhu_latency_vm *vm)
{
	free(vm->kick);
	*vm = (struct vhu_latency_vm){0};
}

const struct vhu_vm_kick *vhu_latency_vm_kick(const struct vhu_latency_vm *vm, uint32_t id)
{
	for (unsigned i = 0; i < vm->kicks; i++)
		if (vm->kick[i].eventfd_id == id)
			return &vm->kick[i];
	return NULL;
}
