/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Entropy Device" of the virtio specification: it fills each buffer with random bytes. */
#include <linux/virtio_ids.h>
#include <sys/random.h>

#include "samples/backend/device/device.h"

/* A device may give less than it was asked for, and one request must not take for ever. */
#define BYTES_MAX 65536

/* Fill what the request offers. Returns how many bytes there are. */
static uint32_t rng_request(struct vhu_device *device, struct vhu_chain *chain)
{
	uint32_t done = 0;

	(void)device;
	vhu_run_cut(&chain->in, BYTES_MAX);
	for (int i = 0; i < chain->in.parts; i++) {
		const struct iovec *part = &chain->in.part[i];
		ssize_t got = getrandom(part->iov_base, part->iov_len, 0);

		if (got > 0)
			done += (uint32_t)got;
		/* What was written must be the first bytes, without a gap. */
		if (got < (ssize_t)part->iov_len)
			break;
	}
	return done;
}

/* There is nothing to close. */
static void rng_close(struct vhu_device *device)
{
	(void)device;
}

struct vhu_device *vhu_device_rng(void)
{
	static struct vhu_device rng = {
	    .id = VIRTIO_ID_RNG,
	    .type = "rng",
	    .queues = 1,
	    .request = rng_request,
	    .close = rng_close,
	};

	return &rng;
}
