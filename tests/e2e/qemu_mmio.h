/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver for a virtio-mmio device with split vrings, working through qtest.
 *
 * It keeps one request in flight on each vring. Guest memory from QEMU_MMIO_MEMORY on is its own:
 * for each vring its three areas, then room for a request's buffers.
 */
#ifndef VHU_E2E_QEMU_MMIO_H
#define VHU_E2E_QEMU_MMIO_H

#include "tests/e2e/qemu_qtest.h"

#define QEMU_MMIO_QUEUES_MAX  8
#define QEMU_MMIO_RING_SIZE   16
#define QEMU_MMIO_MEMORY      UINT64_C(0x100000)
#define QEMU_MMIO_BUFFERS_MAX 4

/* One buffer of a request: the device reads @out, or fills @in. */
struct qemu_mmio_buffer {
	const void *out; /* NULL when it is the device's to fill */
	void *in;
	size_t size; /* at most QEMU_QTEST_BYTES_MAX */
};

struct qemu_mmio {
	struct qemu_qtest *qtest;
	uint64_t registers;                   /* where the device's are */
	uint16_t added[QEMU_MMIO_QUEUES_MAX]; /* requests put on each vring so far */
};

/*
 * Take the last of the board's transports, where QEMU puts the first device; fail unless it is
 * a device of type @id.
 */
void qemu_mmio_find(struct qemu_mmio *device, struct qemu_qtest *qtest, uint32_t id);

/*
 * Reset the device, accept its type's features but none that change how vrings work, set up
 * @queues split vrings and start it.
 */
void qemu_mmio_start(struct qemu_mmio *device, unsigned int queues);

/* Reset the device: it stops. */
void qemu_mmio_reset(struct qemu_mmio *device);

/* Return how long vring @queue may be; 0 when there is no such vring. */
uint32_t qemu_mmio_queue_max(struct qemu_mmio *device, unsigned int queue);

/*
 * Put a request of @count buffers on vring @queue, kick, wait until the device has used it, fetch
 * what it wrote. Returns how many bytes the device says it wrote.
 */
uint32_t qemu_mmio_request(struct qemu_mmio *device, unsigned int queue,
			   const struct qemu_mmio_buffer *buffer, unsigned int count);

#endif
