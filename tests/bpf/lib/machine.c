/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual machine under KVM that kicks and is called by the kernel itself. */
#include "tests/bpf/lib/machine.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* Memory, where its program starts, where it counts interrupts. */
#define MEMORY  0x10000
#define PROGRAM 0x1000
#define COUNTED 0x500
#define KICKED  0x50 /* port */
#define ENDED   0x51
#define LINE    5 /* of interrupts */
#define VECTOR  0x20
#define HANDLER 0x1100

/* End where what must work does not. */
static void must(bool works, const char *what)
{
	if (works)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

/* What the virtual machine does, in real mode: set the interrupt controller up, kick and wait for
 * the interrupt MACHINE_KICKS times, say that it ended. */
static const uint8_t program[] = {
    0xb0,         0x11,   0xe6,
    0x20, /* mov al, 0x11; out 0x20, al */
    0xb0,         VECTOR, 0xe6,
    0x21, /* mov al, VECTOR; out 0x21, al */
    0xb0,         0x04,   0xe6,
    0x21, /* mov al, 4; out 0x21, al */
    0xb0,         0x01,   0xe6,
    0x21, /* mov al, 1; out 0x21, al */
    0xb0,         0x00,   0xe6,
    0x21,                       /* mov al, 0; out 0x21, al */
    0xbb,         0x01,   0x00, /* mov bx, 1 */
    0xe6,         KICKED,       /* kick: out KICKED, al */
    0xfa,                       /* wait: cli */
    0x39,         0x1e,   COUNTED & 0xff,
    COUNTED >> 8,       /* cmp [COUNTED], bx */
    0x74,         0x04, /* je come */
    0xfb,         0xf4, /* sti; hlt */
    0xeb,         0xf5, /* jmp wait */
    0xfb,               /* come: sti */
    0x43,               /* inc bx */
    0x81,         0xfb,   MACHINE_KICKS + 1,
    0x00,                /* cmp bx, MACHINE_KICKS + 1 */
    0x75,         0xeb,  /* jne kick */
    0xe6,         ENDED, /* out ENDED, al */
    0xf4,                /* hlt */
};

/* What it does on the interrupt: count it, say so to the controller. */
static const uint8_t handler[] = {
    0xff, 0x06, COUNTED & 0xff, COUNTED >> 8, /* inc word [COUNTED] */
    0xb0, 0x20, 0xe6,           0x20,         /* mov al, 0x20; out 0x20, al */
    0xcf,                                     /* iret */
};

/* Give a virtual machine its memory. Returns it. */
static uint8_t *give_memory(int vm)
{
	uint8_t *memory =
	    mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
	    .memory_size = MEMORY,
	    .userspace_addr = (uintptr_t)memory,
	};

	must(memory != MAP_FAILED, "memory");
	memcpy(memory + PROGRAM, program, sizeof(program));
	memcpy(memory + HANDLER, handler, sizeof(handler));
	memory[4 * (VECTOR + LINE)] = HANDLER & 0xff;
	memory[4 * (VECTOR + LINE) + 1] = HANDLER >> 8;
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
	return memory;
}

/* Have KVM itself kick and take calls. */
static void wire(int vm, int kick, int call)
{
	struct kvm_ioeventfd port = {
	    .addr = KICKED, .len = 1, .fd = kick, .flags = KVM_IOEVENTFD_FLAG_PIO};
	struct kvm_irqfd interrupt = {.fd = (uint32_t)call, .gsi = LINE};

	must(ioctl(vm, KVM_IOEVENTFD, &port) == 0, "KVM_IOEVENTFD");
	must(ioctl(vm, KVM_IRQFD, &interrupt) == 0, "KVM_IRQFD");
}

/* Make a processor that begins at the program. Returns it. */
static int make_processor(int vm)
{
	int processor = ioctl(vm, KVM_CREATE_VCPU, 0);
	struct kvm_regs regs = {.rip = PROGRAM, .rsp = PROGRAM, .rflags = 2};
	struct kvm_sregs sregs;

	must(processor >= 0 && ioctl(processor, KVM_GET_SREGS, &sregs) == 0, "KVM_CREATE_VCPU");
	sregs.cs.base = sregs.cs.selector = 0;
	must(ioctl(processor, KVM_SET_SREGS, &sregs) == 0 &&
		 ioctl(processor, KVM_SET_REGS, &regs) == 0,
	     "KVM_SET_REGS");
	return processor;
}

unsigned machine_run(int kvm, int kick, int call)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0), processor;
	const struct kvm_run *run;
	uint8_t *memory;
	size_t size;

	must(vm >= 0 && ioctl(vm, KVM_CREATE_IRQCHIP, 0) == 0, "KVM_CREATE_IRQCHIP");
	memory = give_memory(vm);
	wire(vm, kick, call);
	processor = make_processor(vm);
	size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, size, PROT_READ, MAP_SHARED, processor, 0);
	must(run != MAP_FAILED, "KVM_GET_VCPU_MMAP_SIZE");
	while (ioctl(processor, KVM_RUN, 0) == 0 || errno == EINTR)
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == ENDED)
			break;
	must(run->exit_reason == KVM_EXIT_IO && run->io.port == ENDED, "KVM_RUN");
	return memory[COUNTED];
}
