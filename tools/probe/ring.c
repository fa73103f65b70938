/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver's half of split virtqueues. */
#include "tools/probe/ring.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fuse.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/probe/connection/connection.h"

/* Each ring has so much of the memory, its areas a page each. */
#define RING_ROOM 0x8000
#define AREA      0x1000
#define WHY_MAX   128
/* Between two looks at a ring that has no call. */
#define LOOK_MS   1

/* The parts of a buffer. */
#define BUFFER_DATA   0x100
#define BUFFER_STATUS 0x800
#define RNG_BYTES     8
/* struct virtio_net_hdr_v1 and the shortest frame that there is. */
#define NET_HEADER    12
#define NET_FRAME     60
#define STATUS_UNSET  0xff
/* Any version that there was; a second greeting is refused, and comes back all the same. */
#define FUSE_MINOR    31

/* One descriptor of a request. */
struct part {
	uint32_t offset, size; /* in the ring's buffer */
	bool written;          /* by the device */
};

/* The descriptors of a request; the first has what is sent. */
struct shape {
	uint32_t device;
	unsigned ring;
	unsigned parts;
	struct part part[3];
};

/* Requests that change nothing: random bytes, a disk's name, an empty Ethernet frame, a file
 * system's greeting. */
static const struct shape shapes[] = {
    {VIRTIO_ID_RNG, 0, 1, {{BUFFER_DATA, RNG_BYTES, true}}},
    {VIRTIO_ID_BLOCK,
     0,
     3,
     {{0, sizeof(struct virtio_blk_outhdr), false},
      {BUFFER_DATA, VIRTIO_BLK_ID_BYTES, true},
      {BUFFER_STATUS, 1, true}}},
    {VIRTIO_ID_NET, 1, 1, {{0, NET_HEADER + NET_FRAME, false}}},
    {VIRTIO_ID_FS,
     1,
     2,
     {{0, sizeof(struct fuse_in_header) + sizeof(struct fuse_init_in), false},
      {BUFFER_DATA, sizeof(struct fuse_out_header) + sizeof(struct fuse_init_out), true}}},
};

/* Return the shape of requests to a device, or NULL. */
static const struct shape *shape_of(uint32_t device)
{
	for (size_t i = 0; i < VHU_ARRAY_SIZE(shapes); i++)
		if (shapes[i].device == device)
			return &shapes[i];
	return NULL;
}

bool vhu_probe_request_known(uint32_t device, unsigned *ring)
{
	const struct shape *shape = shape_of(device);

	*ring = shape ? shape->ring : 0;
	return shape != NULL;
}

