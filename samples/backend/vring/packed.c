/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Packed Virtqueues": one ring of descriptors that driver and device both write. Two bits of each
 * say, against wrap counters that change with each lap, whether it is available or used.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "samples/backend/inflight/inflight.h"
#include "samples/backend/vring/vring.h"

#define AVAIL       (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED        (1u << VRING_PACKED_DESC_F_USED)
/* In struct vring_packed_desc_event: an index, and the wrap counter. */
#define EVENT_INDEX ((1u << VRING_PACKED_EVENT_F_WRAP_CTR) - 1)

/* Find the three areas in memory. */
static int packed_map(struct vhu_device_vring *ring)
{
	size_t size = ring->num * sizeof(struct vring_packed_desc);
	void *desc, *driver, *device;

	if (ring->desc_user % 16 || ring->avail_user % 4 || ring->used_user % 4)
		return -EINVAL;
	desc = vhu_memory_at_ring(ring->memory, ring->desc_user, size);
	driver = vhu_memory_at_ring(ring->memory, ring->avail_user,
				    sizeof(struct vring_packed_desc_event));
	device = vhu_memory_at_ring(ring->memory, ring->used_user,
				    sizeof(struct vring_packed_desc_event));
	if (!desc || !driver || !device)
		return -EFAULT;
	ring->packed.desc = desc;
	ring->packed.driver = driver;
	ring->packed.device = device;
	return 0;
}

/* Move a position in the ring on by @by descriptors, at most a lap. */
static void advance(const struct vhu_device_vring *ring, uint16_t *index, bool *wrap, uint32_t by)
{
	uint32_t next = *index + by;

	if (next >= ring->num) {
		next -= ring->num;
		*wrap = !*wrap;
	}
	*index = (uint16_t)next;
}

/* Go on from what the in-flight area says. */
static void packed_begin(struct vhu_device_vring *ring)
{
	if (!ring->inflight)
		return;
	vhu_inflight_packed_recover(ring, &ring->taken);
	ring->avail_index = ring->used_index;
	ring->avail_wrap = ring->used_wrap;
	advance(ring, &ring->avail_index, &ring->avail_wrap, ring->taken);
}

/* Return whether the descriptor at the next available position is available, and see all that
 * the driver wrote before it made it so. */
static bool available(const struct vhu_device_vring *ring)
{
	uint16_t flags =
	    le16toh(__atomic_load_n(&ring->packed.desc[ring->avail_index].flags, __ATOMIC_ACQUIRE));

	return !!(flags & AVAIL) == ring->avail_wrap && !!(flags & USED) != ring->avail_wrap;
}

/* Copy a descriptor, once: the guest may change it after it was checked. */
static struct vring_packed_desc copy_of(const struct vring_packed_desc *at)
{
	struct vring_packed_desc desc;

	memcpy(&desc, at, sizeof(desc));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return desc;
}

/* Add one descriptor's buffer to a chain. Returns 0 or -errno. */
static int add_buffer(struct vhu_device_vring *ring, struct vhu_chain *chain,
		      const struct vring_packed_desc *desc)
{
	return vhu_chain_add(chain, ring->memory,
			     (struct vhu_buffer){
				 .guest = le64toh(desc->addr),
				 .size = le32toh(desc->len),
				 .writable = le16toh(desc->flags) & VRING_DESC_F_WRITE,
			     });
}

/* Add one descriptor of the ring, or the table that it refers to. Returns 0 or -errno. */
static int add_descriptor(struct vhu_device_vring *ring, struct vhu_chain *chain,
			  const struct vring_packed_desc *desc)
{
	const struct vring_packed_desc *table;
	uint16_t flags = le16toh(desc->flags);
	uint32_t rows;
	int error = 0;

	if (!(flags & VRING_DESC_F_INDIRECT))
		return add_buffer(ring, chain, desc);
	table = vhu_device_vring_table(ring, le64toh(desc->addr), le32toh(desc->len), &rows);
	if (!table || flags & VRING_DESC_F_NEXT)
		return -EPROTO;
	for (uint32_t row = 0; row < rows && !error; row++) {
		struct vring_packed_desc inner = copy_of(&table[row]);

		error = add_buffer(ring, chain, &inner);
	}
	return error;
}

