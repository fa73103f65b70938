/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The eventfds that a back-end shares, as the files that learn what they are know them. */
#ifndef VHU_TOOLS_LATENCY_LEARN_INTERNAL_H
#define VHU_TOOLS_LATENCY_LEARN_INTERNAL_H

#include "tools/latency/sources/learn.h"
#include "tools/latency/sources/vm.h"

#define SHARED_MAX VHU_LEARN_MAX
/* Threads of a back-end that are distinguished; a power of two. */
#define READERS    64

/* A shared eventfd. */
struct vhu_learn_eventfd {
	struct vhu_held held;
	bool used;
	uint32_t fd;                 /* of the back-end */
	uint64_t reads, writes;      /* by the back-end */
	uint64_t kicks;              /* writes by others */
	uint64_t count, first_count; /* what it counts, now and when it was found */
	bool counted;                /* these are known */
	bool read_by_others;
	bool kvm;                     /* the kick of a virtual machine under KVM, */
	uint32_t vring;               /* of this vring */
	uint64_t since_ns;            /* it was read, or written, first */
	uint64_t read_ns, written_ns; /* last */
	bool concluded;
	bool seen;                    /* in the last listing */
	uint32_t between[SHARED_MAX]; /* reads of it before which that one was written */
	uint32_t after[SHARED_MAX];   /* writes of it whose thread had last read that one */
};

/* A thread of the back-end, and the eventfd that it read last. */
struct vhu_learn_reader {
	uint32_t tid, place;
};

struct vhu_learn {
	struct vhu_latency_vrings *vrings;
	uint32_t back_end, front_end;
	struct vhu_learn_eventfd *shared[SHARED_MAX]; /* by place, which events name */
	struct vhu_learn_reader
	    reader[READERS]; /* by thread id; a newer one takes an older one's place */
	uint32_t numbered;   /* vrings, so far */
	struct vhu_latency_vm vm;
	bool fresh; /* there are eventfds that KVM was not asked about */
};

/* learn_pairs.c: make vrings of what there is evidence enough for. */
void vhu_learn_conclude(struct vhu_learn *learn, uint64_t now_ns);

#endif
