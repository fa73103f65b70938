/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The eventfds of virtual machines under KVM. The kernel shows them nowhere else: its lists of
 * ioeventfds and irqfds hang on struct kvm, which the VMM's descriptor of the machine leads to.
 *
 * The lists are walked without their locks: an entry that goes meanwhile may end the list early, or
 * show what it was.
 */
#include "bpf/core.h"

#include "bpf/vm/signals.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file___vm {
	struct path f_path;
	void *private_data;
};

struct list_head {
	struct list_head *next;
};

struct kvm {
	struct list_head ioeventfds;
	struct {
		struct list_head items;
	} irqfds;
};

struct _ioeventfd {
	struct list_head list;
	__u64 addr, datamatch;
	struct eventfd_ctx *eventfd;
	__u8 bus_idx;
	bool wildcard;
};

struct kvm_kernel_irqfd {
	int gsi;
	struct eventfd_ctx *eventfd;
	struct list_head list;
};

#pragma clang attribute pop

char bpf_license[] SEC("license") = "GPL";

/* The process whose machines are listed, 0: all; fixed before the program is loaded. */
const volatile __u32 vmm SEC(".rodata.vmm");
/* Entries for which there was no room. */
__u64 lost SEC(".data.lost");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, VHU_VM_SIGNALS_SIZE);
} signals SEC(".maps");

/* Return the structure around a link of a list. */
#define AROUND(type, link)                                                                         \
	((const struct type *)((__u64)(link)-bpf_core_field_offset(struct type, list)))

/* A list that is walked, and the machine's part of its entries. */
struct walk {
	const struct list_head *at, *end;
	__u64 vm;
	__u32 vmm;
};

static __always_inline void list(const struct vhu_vm_signal *entry)
{
	if (bpf_ringbuf_output(&signals, (void *)entry, sizeof(*entry), 0))
		__sync_fetch_and_add(&lost, 1);
}

/* List the ioeventfd that the walk is at. Returns 1 at the end. */
static long list_ioeventfd(__u32 turn, struct walk *walk)
{
	const struct _ioeventfd *at = AROUND(_ioeventfd, walk->at);
	struct vhu_vm_signal entry = {.what = VHU_VM_IOEVENTFD, .vm = walk->vm, .vmm = walk->vmm};

	(void)turn;
	if (!walk->at || walk->at == walk->end)
		return 1;
	entry.eventfd_id = (__u32)BPF_CORE_READ(at, eventfd, id);
	entry.address = BPF_CORE_READ(at, addr);
	entry.datamatch = BPF_CORE_READ(at, datamatch);
	entry.any = BPF_CORE_READ(at, wildcard);
	entry.bus = BPF_CORE_READ(at, bus_idx);
	list(&entry);
	walk->at = BPF_CORE_READ(at, list.next);
	return 0;
}

/* List the irqfd that the walk is at. Returns 1 at the end. */
static long list_irqfd(__u32 turn, struct walk *walk)
{
	const struct kvm_kernel_irqfd *at = AROUND(kvm_kernel_irqfd, walk->at);
	struct vhu_vm_signal entry = {.what = VHU_VM_IRQFD, .vm = walk->vm, .vmm = walk->vmm};

	(void)turn;
	if (!walk->at || walk->at == walk->end)
		return 1;
	entry.eventfd_id = (__u32)BPF_CORE_READ(at, eventfd, id);
	entry.gsi = (__u32)BPF_CORE_READ(at, gsi);
	list(&entry);
	walk->at = BPF_CORE_READ(at, list.next);
	return 0;
}

/* Return whether a file is a virtual machine. */
static __always_inline bool is_vm(const struct file___vm *file)
{
	static const char sought[] = "kvm-vm";
	char name[sizeof(sought)] = {};

	bpf_probe_read_kernel_str(name, sizeof(name),
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	for (unsigned i = 0; i < sizeof(name); i++)
		if (name[i] != sought[i])
			return false;
	return true;
}

SEC("iter/task_file")
int list_signals(struct bpf_iter__task_file *at)
{
	const struct task_struct *task = at->task;
	const struct file___vm *file = (const struct file___vm *)at->file;
	const struct kvm *kvm;
	struct walk walk;

	/* Without KVM the kernel has none of its types. */
	if (!task || !file || !bpf_core_type_exists(struct kvm_kernel_irqfd) ||
	    (vmm && (__u32)BPF_CORE_READ(task, tgid) != vmm) || !is_vm(file))
		return 0;
	kvm = BPF_CORE_READ(file, private_data);
	walk.vm = (__u64)kvm;
	walk.vmm = (__u32)BPF_CORE_READ(task, tgid);
	walk.end = &kvm->ioeventfds;
	walk.at = BPF_CORE_READ(kvm, ioeventfds.next);
	bpf_loop(VHU_VM_SIGNALS_MAX, list_ioeventfd, &walk, 0);
	walk.end = &kvm->irqfds.items;
	walk.at = BPF_CORE_READ(kvm, irqfds.items.next);
	bpf_loop(VHU_VM_SIGNALS_MAX, list_irqfd, &walk, 0);
	return 0;
}
