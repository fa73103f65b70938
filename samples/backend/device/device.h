/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device: what it says of itself, and what it does with a request. To make another kind of
 * device, fill in one of these.
 */
#ifndef VHU_SAMPLES_BACKEND_DEVICE_DEVICE_H
#define VHU_SAMPLES_BACKEND_DEVICE_DEVICE_H

#include "samples/backend/vring/chain.h"

struct vhu_device {
	uint32_t id;       /* virtio device id */
	const char *type;  /* as QEMU's vhost-user.json names it */
	uint64_t features; /* virtio features of this kind of device */
	unsigned queues;
	uint8_t *config; /* the configuration space, little endian */
	uint32_t config_size;

	/*
	 * Do what a request asks for.
	 * @chain: its two runs may be taken apart.
	 * Returns how many it wrote.
	 */
	uint32_t (*request)(struct vhu_device *device, struct vhu_chain *chain);
	/*
	 * The front-end has written to the configuration space. NULL: it may not.
	 * @migrating: it hands over what it had from the back-end that it leaves.
	 * Returns whether it may write that.
	 */
	bool (*configure)(struct vhu_device *device, uint32_t offset, const uint8_t *bytes,
			  uint32_t size, bool migrating);
	/* Give the configuration space its first values again; may be NULL. */
	void (*reset)(struct vhu_device *device);
	/* Look whether what is behind the device has changed; may be NULL. Returns whether the
	 * configuration space has. */
	bool (*refresh)(struct vhu_device *device);
	void (*close)(struct vhu_device *device);
};

/* Open an entropy device. Returns it. */
struct vhu_device *vhu_device_rng(void);

struct vhu_device_blk_options {
	const char *file;     /* what is behind it; NULL: memory */
	uint64_t memory_size; /* without a file: bytes */
	unsigned queues;
	bool read_only;
};

/* Open a disk. Returns 0 with *@device set, or -errno. */
int vhu_device_blk(const struct vhu_device_blk_options *options, struct vhu_device **device);

#endif