int vhu_probe_memory_open(struct vhu_probe_memory *memory)
{
	void *at;

	memory->at = NULL;
	memory->fd = memfd_create("vhu probe", MFD_CLOEXEC);
	if (memory->fd < 0 || ftruncate(memory->fd, VHU_PROBE_MEMORY_SIZE))
		return -errno;
	at = mmap(NULL, VHU_PROBE_MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	memory->at = at;
	return 0;
}

void vhu_probe_memory_close(struct vhu_probe_memory *memory)
{
	if (memory->at)
		munmap(memory->at, VHU_PROBE_MEMORY_SIZE);
	if (memory->fd >= 0)
		close(memory->fd);
	memory->at = NULL;
	memory->fd = -1;
}

/* Write an integer of @size bytes, little endian, as virtio has them. */
static void put(const struct vhu_probe_ring *ring, uint32_t offset, uint64_t value, unsigned size)
{
	vhu_integer_write(ring->memory->at + offset, size, false, value);
}

/* Return a 16-bit index that the other side writes; what it wrote before is seen too. */
static uint16_t get_index(const struct vhu_probe_ring *ring, uint32_t offset)
{
	uint16_t value;

	value = __atomic_load_n((const uint16_t *)(const void *)(ring->memory->at + offset),
				__ATOMIC_ACQUIRE);
	return vhu_host_is_big_endian() ? __builtin_bswap16(value) : value;
}

/* Write a 16-bit index after everything that was written before. */
static void put_index(const struct vhu_probe_ring *ring, uint32_t offset, uint16_t value)
{
	__atomic_store_n((uint16_t *)(void *)(ring->memory->at + offset),
			 vhu_host_is_big_endian() ? __builtin_bswap16(value) : value,
			 __ATOMIC_RELEASE);
}

struct vhu_probe_areas vhu_probe_ring_areas(const struct vhu_probe_ring *ring)
{
	return (struct vhu_probe_areas){
	    .descriptor = ring->base,
	    .available = ring->base + AREA,
	    .used = ring->base + 2 * AREA,
	    .buffer = ring->base + 3 * AREA,
	};
}

int vhu_probe_ring_open(struct vhu_probe_ring *ring, struct vhu_probe_memory *memory,
			unsigned index)
{
	*ring = (struct vhu_probe_ring){
	    .memory = memory,
	    .base = index * RING_ROOM,
	    .kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	    .call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	memset(memory->at + ring->base, 0, RING_ROOM);
	return ring->kick < 0 || ring->call < 0 ? -errno : 0;
}

void vhu_probe_ring_close(struct vhu_probe_ring *ring)
{
	if (ring->kick >= 0)
		close(ring->kick);
	if (ring->call >= 0)
		close(ring->call);
	ring->kick = ring->call = -1;
}

/* Fill in a file system's greeting. */
static void fill_fuse(const struct vhu_probe_ring *ring, uint32_t at)
{
	const uint32_t init = at + (uint32_t)sizeof(struct fuse_in_header);

	put(ring, at + offsetof(struct fuse_in_header, len),
	    sizeof(struct fuse_in_header) + sizeof(struct fuse_init_in), 4);
	put(ring, at + offsetof(struct fuse_in_header, opcode), FUSE_INIT, 4);
	put(ring, at + offsetof(struct fuse_in_header, unique), 2, 8);
	put(ring, init + offsetof(struct fuse_init_in, major), FUSE_KERNEL_VERSION, 4);
	put(ring, init + offsetof(struct fuse_init_in, minor), FUSE_MINOR, 4);
}

/* Fill in what a request says. */
static void fill(const struct vhu_probe_ring *ring, const struct shape *shape)
{
	uint32_t buffer = vhu_probe_ring_areas(ring).buffer;

	memset(ring->memory->at + buffer, 0, AREA);
	if (shape->device == VIRTIO_ID_BLOCK)
		put(ring, buffer, VIRTIO_BLK_T_GET_ID, 4);
	if (shape->device == VIRTIO_ID_FS)
		fill_fuse(ring, buffer);
	ring->memory->at[buffer + BUFFER_STATUS] = STATUS_UNSET;
}

void vhu_probe_ring_place(struct vhu_probe_ring *ring, uint32_t device)
{
	const struct vhu_probe_areas areas = vhu_probe_ring_areas(ring);
	const struct shape *shape = shape_of(device);

	if (!shape)
		return;
	fill(ring, shape);
	for (unsigned i = 0; i < shape->parts; i++) {
		const struct part *part = &shape->part[i];
		uint32_t at = areas.descriptor + i * (uint32_t)sizeof(struct vring_desc);
		bool last = i + 1 == shape->parts;

		put(ring, at, VHU_PROBE_GUEST + areas.buffer + part->offset, 8);
		put(ring, at + 8, part->size, 4);
		put(ring, at + 12,
		    (part->written ? VRING_DESC_F_WRITE : 0) | (last ? 0 : VRING_DESC_F_NEXT), 2);
		put(ring, at + 14, last ? 0 : i + 1, 2);
	}
	/* Each request begins with descriptor 0. */
	put(ring, areas.available + 4 + 2 * (ring->avail % VHU_PROBE_RING_SIZE), 0, 2);
	/* The used event: the call for this request is wanted. */
	put_index(ring, areas.available + 4 + 2 * VHU_PROBE_RING_SIZE, ring->used);
	put_index(ring, areas.available + 2, ++ring->avail);
}

void vhu_probe_ring_kick(const struct vhu_probe_ring *ring)
{
	const uint64_t one = 1;

	if (ring->kick >= 0 && write(ring->kick, &one, sizeof(one)) < 0) {
		/* A full counter has told enough. */
	}
}

void vhu_probe_ring_submit(struct vhu_probe_ring *ring, uint32_t device)
{
	if (!shape_of(device))
		return;
	vhu_probe_ring_place(ring, device);
	vhu_probe_ring_kick(ring);
}

uint16_t vhu_probe_ring_event(const struct vhu_probe_ring *ring)
{
	return get_index(ring, vhu_probe_ring_areas(ring).used + 4 + 8 * VHU_PROBE_RING_SIZE);
}

bool vhu_probe_ring_forgoes_kicks(const struct vhu_probe_ring *ring)
{
	return get_index(ring, vhu_probe_ring_areas(ring).used) & VRING_USED_F_NO_NOTIFY;
}

bool vhu_probe_ring_is_read(const struct vhu_probe_ring *ring, unsigned timeout_ms)
{
	struct pollfd ask = {.fd = ring->kick, .events = POLLIN};
	uint64_t until = vhu_now_ms() + timeout_ms;

	while (poll(&ask, 1, 0) > 0) {
		if (vhu_now_ms() >= until)
			return false;
		poll(NULL, 0, LOOK_MS);
	}
	return true;
}

/* Look at what came back. Returns 0 or -EPROTO. */
static int check_used(struct vhu_probe_ring *ring, const struct shape *shape, uint16_t used,
		      char *why)
{
	const struct vhu_probe_areas areas = vhu_probe_ring_areas(ring);
	uint32_t at = areas.used + 4 + 8 * (ring->used % VHU_PROBE_RING_SIZE), id;
	uint8_t status = ring->memory->at[areas.buffer + BUFFER_STATUS];

	if (used != ring->avail) {
		snprintf(why, WHY_MAX, "the used index is %u, of %u requests", used, ring->avail);
		return -EPROTO;
	}
	ring->used = used;
	id = (uint32_t)vhu_integer_read(ring->memory->at + at, 4, false);
	if (id != 0) {
		snprintf(why, WHY_MAX, "descriptor %" PRIu32 " came back, 0 was sent", id);
		return -EPROTO;
	}
	if (shape->device == VIRTIO_ID_BLOCK && status == STATUS_UNSET) {
		snprintf(why, WHY_MAX, "a request came back without its status");
		return -EPROTO;
	}
	return 0;
}

/* Wait for the call. Returns 0 or -ETIMEDOUT. */
static int wait_call(const struct vhu_probe_ring *ring, uint64_t until)
{
	struct pollfd ask = {.fd = ring->call, .events = POLLIN};
	uint64_t count, now = vhu_now_ms();

	if (ring->call < 0 || ring->forgo_call)
		return 0;
	if (poll(&ask, 1, now < until ? (int)(until - now) : 0) < 1)
		return -ETIMEDOUT;
	if (read(ring->call, &count, sizeof(count)) < 0) {
		/* It was readable: whoever took it, there was a call. */
	}
	return 0;
}

int vhu_probe_ring_wait(struct vhu_probe_ring *ring, uint32_t device, unsigned timeout_ms,
			char *why)
{
	const struct vhu_probe_areas areas = vhu_probe_ring_areas(ring);
	const struct shape *shape = shape_of(device);
	uint64_t until = vhu_now_ms() + timeout_ms;
	uint16_t used;
	int error;

	if (!shape)
		return 0;
	while ((used = get_index(ring, areas.used + 2)) == ring->used) {
		if (vhu_now_ms() >= until) {
			snprintf(why, WHY_MAX, "a request did not come back in %u ms", timeout_ms);
			return -ETIMEDOUT;
		}
		poll(NULL, 0, LOOK_MS);
	}
	error = check_used(ring, shape, used, why);
	if (!error && wait_call(ring, until)) {
		snprintf(why, WHY_MAX, "a request came back and there was no call in %u ms",
			 timeout_ms);
		error = -ETIMEDOUT;
	}
	return error;
}
