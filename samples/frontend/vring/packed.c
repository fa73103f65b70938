/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Packed Virtqueues", the driver's side. The buffer id is the slot. */
#include <endian.h>
#include <errno.h>

#include "samples/frontend/vring/vring.h"

#define AVAIL       (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED        (1u << VRING_PACKED_DESC_F_USED)
/* In struct vring_packed_desc_event: an index, and the wrap counter. */
#define EVENT_INDEX ((1u << VRING_PACKED_EVENT_F_WRAP_CTR) - 1)

/* Take the three areas from the arena. */
static int packed_lay_out(struct vhu_driver_vring *vring, struct vhu_arena *arena)
{
	vring->packed.desc = vhu_arena_take(arena, VHU_ARENA_RINGS,
					    vring->num * sizeof(struct vring_packed_desc), 4096);
	vring->packed.driver =
	    vhu_arena_take(arena, VHU_ARENA_RINGS, sizeof(struct vring_packed_desc_event), 4096);
	vring->packed.device =
	    vhu_arena_take(arena, VHU_ARENA_RINGS, sizeof(struct vring_packed_desc_event), 4096);
	return vring->packed.desc && vring->packed.driver && vring->packed.device ? 0 : -ENOMEM;
}

/* Move a position in the ring on by @by descriptors, at most a lap. */
static void advance(const struct vhu_driver_vring *vring, uint16_t *index, bool *wrap, uint32_t by)
{
	uint32_t next = *index + by;

	if (next >= vring->num) {
		next -= vring->num;
		*wrap = !*wrap;
	}
	*index = (uint16_t)next;
}

/* Return a descriptor of a buffer, with the flags that go with it anywhere. */
static struct vring_packed_desc describe(const struct vhu_driver_vring *vring, const void *at,
					 uint32_t size, unsigned flags, uint32_t slot)
{
	return (struct vring_packed_desc){
	    .addr = htole64(vhu_arena_device(vring->arena, at)),
	    .len = htole32(size),
	    .id = htole16((uint16_t)slot),
	    .flags = htole16((uint16_t)flags),
	};
}

/* Put a descriptor at the next available position; the first one of a request is not made
 * available, its flags are returned instead. */
static uint16_t put(struct vhu_driver_vring *vring, struct vring_packed_desc desc, bool first)
{
	struct vring_packed_desc *at = &vring->packed.desc[vring->avail_index];
	unsigned flags = le16toh(desc.flags) | (vring->avail_wrap ? AVAIL : USED);

	at->addr = desc.addr;
	at->len = desc.len;
	at->id = desc.id;
	if (!first)
		at->flags = htole16((uint16_t)flags);
	advance(vring, &vring->avail_index, &vring->avail_wrap, 1);
	vring->unkicked++;
	return htole16((uint16_t)flags);
}

/* Make a request available. */
static void packed_offer(struct vhu_driver_vring *vring, uint32_t slot, const struct vhu_part *part,
			 unsigned parts)
{
	struct vring_packed_desc *table =
	    (struct vring_packed_desc *)vring->table + slot * VHU_VRING_PARTS;
	struct vring_packed_desc *first = &vring->packed.desc[vring->avail_index];
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < parts; i++) {
		unsigned flags = part[i].writable ? VRING_DESC_F_WRITE : 0;

		if (!vring->indirect && i + 1 < parts)
			flags |= VRING_DESC_F_NEXT;
		table[i] = describe(vring, part[i].at, part[i].size, flags, slot);
	}
	if (vring->indirect) {
		first_flags = put(vring,
				  describe(vring, table, (uint32_t)(parts * sizeof(*table)),
					   VRING_DESC_F_INDIRECT, slot),
				  true);
	} else {
		first_flags = put(vring, table[0], true);
		for (unsigned i = 1; i < parts; i++)
			put(vring, table[i], false);
	}
	vring->busy[slot] = true;
	vring->taken[slot] = vring->indirect ? 1 : (uint16_t)parts;
	/* The device that sees the first one available must see all of them. */
	__atomic_store_n(&first->flags, first_flags, __ATOMIC_RELEASE);
}

/* Return whether the device wants a kick. */
static bool packed_wants_kick(const struct vhu_driver_vring *vring)
{
	const struct vring_packed_desc_event *device = vring->packed.device;
	uint16_t flags, event;
	int behind;

	/* The device must have seen what is available before we read what it wants. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flags = le16toh(__atomic_load_n(&device->flags, __ATOMIC_ACQUIRE));
	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !vring->event_idx)
		return true;
	event = le16toh(__atomic_load_n(&device->off_wrap, __ATOMIC_RELAXED));
	/* It wants one when a certain descriptor is available: was it among the last ones? */
	behind = vring->avail_index - (int)(event & EVENT_INDEX);
	if (event >> VRING_PACKED_EVENT_F_WRAP_CTR != vring->avail_wrap)
		behind += (int)vring->num;
	return behind > 0 && behind <= (int)vring->unkicked;
}

/* Return whether there is a used request, and see all that the device wrote for it. */
static bool is_used(const struct vhu_driver_vring *vring)
{
	uint16_t flags = le16toh(
	    __atomic_load_n(&vring->packed.desc[vring->used_index].flags, __ATOMIC_ACQUIRE));

	return !!(flags & AVAIL) == vring->used_wrap && !!(flags & USED) == vring->used_wrap;
}

/* Collect a used request. */
static int packed_collect(struct vhu_driver_vring *vring, struct vhu_used *used)
{
	const struct vring_packed_desc *desc = &vring->packed.desc[vring->used_index];

	if (!is_used(vring))
		return 0;
	used->slot = le16toh(desc->id);
	used->written = le32toh(desc->len);
	if (vhu_driver_vring_back(vring, used->slot))
		return -EPROTO;
	advance(vring, &vring->used_index, &vring->used_wrap, vring->taken[used->slot]);
	return 1;
}

/* Ask for a call with the next used request. */
static bool packed_arm(struct vhu_driver_vring *vring)
{
	struct vring_packed_desc_event *driver = vring->packed.driver;
	uint16_t flags = VRING_PACKED_EVENT_FLAG_ENABLE;

	if (vring->event_idx) {
		driver->off_wrap = htole16((uint16_t)(vring->used_index | vring->used_wrap << 15));
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	__atomic_store_n(&driver->flags, htole16(flags), __ATOMIC_RELEASE);
	/* What was used before the device saw this comes without a call. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return is_used(vring);
}

const struct vhu_driver_vring_format vhu_driver_vring_packed = {
    .lay_out = packed_lay_out,
    .offer = packed_offer,
    .wants_kick = packed_wants_kick,
    .collect = packed_collect,
    .arm = packed_arm,
};
