/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver's half of split virtqueues, in memory that is shared with the back-end: enough for one
 * request at a time.
 *
 * The layout of rings is that of "Split Virtqueues" in the virtio specification. What the back-end
 * writes is read once, and checked.
 */
#ifndef VHU_TOOLS_PROBE_RING_H
#define VHU_TOOLS_PROBE_RING_H

#include <stdbool.h>
#include <stdint.h>

#define VHU_PROBE_RING_SIZE   16
#define VHU_PROBE_RINGS_MAX   2
#define VHU_PROBE_MEMORY_SIZE (1u << 20)
/* Where the memory lies for the guest and for the front-end; only the back-end's mapping is real.
 */
#define VHU_PROBE_GUEST       UINT64_C(0x100000)
#define VHU_PROBE_USER        UINT64_C(0x7f0000000000)

struct vhu_probe_memory {
	int fd;
	uint8_t *at;
};

struct vhu_probe_ring {
	struct vhu_probe_memory *memory;
	uint32_t base;   /* in the memory, of what belongs to the ring */
	int kick, call;  /* eventfds; -1: none */
	uint16_t avail;  /* requests made available */
	uint16_t used;   /* requests that came back */
	bool forgo_call; /* the call is not waited for */
};

/* The areas of a ring, as offsets in the memory. */
struct vhu_probe_areas {
	uint32_t descriptor, available, used, buffer;
};

/* Make memory that can be shared. Returns 0 or -errno. */
int vhu_probe_memory_open(struct vhu_probe_memory *memory);
void vhu_probe_memory_close(struct vhu_probe_memory *memory);

/* Begin ring @index again: empty, with eventfds. Returns 0 or -errno; end it by
 * vhu_probe_ring_close. */
int vhu_probe_ring_open(struct vhu_probe_ring *ring, struct vhu_probe_memory *memory,
			unsigned index);
void vhu_probe_ring_close(struct vhu_probe_ring *ring);

/* Return where a ring's areas are. */
struct vhu_probe_areas vhu_probe_ring_areas(const struct vhu_probe_ring *ring);

/* Return whether a request is known that every device of this kind serves, and changes nothing; in
 * *@ring which of its rings takes it. */
bool vhu_probe_request_known(uint32_t device, unsigned *ring);

/* Make a request for a device of this kind available, and kick if there is a kick. */
void vhu_probe_ring_submit(struct vhu_probe_ring *ring, uint32_t device);

/* Make a request available without a kick. */
void vhu_probe_ring_place(struct vhu_probe_ring *ring, uint32_t device);

/* Kick, if there is a kick. */
void vhu_probe_ring_kick(const struct vhu_probe_ring *ring);

/* Return the available event: the index of the entry for which the back-end wants a kick, where
 * EVENT_IDX was negotiated. */
uint16_t vhu_probe_ring_event(const struct vhu_probe_ring *ring);

/* Return whether the back-end says that it wants no kicks, where EVENT_IDX was not negotiated. */
bool vhu_probe_ring_forgoes_kicks(const struct vhu_probe_ring *ring);

/* Wait until the back-end has read the kick. Returns whether it did. */
bool vhu_probe_ring_is_read(const struct vhu_probe_ring *ring, unsigned timeout_ms);

/*
 * Wait until the request comes back.
 * @why: room for 128 bytes, which says what is wrong.
 * Returns 0; -ETIMEDOUT it did not, or there was no call; -EPROTO it came back wrong.
 */
int vhu_probe_ring_wait(struct vhu_probe_ring *ring, uint32_t device, unsigned timeout_ms,
			char *why);

#endif
