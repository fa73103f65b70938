/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Split Virtqueues", the driver's side. Each slot has rows of the descriptor table of its own. */
#include <endian.h>
#include <errno.h>

#include "samples/frontend/vring/vring.h"

/* Take the three areas from the arena. */
static int split_lay_out(struct vhu_driver_vring *vring, struct vhu_arena *arena)
{
	size_t num = vring->num;

	/* Each area on a page of its own: what one holds too much shows. */
	vring->split.desc =
	    vhu_arena_take(arena, VHU_ARENA_RINGS, num * sizeof(struct vring_desc), 4096);
	vring->split.avail =
	    vhu_arena_take(arena, VHU_ARENA_RINGS,
			   sizeof(struct vring_avail) + (num + 1) * sizeof(uint16_t), 4096);
	vring->split.used = vhu_arena_take(
	    arena, VHU_ARENA_RINGS,
	    sizeof(struct vring_used) + num * sizeof(struct vring_used_elem) + sizeof(uint16_t),
	    4096);
	return vring->split.desc && vring->split.avail && vring->split.used ? 0 : -ENOMEM;
}

/* Return the first row of a slot in the descriptor table. */
static uint32_t head_of(const struct vhu_driver_vring *vring, uint32_t slot)
{
	return vring->indirect ? slot : slot * VHU_VRING_PARTS;
}

/* Write a request's buffers as linked rows of @table, from @row on. */
static void link_parts(const struct vhu_driver_vring *vring, struct vring_desc *table, uint32_t row,
		       const struct vhu_part *part, unsigned parts)
{
	for (unsigned i = 0; i < parts; i++) {
		unsigned flags = part[i].writable ? VRING_DESC_F_WRITE : 0;

		flags |= i + 1 < parts ? VRING_DESC_F_NEXT : 0;
		table[row + i] = (struct vring_desc){
		    .addr = htole64(vhu_arena_device(vring->arena, part[i].at)),
		    .len = htole32(part[i].size),
		    .flags = htole16((uint16_t)flags),
		    .next = htole16((uint16_t)(row + i + 1)),
		};
	}
}

/* Make a request available. */
static void split_offer(struct vhu_driver_vring *vring, uint32_t slot, const struct vhu_part *part,
			unsigned parts)
{
	struct vring_desc *table = (struct vring_desc *)vring->table + slot * VHU_VRING_PARTS;
	struct vring_avail *avail = vring->split.avail;
	uint32_t head = head_of(vring, slot);

	if (vring->indirect) {
		link_parts(vring, table, 0, part, parts);
		vring->split.desc[head] = (struct vring_desc){
		    .addr = htole64(vhu_arena_device(vring->arena, table)),
		    .len = htole32((uint32_t)(parts * sizeof(*table))),
		    .flags = htole16(VRING_DESC_F_INDIRECT),
		};
	} else {
		link_parts(vring, vring->split.desc, head, part, parts);
	}
	vring->busy[slot] = true;
	avail->ring[vring->avail_index % vring->num] = htole16((uint16_t)head);
	vring->avail_index++;
	vring->unkicked++;
	/* The device that sees the index must see the head and its descriptors. */
	__atomic_store_n(&avail->idx, htole16(vring->avail_index), __ATOMIC_RELEASE);
}

/* Return whether the device wants a kick. */
static bool split_wants_kick(const struct vhu_driver_vring *vring)
{
	const struct vring_used *used = vring->split.used;
	const __virtio16 *avail_event = (const __virtio16 *)&used->ring[vring->num];

	/* The device must have seen the index before we read what it wants. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vring->event_idx)
		return !(le16toh(__atomic_load_n(&used->flags, __ATOMIC_RELAXED)) &
			 VRING_USED_F_NO_NOTIFY);
	return vring_need_event(le16toh(__atomic_load_n(avail_event, __ATOMIC_RELAXED)),
				vring->avail_index,
				(uint16_t)(vring->avail_index - vring->unkicked));
}

/* Return whether there is a used request, and see all that the device wrote for it. */
static bool is_used(const struct vhu_driver_vring *vring)
{
	return le16toh(__atomic_load_n(&vring->split.used->idx, __ATOMIC_ACQUIRE)) !=
	       vring->used_index;
}

/* Collect a used request. */
static int split_collect(struct vhu_driver_vring *vring, struct vhu_used *used)
{
	const struct vring_used_elem *element =
	    &vring->split.used->ring[vring->used_index % vring->num];
	uint32_t head, rows = vring->indirect ? 1 : VHU_VRING_PARTS;

	if (!is_used(vring))
		return 0;
	head = le32toh(element->id);
	used->written = le32toh(element->len);
	used->slot = head / rows;
	vring->used_index++;
	return head % rows ? -EPROTO : vhu_driver_vring_back(vring, used->slot) ?: 1;
}

/* Ask for a call with the next used request. */
static bool split_arm(struct vhu_driver_vring *vring)
{
	struct vring_avail *avail = vring->split.avail;

	/* Without event indexes calls are always wanted: VRING_AVAIL_F_NO_INTERRUPT is not set. */
	if (vring->event_idx)
		__atomic_store_n(&avail->ring[vring->num], htole16(vring->used_index),
				 __ATOMIC_RELAXED);
	/* What was used before the device saw this comes without a call. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return is_used(vring);
}

const struct vhu_driver_vring_format vhu_driver_vring_split = {
    .lay_out = split_lay_out,
    .offer = split_offer,
    .wants_kick = split_wants_kick,
    .collect = split_collect,
    .arm = split_arm,
};
