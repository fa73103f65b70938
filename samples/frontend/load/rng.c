/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to an entropy device: fill this buffer. */
#include <linux/virtio_ids.h>
#include <string.h>

#include "samples/frontend/frontend.h"

/* Bytes of chance that are never all alike, not in the life of any computer. */
#define SURELY 16

/* An entropy device has nothing to look at. */
static int rng_look(struct vhu_frontend *frontend)
{
	(void)frontend;
	return 0;
}

/* Ask for as much as there is room for. */
static void rng_prepare(struct vhu_frontend *frontend, struct vhu_queue *queue, unsigned n)
{
	struct vhu_slot *slot = &queue->slot[n];

	memset(slot->data, 0, frontend->options.size);
	slot->part[0] =
	    (struct vhu_part){.at = slot->data, .size = frontend->options.size, .writable = true};
	slot->parts = 1;
}

/* Return whether all bytes are the same. */
static bool all_alike(const uint8_t *bytes, size_t size)
{
	return size > 1 && !memcmp(bytes, bytes + 1, size - 1);
}

/* Hold what came back against what chance can be. */
static const char *rng_check(struct vhu_frontend *frontend, struct vhu_slot *slot, uint32_t written)
{
	if (written == 0)
		return "the device gave nothing";
	if (written > frontend->options.size)
		return "the device says that it gave more than there is room for";
	if (written >= SURELY && all_alike(slot->data, written))
		return "the bytes are all the same";
	frontend->bytes += written;
	return NULL;
}

const struct vhu_load_kind vhu_load_rng = {
    .device = VIRTIO_ID_RNG,
    .name = "rng",
    .look = rng_look,
    .prepare = rng_prepare,
    .check = rng_check,
};
