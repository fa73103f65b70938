/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver for a virtio-mmio device with split vrings, working through qtest.
 *
 * Guest memory from QEMU_MMIO_MEMORY on is its own: for each vring its three areas, then room for
 * the buffers of as many requests as can be in flight, each in a slot.
 */
#ifndef VHU_E2E_QEMU_MMIO_H
#define VHU_E2E_QEMU_MMIO_H

#include "tests/e2e/qemu/driver/qtest.h"

#define QEMU_MMIO_QUEUES_MAX  8
#define QEMU_MMIO_RING_SIZE   16 /* or as much of it as the device takes: QEMU 11's rng takes 4 */
#define QEMU_MMIO_MEMORY      UINT64_C(0x100000)
#define QEMU_MMIO_BUFFERS_MAX 4
#define QEMU_MMIO_SLOTS       (QEMU_MMIO_RING_SIZE / QEMU_MMIO_BUFFERS_MAX)

/* One buffer of a request: the device reads @out, or fills @in. */
struct qemu_mmio_buffer {
	const void *out; /* NULL when it is the device's to fill */
	void *in;
	size_t size; /* at most QEMU_QTEST_BYTES_MAX */
};

struct qemu_mmio {
	struct qemu_qtest *qtest;
	uint64_t registers;                   /* where the device's are */
	uint64_t memory;                      /* where the driver's is: QEMU_MMIO_MEMORY */
	uint64_t buffers;                     /* where buffers are instead; 0: beside their vring */
	bool event_idx;                       /* take event indexes if the device has them */
	uint16_t size[QEMU_MMIO_QUEUES_MAX];  /* of each vring */
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

/* Put a request on vring @queue, in a slot where none is in flight, without telling the device. */
void qemu_mmio_put(struct qemu_mmio *device, unsigned int queue, unsigned int slot,
		   const struct qemu_mmio_buffer *buffer, unsigned int count);

/* Tell the device of what was put on vring @queue. */
void qemu_mmio_kick(struct qemu_mmio *device, unsigned int queue);

/* Say behind which used buffer of vring @queue the driver wants to be called (with event indexes).
 */
void qemu_mmio_want_call(struct qemu_mmio *device, unsigned int queue, uint16_t after);

/* Return how many of the requests that were put on vring @queue the device has not used yet. */
unsigned int qemu_mmio_in_flight(struct qemu_mmio *device, unsigned int queue);

/* Wait until the device has used all that was put on vring @queue. */
void qemu_mmio_wait(struct qemu_mmio *device, unsigned int queue);

/* Fetch what the device wrote for the request in @slot, which it has used. */
void qemu_mmio_fetch(struct qemu_mmio *device, unsigned int queue, unsigned int slot,
		     const struct qemu_mmio_buffer *buffer, unsigned int count);

#endif
