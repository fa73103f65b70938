/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain: what one request consists of. First the buffers that the device reads, then those that
 * it writes, as addresses in this process.
 *
 * "A driver's buffers, as a device is to see them, are one run of bytes each way": devices take
 * bytes off either end and never look at how the driver has cut them into descriptors.
 */
#ifndef VHU_SAMPLES_BACKEND_VRING_CHAIN_H
#define VHU_SAMPLES_BACKEND_VRING_CHAIN_H

#include <limits.h>
#include <sys/uio.h>

#include "samples/backend/memory/log.h"
#include "samples/backend/memory/memory.h"

/* As many as preadv and pwritev take; drivers stay far below. */
#define VHU_CHAIN_PARTS_MAX IOV_MAX

/* One of the two runs of bytes. */
struct vhu_run {
	struct iovec part[VHU_CHAIN_PARTS_MAX];
	int parts;
	uint64_t size; /* bytes of all parts */
};

struct vhu_chain {
	uint16_t id;            /* split ring: its first descriptor; packed ring: its buffer id */
	uint16_t descriptors;   /* entries of the packed ring that it takes; 1 in a split ring */
	uint16_t entry;         /* its place in the in-flight area */
	struct vhu_run out, in; /* the device reads, the device writes */
};

/* One buffer of guest memory, as descriptors of either format describe it. */
struct vhu_buffer {
	uint64_t guest;
	uint32_t size;
	bool writable; /* by the device */
};

/* Make a chain empty. */
void vhu_chain_clear(struct vhu_chain *chain);

/*
 * Add a buffer to a chain.
 * Returns 0; -EFAULT: it is not in guest memory; -E2BIG: too many parts; -EPROTO: one that the
 * device reads follows one that it writes.
 */
int vhu_chain_add(struct vhu_chain *chain, const struct vhu_memory *memory,
		  struct vhu_buffer buffer);

/* Take the first @size bytes off a run and copy them to @to. Returns whether it has so many. */
bool vhu_run_take(struct vhu_run *run, void *to, uint64_t size);

/* Cut a run to its first @size bytes. */
void vhu_run_cut(struct vhu_run *run, uint64_t size);

/* Take the last byte off a run. Returns where it is, NULL for none. */
uint8_t *vhu_run_take_last(struct vhu_run *run);

/* Copy @size bytes from @from to the start of a run, as far as it goes. Returns how many. */
uint64_t vhu_run_fill(const struct vhu_run *run, const void *from, uint64_t size);

#endif
