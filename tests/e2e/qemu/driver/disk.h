/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk of the sample back-end's, QEMU that uses it, and `vhu proxy` between them: requests are
 * put in flight on it, and what it holds in the end is compared with what was written.
 *
 * Ownership: a disk owns its stage and everything on it, from qemu_disk_open to qemu_disk_close.
 */
#ifndef VHU_E2E_QEMU_DISK_H
#define VHU_E2E_QEMU_DISK_H

#include <linux/virtio_blk.h>

#include "tests/e2e/qemu/driver/machine.h"
#include "tests/e2e/qemu/driver/mmio.h"

#define QEMU_DISK_QUEUES      2
#define QEMU_DISK_PAGE        QEMU_QTEST_BYTES_MAX
#define QEMU_DISK_PAGES       2048
#define QEMU_DISK_OPTIONS_MAX 8

struct qemu_disk_options {
	const char *bin;      /* the folder of vhu and the samples */
	const char *captures; /* what the names of captures begin with; NULL for none */
	const char *proxy[QEMU_DISK_OPTIONS_MAX];
	unsigned int proxies; /* options of the proxy's */
	bool direct;          /* there is no proxy */
	bool interposed;      /* kicks and calls come by it */
};

/* A disk of the sample's and who uses it. */
struct qemu_disk {
	struct qemu_stage stage;
	const struct qemu_disk_options *options;
	const char *name; /* of the case */
	char *image, *front, *back;
	struct qemu_qtest qtest[2]; /* of its present machine, and of the one it moves to */
	struct qemu_mmio device;
	unsigned int fds; /* that the proxy has open with no session */
	uint32_t written; /* pages, from the first on; each has noise of its own */
	struct qemu_mmio_buffer request[QEMU_DISK_QUEUES][QEMU_MMIO_SLOTS][3];
	struct virtio_blk_outhdr head[QEMU_DISK_QUEUES][QEMU_MMIO_SLOTS];
	uint8_t page[QEMU_DISK_QUEUES][QEMU_MMIO_SLOTS][QEMU_DISK_PAGE],
	    status[QEMU_DISK_QUEUES][QEMU_MMIO_SLOTS];
};

/* Start a back-end called @name for the disk, at @path. */
void qemu_disk_back_end(struct qemu_disk *disk, const char *name, const char *path);

/* Return the socket path that QEMU uses for back-end @number; the caller frees it. */
char *qemu_disk_front(struct qemu_disk *disk, unsigned int number);

/* Start the proxy before three back-ends: the disk's, a bystander's, another one of the disk's. */
void qemu_disk_proxy(struct qemu_disk *disk);

/* Start QEMU as the machine @machine, to be reached by @qtest. */
void qemu_disk_machine(struct qemu_disk *disk, struct qemu_machine *machine,
		       struct qemu_qtest *qtest);

/* Find the device and start it. */
void qemu_disk_device(struct qemu_disk *disk);

/* Set the stage: a fresh disk with its back-end, a bystander's, the proxy. */
void qemu_disk_open(struct qemu_disk *disk, const struct qemu_disk_options *options,
		    const char *name);

/* Start QEMU with its device. */
void qemu_disk_qemu(struct qemu_disk *disk);

/* Put a request in each slot of a vring: to write (VIRTIO_BLK_T_OUT) pages from @first on, or to
 * read them. */
void qemu_disk_put(struct qemu_disk *disk, unsigned int queue, uint32_t type, uint32_t first);

/* Put as many writes in flight as there is room for. */
void qemu_disk_write(struct qemu_disk *disk);

/* Return how many requests are in flight. */
unsigned int qemu_disk_in_flight(struct qemu_disk *disk);

/* Wait until all is done that was put on a vring. Each request must have ended well. */
void qemu_disk_await(struct qemu_disk *disk, unsigned int queue);

/* The same for all vrings. */
void qemu_disk_settle(struct qemu_disk *disk);

/* Compare what a vring has read with what was written to pages from @first on. */
void qemu_disk_compare(struct qemu_disk *disk, unsigned int queue, uint32_t first);

/* End everything in order. @machine, @back_end: who has the disk now. */
void qemu_disk_close(struct qemu_disk *disk, const char *machine, const char *back_end);

#endif
