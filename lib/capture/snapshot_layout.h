/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encoding of snapshots, for the record's. */
#ifndef VHU_CAPTURE_SNAPSHOT_LAYOUT_H
#define VHU_CAPTURE_SNAPSHOT_LAYOUT_H

#include "lib/capture/snapshot.h"
#include "lib/capture/take.h"

/* Append the TLVs of a snapshot. Returns where the next byte goes. */
uint8_t *vhu_snapshot_encode(const struct vhu_vring_snapshot *snapshot, uint8_t *to);

/* Make everything in @snapshot unknown, before TLVs are decoded into it. */
void vhu_snapshot_begin(struct vhu_vring_snapshot *snapshot);

/* Decode the value of a TLV of a snapshot. What is wrong with it is in in->over. */
void vhu_snapshot_decode(struct vhu_vring_snapshot *snapshot, uint16_t type, struct input *in);

#endif
