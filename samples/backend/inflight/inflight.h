/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The in-flight area: which requests the device has taken and not given back, in memory that the
 * front-end keeps when the back-end dies and hands to its successor.
 *
 * Section "Inflight I/O tracking" of the specification. The area is a region for each vring; what a
 * region looks like depends on the ring's format. A back-end may be killed between any two of its
 * instructions: the order of the writes to a region is what the section is about, and what the
 * fences in the two formats' files keep. The front-end may hand us anything: all indices found in
 * a region are checked.
 */
#ifndef VHU_SAMPLES_BACKEND_INFLIGHT_INFLIGHT_H
#define VHU_SAMPLES_BACKEND_INFLIGHT_INFLIGHT_H

#include "samples/backend/vring/vring.h"

/* What QueueRegionSplit and QueueRegionPacked have in "version". */
#define VHU_INFLIGHT_VERSION 1

struct vhu_inflight {
	void *map; /* NULL without one */
	size_t map_size;
	uint8_t *area;
	uint16_t queues;
	uint64_t stride; /* bytes from one region to the next */
};

/* Return how many bytes to make the area for so many vrings of a size. */
uint64_t vhu_inflight_size(uint16_t queues, uint16_t queue_size, bool packed);

/* Make an area for a front-end to keep. Returns a descriptor of it or -errno. */
int vhu_inflight_create(uint64_t size);

/* A front-end's description of its area. */
struct vhu_inflight_told {
	uint64_t offset, size;
	uint16_t queues, queue_size;
};

/* Use the area in @fd in place of the one before. Returns 0 or -errno. */
int vhu_inflight_set(struct vhu_inflight *inflight, int fd, const struct vhu_inflight_told *told);

void vhu_inflight_clear(struct vhu_inflight *inflight);

/* Return the region of a vring; NULL where the area has none, or none large enough. */
void *vhu_inflight_region(const struct vhu_inflight *inflight, const struct vhu_device_vring *ring,
			  bool packed);

/* A request in flight, to be sorted by the order of taking. */
struct vhu_inflight_left {
	uint64_t counter;
	struct vhu_resubmit what;
};

/* Have @ring resubmit what a predecessor left, oldest first, and count on from there. */
void vhu_inflight_resubmit(struct vhu_device_vring *ring, struct vhu_inflight_left *left,
			   uint32_t count);

/* Keep the compiler from moving writes to a region across this. The processor's order does not
 * matter: a successor sees all that a dead process has written. (A test dies here.) */
#ifndef vhu_inflight_step
#define vhu_inflight_step() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

/*
 * Recover: begin a region that was never used, else find out what a predecessor left. A packed
 * ring's also tells the used position, and how many *@descriptors are in flight.
 */
void vhu_inflight_split_recover(struct vhu_device_vring *ring, uint16_t used_index);
void vhu_inflight_packed_recover(struct vhu_device_vring *ring, uint32_t *descriptors);

/*
 * Note the state of a request; without a region these do nothing. _take is for each descriptor in a
 * packed ring, which saves them; _give comes just before the used index is published, and _given
 * just after. @head: its first descriptor. @entry: its place in the region, set with the first
 * descriptor taken. Taking returns 0, or -EPROTO if the region is bad.
 */
void vhu_inflight_split_take(struct vhu_device_vring *ring, uint16_t head);
void vhu_inflight_split_give(struct vhu_device_vring *ring, uint16_t head);
void vhu_inflight_split_given(struct vhu_device_vring *ring, uint16_t head);
int vhu_inflight_packed_take(struct vhu_device_vring *ring, struct vhu_chain *chain,
			     const struct vring_packed_desc *desc);
void vhu_inflight_packed_give(struct vhu_device_vring *ring, uint16_t entry);
void vhu_inflight_packed_given(struct vhu_device_vring *ring, uint16_t entry);

/* Read a descriptor that was saved, and move *@entry to the one that follows it in its chain.
 * Returns 0 or -EPROTO. */
int vhu_inflight_packed_saved(const struct vhu_device_vring *ring, uint16_t *entry,
			      struct vring_packed_desc *desc);

#endif
