/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lib/ring that read a snapshot share. */
#ifndef VHU_RING_INTERNAL_H
#define VHU_RING_INTERNAL_H

#include "lib/ring/snapshot.h"

/* Fields of a descriptor. Split: address, length, flags, next. Packed: address, length, id, flags.
 */
enum {
	VHU_ROW_ADDRESS = 0,
	VHU_ROW_LENGTH = 8,
	VHU_ROW_SPLIT_FLAGS = 12,
	VHU_ROW_SPLIT_NEXT = 14,
	VHU_ROW_PACKED_ID = 12,
	VHU_ROW_PACKED_FLAGS = 14,
};

/* Read the areas of a ring; @snapshot has its format, size and copies' room already.
 * Return 0 or -errno. */
int vhu_ring_split_read(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot);
int vhu_ring_packed_read(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot);

/* As vhu_ring_kick, vhu_ring_call and vhu_ring_one_at_a_time. */
enum vhu_ring_kick vhu_ring_split_kick(const struct vhu_ring_snapshot *snapshot);
enum vhu_ring_kick vhu_ring_packed_kick(const struct vhu_ring_snapshot *snapshot);
enum vhu_ring_call vhu_ring_split_call(const struct vhu_ring_snapshot *snapshot);
enum vhu_ring_call vhu_ring_packed_call(const struct vhu_ring_snapshot *snapshot);
bool vhu_ring_split_one_at_a_time(const struct vhu_ring_snapshot *snapshot, unsigned requests);
bool vhu_ring_packed_one_at_a_time(const struct vhu_ring_snapshot *snapshot, unsigned requests);

/* Read the in-flight area into a snapshot, and note why it could not be. */
void vhu_ring_inflight_into(const struct vhu_ring_place *place, struct vhu_ring_snapshot *snapshot);

#endif
