/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program that lists the eventfds of virtual machines and its loader share. */
#ifndef VHU_BPF_VM_SIGNALS_H
#define VHU_BPF_VM_SIGNALS_H

#ifndef __bpf__
#include <stdint.h>
#endif

/* Memory for the list, bytes. */
#define VHU_VM_SIGNALS_SIZE (1 << 20)
/* Eventfds of one kind that a virtual machine can have. */
#define VHU_VM_SIGNALS_MAX  8192

enum vhu_vm_what {
	VHU_VM_IOEVENTFD, /* KVM signals it when the guest writes to an address */
	VHU_VM_IRQFD,     /* KVM interrupts the guest when it is signalled */
};

/* An eventfd of a virtual machine under KVM. */
struct vhu_vm_signal {
	uint32_t what; /* enum vhu_vm_what */
	uint32_t eventfd_id;
	uint64_t vm; /* address in the kernel; a key, not to be shown */
	/* Of an ioeventfd: the guest writes here, */
	uint64_t address;
	uint64_t datamatch; /* this value, */
	uint32_t any;       /* or not 0: any value */
	uint32_t bus;       /* as the kernel numbers it: memory 0, ports 1, others */
	uint32_t gsi;       /* of an irqfd: the interrupt */
	uint32_t vmm;       /* the process */
};

#endif
