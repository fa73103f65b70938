/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of a live migration: one bit a page of guest memory, set for what the device writes.
 *
 * Section "Migration" of the specification. The front-end shares the bitmap by SET_LOG_BASE and
 * wants it kept while VHOST_F_LOG_ALL is negotiated.
 */
#ifndef VHU_SAMPLES_BACKEND_MEMORY_LOG_H
#define VHU_SAMPLES_BACKEND_MEMORY_LOG_H

#include "samples/backend/memory/memory.h"

struct vhu_log {
	uint8_t *bits; /* NULL without one */
	uint64_t size; /* bytes */
	void *map;
	size_t map_size;
	bool on; /* VHOST_F_LOG_ALL is negotiated */
};

/* Take a bitmap of @size bytes in place of the one before. Returns 0 or -errno. */
int vhu_log_set(struct vhu_log *log, int fd, uint64_t offset, uint64_t size);

void vhu_log_clear(struct vhu_log *log);

/* Note that @size bytes of guest memory at @at were written; the pages must be set after that. */
void vhu_log_written(const struct vhu_log *log, const struct vhu_memory *memory, const void *at,
		     uint64_t size);

#endif
