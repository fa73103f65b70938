/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payloads and descriptors for the golden captures: every field gets a value of its own. */
#ifndef VHU_GOLDEN_FILL_H
#define VHU_GOLDEN_FILL_H

#include "lib/capture/record.h"

/* The largest payload that vhu_fill_payload makes, in bytes. */
#define VHU_FILL_MAX 20000

/* Regions of a memory table, and elements of any other array. */
#define VHU_FILL_ELEMENTS 2

/* Add the @size lower bytes of @value to the zeros at @to. */
void vhu_fill_integer(uint8_t *to, unsigned size, uint64_t value, bool big_endian);

/*
 * Fill in @layout.
 * @fds: descriptors that pass with the message; a flag that says "no descriptor" agrees with it.
 * @to: VHU_FILL_MAX zeros.
 * Returns the payload's size in bytes.
 */
uint32_t vhu_fill_payload(const struct vhu_layout *layout, unsigned fds, bool big_endian,
			  uint8_t *to);

/* Describe @fds descriptors at @fd: all kinds in turn. The names are constants. */
void vhu_fill_fds(struct vhu_fd_info *fd, unsigned fds);

/* Make snapshot @which of a vring, from 0. Returns whether there is one. */
bool vhu_fill_snapshot(struct vhu_vring_snapshot *snapshot, unsigned which);

#endif
