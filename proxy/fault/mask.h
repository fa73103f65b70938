/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mask: feature bits that neither side is to see of the other, and bytes of the configuration
 * space that the front-end is to see as told. It is applied wherever the table has such bits: in
 * what the back-end offers, and in what the front-end sets.
 */
#ifndef VHU_PROXY_FAULT_MASK_H
#define VHU_PROXY_FAULT_MASK_H

#include "lib/protocol/line.h"
#include "proxy/fault/fault.h"

#define VHU_MASK_CONFIGS_MAX 64

struct vhu_mask {
	uint64_t virtio, protocol; /* bits that are taken out */
	unsigned configs;
	struct {
		uint32_t offset;
		uint8_t byte;
	} config[VHU_MASK_CONFIGS_MAX];
	/* Which messages can hold what is masked, as in struct vhu_faults. */
	uint64_t speak[VHU_CHANNELS][2];
};

/* What a session has told of what is masked; its owner's, all zero at first. */
struct vhu_mask_memory {
	uint64_t known; /* bytes with a known value, by their place in the mask */
	uint8_t was[VHU_MASK_CONFIGS_MAX];
	bool said; /* that the front-end sets what was not offered */
};

/*
 * Add to a mask what @text tells: "protocol:STATUS,MQ", "virtio:RING_PACKED", "virtio:34",
 * "0x400000000", "config:8=0", several with commas.
 * @error: room for a line with the error and its column; written only on failure.
 * Returns 0, or -EINVAL with nothing added.
 */
int vhu_mask_add(struct vhu_mask *mask, const char *text, char error[VHU_FAULT_ERROR]);

/* Return whether a message can hold what is masked, as far as its number tells. */
static inline bool vhu_mask_speaks_of(const struct vhu_mask *mask, enum vhu_channel channel,
				      bool from_back_end, uint32_t request)
{
	return request < 64 && mask->speak[channel][from_back_end] >> request & 1;
}

/*
 * Mask a whole message in place.
 * @bytes: its bytes, which are @message's.
 * @memory: its session's.
 * @text: told what was masked, if anything.
 * Returns whether the front-end had set bits that are masked.
 */
bool vhu_mask_apply(const struct vhu_mask *mask, struct vhu_mask_memory *memory,
		    const struct vhu_fault_message *message, uint8_t *bytes, struct vhu_line *text);

#endif