/* Take a chain off the ring, its first descriptor being available. Returns 0 or -errno. */
static int take_chain(struct vhu_device_vring *ring, struct vhu_chain *chain)
{
	uint32_t position = ring->avail_index;
	struct vring_packed_desc desc;
	int error;

	do {
		if (ring->taken == ring->num)
			return -EOVERFLOW;
		desc = copy_of(&ring->packed.desc[position]);
		position = position + 1 < ring->num ? position + 1 : 0;
		chain->descriptors++;
		ring->taken++;
		error = vhu_inflight_packed_take(ring, chain, &desc);
		error = error ?: add_descriptor(ring, chain, &desc);
	} while (!error && le16toh(desc.flags) & VRING_DESC_F_NEXT);
	/* The last one's is the buffer id. */
	chain->id = le16toh(desc.id);
	advance(ring, &ring->avail_index, &ring->avail_wrap, chain->descriptors);
	return error;
}

/* Take a chain that a predecessor left in the in-flight area. Returns 0 or -errno. */
static int take_again(struct vhu_device_vring *ring, struct vhu_chain *chain)
{
	struct vhu_resubmit again = ring->resubmit[ring->resubmitted++];
	struct vring_packed_desc desc = {0};
	int error = 0;

	chain->entry = again.entry;
	chain->descriptors = again.descriptors;
	for (unsigned i = 0; i < again.descriptors && !error; i++) {
		error = vhu_inflight_packed_saved(ring, &again.entry, &desc);
		error = error ?: add_descriptor(ring, chain, &desc);
	}
	chain->id = le16toh(desc.id);
	return error;
}

/* Take the next request. */
static int packed_pop(struct vhu_device_vring *ring, struct vhu_chain *chain)
{
	vhu_chain_clear(chain);
	if (ring->resubmitted < ring->resubmits)
		return take_again(ring, chain) ?: 1;
	if (!available(ring))
		return 0;
	return take_chain(ring, chain) ?: 1;
}

/* Give a request back. */
static void packed_push(struct vhu_device_vring *ring, const struct vhu_done *done)
{
	struct vring_packed_desc *desc = &ring->packed.desc[ring->used_index];
	uint16_t flags = ring->used_wrap ? AVAIL | USED : 0;

	if (done->written)
		flags |= VRING_DESC_F_WRITE;
	desc->id = htole16(done->id);
	desc->len = htole32(done->written);
	advance(ring, &ring->used_index, &ring->used_wrap, done->descriptors);
	vhu_inflight_packed_give(ring, done->entry);
	/* The driver that sees the flags must see the rest and all that the device wrote. */
	__atomic_store_n(&desc->flags, htole16(flags), __ATOMIC_RELEASE);
	vhu_device_vring_wrote(ring, desc, sizeof(*desc));
	vhu_inflight_packed_given(ring, done->entry);
	ring->taken -= done->descriptors;
	ring->unannounced += done->descriptors;
}

/* Ask for a kick with the next request. */
static bool packed_arm(struct vhu_device_vring *ring)
{
	struct vring_packed_desc_event *device = ring->packed.device;
	uint16_t flags = VRING_PACKED_EVENT_FLAG_ENABLE;

	if (ring->event_idx) {
		device->off_wrap = htole16((uint16_t)(ring->avail_index | ring->avail_wrap << 15));
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	__atomic_store_n(&device->flags, htole16(flags), __ATOMIC_RELEASE);
	vhu_device_vring_wrote(ring, device, sizeof(*device));
	/* What was made available before the driver saw this comes without a kick. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return available(ring);
}

/* Return whether the driver wants a call. */
static bool packed_wants_call(const struct vhu_device_vring *ring)
{
	uint16_t flags, event;
	int behind;

	/* As in split_wants_call. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flags = le16toh(__atomic_load_n(&ring->packed.driver->flags, __ATOMIC_ACQUIRE));
	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !ring->event_idx)
		return true;
	event = le16toh(__atomic_load_n(&ring->packed.driver->off_wrap, __ATOMIC_RELAXED));
	/* It wants one when a certain descriptor is used: was it among the last ones? */
	behind = ring->used_index - (int)(event & EVENT_INDEX);
	if (event >> VRING_PACKED_EVENT_F_WRAP_CTR != ring->used_wrap)
		behind += (int)ring->num;
	return behind > 0 && behind <= (int)ring->unannounced;
}

const struct vhu_device_vring_format vhu_device_vring_packed = {
    .map = packed_map,
    .begin = packed_begin,
    .pop = packed_pop,
    .push = packed_push,
    .arm = packed_arm,
    .wants_call = packed_wants_call,
};
