/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Split Virtqueues": a table of descriptors, a ring of heads that the driver makes available, a
 * ring of those that the device has used.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "samples/backend/inflight/inflight.h"
#include "samples/backend/vring/vring.h"

/* Find the three areas in memory. */
static int split_map(struct vhu_device_vring *ring)
{
	/* With event indexes each side has one field more, behind its ring. */
	size_t event = ring->event_idx ? sizeof(uint16_t) : 0;
	size_t num = ring->num;
	void *desc, *avail, *used;

	if (ring->desc_user % VRING_DESC_ALIGN_SIZE || ring->avail_user % VRING_AVAIL_ALIGN_SIZE ||
	    ring->used_user % VRING_USED_ALIGN_SIZE)
		return -EINVAL;
	desc = vhu_memory_at_ring(ring->memory, ring->desc_user, num * sizeof(struct vring_desc));
	avail = vhu_memory_at_ring(ring->memory, ring->avail_user,
				   sizeof(struct vring_avail) + num * sizeof(uint16_t) + event);
	used = vhu_memory_at_ring(ring->memory, ring->used_user,
				  sizeof(struct vring_used) + num * sizeof(struct vring_used_elem) +
				      event);
	if (!desc || !avail || !used)
		return -EFAULT;
	ring->split.desc = desc;
	ring->split.avail = avail;
	ring->split.used = used;
	return 0;
}

/* Return the driver's available index, and see all that it wrote before it. */
static uint16_t available(const struct vhu_device_vring *ring)
{
	return le16toh(__atomic_load_n(&ring->split.avail->idx, __ATOMIC_ACQUIRE));
}

/* Go on from what the used ring and the in-flight area say. */
static void split_begin(struct vhu_device_vring *ring)
{
	ring->used_index = le16toh(ring->split.used->idx);
	if (!ring->inflight)
		return;
	vhu_inflight_split_recover(ring, ring->used_index);
	ring->taken = ring->resubmits;
	/* All that was taken is either used or in flight, and more was not taken. */
	ring->avail_index = (uint16_t)(ring->used_index + ring->resubmits);
}

/* Copy a descriptor, once: the guest may change it after it was checked. */
static struct vring_desc copy_of(const struct vring_desc *at)
{
	struct vring_desc desc;

	memcpy(&desc, at, sizeof(desc));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return desc;
}

/*
 * Add the buffers that @table links from @row on to a chain.
 * @indirect: the table is one that a descriptor refers to.
 * Returns 0 or -errno.
 */
static int add_links(struct vhu_device_vring *ring, struct vhu_chain *chain,
		     const struct vring_desc *table, uint32_t rows, uint32_t row, bool indirect)
{
	const struct vring_desc *inner;
	struct vring_desc desc;
	uint32_t inner_rows;
	uint16_t flags;
	int error;

	for (uint32_t steps = 0; steps < rows && row < rows; steps++) {
		desc = copy_of(&table[row]);
		flags = le16toh(desc.flags);
		if (flags & VRING_DESC_F_INDIRECT) {
			inner = vhu_device_vring_table(ring, le64toh(desc.addr), le32toh(desc.len),
						       &inner_rows);
			/* An indirect table ends its chain and refers to no other. */
			if (!inner || indirect || flags & VRING_DESC_F_NEXT)
				return -EPROTO;
			return add_links(ring, chain, inner, inner_rows, 0, true);
		}
		error = vhu_chain_add(chain, ring->memory,
				      (struct vhu_buffer){
					  .guest = le64toh(desc.addr),
					  .size = le32toh(desc.len),
					  .writable = flags & VRING_DESC_F_WRITE,
				      });
		if (error || !(flags & VRING_DESC_F_NEXT))
			return error;
		row = le16toh(desc.next);
	}
	return -EPROTO; /* a loop, or an index beyond the table */
}

/* Take the next request. */
static int split_pop(struct vhu_device_vring *ring, struct vhu_chain *chain)
{
	uint16_t ahead, head;

	if (ring->resubmitted < ring->resubmits) {
		head = ring->resubmit[ring->resubmitted++].entry;
	} else {
		ahead = (uint16_t)(available(ring) - ring->avail_index);
		if (ahead == 0)
			return 0;
		if (ahead + ring->taken > ring->num)
			return -EOVERFLOW;
		head = le16toh(__atomic_load_n(
		    &ring->split.avail->ring[ring->avail_index % ring->num], __ATOMIC_RELAXED));
		if (head >= ring->num)
			return -ERANGE;
		vhu_inflight_split_take(ring, head);
		ring->avail_index++;
		ring->taken++;
	}
	vhu_chain_clear(chain);
	chain->id = head;
	chain->descriptors = 1;
	return add_links(ring, chain, ring->split.desc, ring->num, head, false) ?: 1;
}

/* Give a request back. */
static void split_push(struct vhu_device_vring *ring, const struct vhu_done *done)
{
	struct vring_used *used = ring->split.used;
	vring_used_elem_t *element = &used->ring[ring->used_index % ring->num];

	vhu_inflight_split_give(ring, done->id);
	element->id = htole32(done->id);
	element->len = htole32(done->written);
	vhu_device_vring_wrote(ring, element, sizeof(*element));
	ring->used_index++;
	/* The driver that sees the index must see the element and all that the device wrote. */
	__atomic_store_n(&used->idx, htole16(ring->used_index), __ATOMIC_RELEASE);
	vhu_device_vring_wrote(ring, &used->idx, sizeof(used->idx));
	vhu_inflight_split_given(ring, done->id);
	ring->taken--;
	ring->unannounced++;
}

/* Ask for a kick with the next request. */
static bool split_arm(struct vhu_device_vring *ring)
{
	__virtio16 *avail_event;

	/* Without event indexes kicks are always wanted: VRING_USED_F_NO_NOTIFY is never set. */
	if (!ring->event_idx)
		return false;
	avail_event = (__virtio16 *)&ring->split.used->ring[ring->num];
	__atomic_store_n(avail_event, htole16(ring->avail_index), __ATOMIC_RELAXED);
	vhu_device_vring_wrote(ring, avail_event, sizeof(*avail_event));
	/* What was made available before the driver saw this comes without a kick. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return available(ring) != ring->avail_index;
}

/* Return whether the driver wants a call. */
static bool split_wants_call(const struct vhu_device_vring *ring)
{
	const struct vring_avail *avail = ring->split.avail;
	uint16_t event;

	/* The driver must have seen the used index before we read what it wants, else it may have
	 * changed its mind just before it looks and finds nothing. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!ring->event_idx)
		return !(le16toh(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED)) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	event = le16toh(__atomic_load_n(&avail->ring[ring->num], __ATOMIC_RELAXED));
	return vring_need_event(event, ring->used_index,
				(uint16_t)(ring->used_index - ring->unannounced));
}

const struct vhu_device_vring_format vhu_device_vring_split = {
    .map = split_map,
    .begin = split_begin,
    .pop = split_pop,
    .push = split_push,
    .arm = split_arm,
    .wants_call = split_wants_call,
};
