/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vring as the driver sees it: what both formats share. */
#include "samples/frontend/vring/vring.h"

#include <errno.h>
#include <stdlib.h>

/* Room for what alignment takes: each area begins on a page of its own. */
#define ALIGNMENT_ROOM (4 * 4096)

uint64_t vhu_driver_vring_size(uint32_t num, uint32_t slots)
{
	return vring_size(num, 4096) +
	       (uint64_t)slots * VHU_VRING_PARTS * sizeof(struct vring_desc) + ALIGNMENT_ROOM;
}

int vhu_driver_vring_open(struct vhu_driver_vring *vring, struct vhu_arena *arena, uint32_t num,
			  uint32_t slots)
{
	vring->arena = arena;
	vring->num = num;
	vring->slots = slots;
	vring->avail_wrap = vring->used_wrap = true;
	vring->busy = calloc(slots, sizeof(*vring->busy));
	vring->taken = calloc(slots, sizeof(*vring->taken));
	vring->table = vhu_arena_take(arena, VHU_ARENA_RINGS,
				      slots * VHU_VRING_PARTS * sizeof(struct vring_desc), 16);
	if (!vring->busy || !vring->taken || !vring->table)
		return -ENOMEM;
	return vring->format->lay_out(vring, arena);
}

void vhu_driver_vring_close(struct vhu_driver_vring *vring)
{
	free(vring->busy);
	free(vring->taken);
	vring->busy = NULL;
	vring->taken = NULL;
}

struct vhu_driver_vring_areas vhu_driver_vring_areas(const struct vhu_driver_vring *vring)
{
	if (vring->format == &vhu_driver_vring_packed)
		return (struct vhu_driver_vring_areas){
		    .descriptor = (uintptr_t)vring->packed.desc,
		    .available = (uintptr_t)vring->packed.driver,
		    .used = (uintptr_t)vring->packed.device,
		};
	return (struct vhu_driver_vring_areas){
	    .descriptor = (uintptr_t)vring->split.desc,
	    .available = (uintptr_t)vring->split.avail,
	    .used = (uintptr_t)vring->split.used,
	};
}

int vhu_driver_vring_back(struct vhu_driver_vring *vring, uint32_t slot)
{
	if (slot >= vring->slots || !vring->busy[slot])
		return -EPROTO;
	vring->busy[slot] = false;
	return 0;
}
