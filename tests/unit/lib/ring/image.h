/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory with a vring, written by hand as the virtio specification lays it out, and what is
 * known of that vring when nothing is wrong: started, enabled, counters at 0, a block device.
 */
#ifndef VHU_TESTS_RING_IMAGE_H
#define VHU_TESTS_RING_IMAGE_H

#include <linux/virtio_ring.h>

#include "lib/ring/verdict/verdict.h"

/* The region with the ring, and one for buffers, which has a hole before it in the guest. */
#define IMAGE_RINGS_GUEST   UINT64_C(0x10000)
#define IMAGE_RINGS_USER    UINT64_C(0x7f0000010000)
#define IMAGE_BUFFERS_GUEST UINT64_C(0x100000000)
#define IMAGE_BUFFERS_USER  UINT64_C(0x7f1000000000)
#define IMAGE_REGION        UINT64_C(0x8000)

#define IMAGE_EVENT_IDX (UINT64_C(1) << 29)
#define IMAGE_VERSION_1 (UINT64_C(1) << 32)
#define IMAGE_PACKED    (UINT64_C(1) << 34)

/* A device whose vring's role and requests are known. */
#define IMAGE_BLOCK 2
#define IMAGE_NET   1

struct image {
	int fd;
	uint8_t *rings, *buffers; /* the regions, mapped for writing */
	struct vhu_ring_region region[2];
	struct vhu_ring_memory memory;
	struct vhu_ring_place place;
	/* Split. */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	__virtio16 *used_event, *avail_event;
	/* Packed. */
	struct vring_packed_desc *packed;
	struct vring_packed_desc_event *driver, *device;
	/* The in-flight area of one vring, mapped for writing. */
	int inflight_fd;
	uint8_t *inflight;
	struct vhu_ring_region inflight_region;
	struct vhu_ring_memory inflight_memory;

	struct vhu_context context;
	struct vhu_ring_evidence evidence;
};

/* Make an image of zeros with a ring of @size. */
void image_open(struct image *image, uint64_t features, uint32_t size);
void image_close(struct image *image);

/* Make a split ring with @waiting block requests, or one whose @used requests are all used. */
void image_open_waiting(struct image *image, uint64_t features, unsigned waiting);
void image_open_used(struct image *image, uint64_t features, uint16_t used);

/* Give both samples the same counters, or the processes the same states. */
void image_count(struct image *image, uint64_t kick, uint64_t call);
void image_set_states(struct image *image, char front_end, char back_end);

/* Add an in-flight area that the back-end has begun to use. */
void image_add_inflight(struct image *image);

/* Mark a request of a split ring in flight. */
void image_take(struct image *image, uint16_t head, uint64_t counter);

/* Write a split ring's descriptor. */
void image_describe(struct image *image, uint32_t row, struct vring_desc desc);

/* Make one block request available in a split ring: its header, data, its status; rows from @row.
 */
void image_offer(struct image *image, uint16_t row);

/* Write a packed ring's descriptor; @available and @used are its two bits. */
void image_describe_packed(struct image *image, uint32_t row, uint16_t id, uint16_t flags,
			   bool available, bool used);

/* Read the ring into one of the evidence's samples, which are 200 ms apart. */
void image_sample(struct image *image, unsigned sample);

/* Read the ring into both samples and judge it. */
struct vhu_ring_verdict image_judge(struct image *image);

/* Judge a ring that gets 5 requests, and completes them, between the samples. */
struct vhu_ring_verdict image_judge_moving(struct image *image);

/* Judge, and fail the test unless the verdict is @id with the @alternatives alternatives that
 * follow. */
void image_expect(struct image *image, enum vhu_ring_verdict_id id, unsigned alternatives, ...);

#endif
