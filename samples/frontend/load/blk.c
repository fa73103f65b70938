/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to a disk. Each slot has sectors of its own, so that it is known at any time what they
 * hold, whatever order the requests are done in: it writes somewhere there what no other request
 * ever wrote, reads it back, compares.
 */
#include <endian.h>
#include <inttypes.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "samples/frontend/frontend.h"

#define SECTOR    512
/* A status that no device gives. */
#define NO_STATUS 0xff

/* Read how large the disk is. */
static int blk_look(struct vhu_frontend *frontend)
{
	/* Up to here the configuration space is as old as any back-end. */
	const uint32_t size = offsetof(struct virtio_blk_config, max_discard_sectors);
	const uint32_t head = vhu_fields[VHU_FIELD_config_space].offset;
	struct vhu_frontend_options *options = &frontend->options;
	struct virtio_blk_config config;
	struct vhu_message_buf request;
	uint64_t needed;

	if (!vhu_has(frontend, VHU_PF_CONFIG))
		return vhu_say(frontend, "%s: the back-end does not tell how large the disk is",
			       options->path);
	vhu_begin(&request, VHU_MSG_GET_CONFIG);
	vhu_message_put(&request, VHU_FIELD_config_size, size);
	request.header.size += size;
	if (vhu_ask(frontend, VHU_MSG_GET_CONFIG, &request))
		return -1;
	if (frontend->answer.header.size < head + size)
		return vhu_say(frontend, "%s: the back-end does not tell its configuration",
			       options->path);
	memcpy(&config, frontend->answer.payload + head, size);
	frontend->sectors = le64toh(config.capacity);
	needed = (uint64_t)options->queues * options->depth * (options->size / SECTOR);
	if (frontend->sectors < needed)
		return vhu_say(frontend,
			       "%s: the disk has %" PRIu64 " sectors, and %" PRIu64 " are needed",
			       options->path, frontend->sectors, needed);
	return 0;
}

/* Fill or check a buffer with what belongs to a seed. Returns whether it was so already. */
static bool pattern(uint8_t *data, uint32_t size, uint64_t seed, bool fill)
{
	bool same = true;

	for (uint32_t i = 0; i < size; i += sizeof(uint64_t)) {
		uint64_t number = vhu_random(&seed);

		same &= !memcmp(data + i, &number, sizeof(number));
		if (fill)
			memcpy(data + i, &number, sizeof(number));
	}
	return same;
}

/* Choose where in its own sectors a slot goes next. */
static uint64_t choose_sector(struct vhu_frontend *frontend, const struct vhu_queue *queue,
			      unsigned n)
{
	const struct vhu_frontend_options *options = &frontend->options;
	uint64_t size = options->size / SECTOR;
	uint64_t slots = (uint64_t)options->queues * options->depth;
	uint64_t own = frontend->sectors / size / slots; /* so many places are each slot's */
	uint64_t first = ((uint64_t)queue->index * options->depth + n) * own;

	return (first + vhu_random(&frontend->run) % own) * size;
}

/* Make a write, or the read of what was just written. */
static void blk_prepare(struct vhu_frontend *frontend, struct vhu_queue *queue, unsigned n)
{
	enum vhu_operation operation = frontend->options.operation;
	uint32_t size = frontend->options.size;
	struct vhu_slot *slot = &queue->slot[n];
	struct virtio_blk_outhdr head;

	/* Read what was just written, write somewhere else after that. */
	slot->read =
	    operation == VHU_READ || (operation == VHU_VERIFY && !slot->read && slot->seed != 0);
	if (!slot->read || operation == VHU_READ)
		slot->sector = choose_sector(frontend, queue, n);
	if (slot->read) {
		memset(slot->data, 0, size);
	} else {
		slot->seed = vhu_random(&frontend->run) | 1;
		pattern(slot->data, size, slot->seed, true);
	}
	head = (struct virtio_blk_outhdr){
	    .type = htole32(slot->read ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT),
	    .sector = htole64(slot->sector),
	};
	memcpy(slot->head, &head, sizeof(head));
	*slot->status = NO_STATUS;
	slot->part[0] = (struct vhu_part){.at = slot->head, .size = sizeof(head)};
	slot->part[1] = (struct vhu_part){.at = slot->data, .size = size, .writable = slot->read};
	slot->part[2] = (struct vhu_part){.at = slot->status, .size = 1, .writable = true};
	slot->parts = 3;
}

/* Hold what came back against what was asked for. */
static const char *blk_check(struct vhu_frontend *frontend, struct vhu_slot *slot, uint32_t written)
{
	uint32_t size = frontend->options.size;

	switch (*slot->status) {
	case VIRTIO_BLK_S_OK:
		break;
	case VIRTIO_BLK_S_IOERR:
		return "the disk says: input/output error";
	case VIRTIO_BLK_S_UNSUPP:
		return "the disk says: not supported";
	case NO_STATUS:
		return "it came back without a status";
	default:
		return "its status means nothing";
	}
	if (written < (slot->read ? size + 1 : 1))
		return "the device says that it wrote less than it had to";
	if (slot->read && slot->seed != 0 && !pattern(slot->data, size, slot->seed, false))
		return "what was read is not what was written";
	frontend->bytes += size;
	return NULL;
}

const struct vhu_load_kind vhu_load_blk = {
    .device = VIRTIO_ID_BLOCK,
    .name = "blk",
    .look = blk_look,
    .prepare = blk_prepare,
    .check = blk_check,
};
