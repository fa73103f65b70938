/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of a live migration. */
#include "samples/backend/memory/log.h"

#include <string.h>
#include <sys/mman.h>

/* Fixed by the specification, whatever the size of pages is. */
#define LOG_PAGE 4096

int vhu_log_set(struct vhu_log *log, int fd, uint64_t offset, uint64_t size)
{
	size_t map_size;
	void *map;
	int error = vhu_memory_map(fd, offset, size, &map, &map_size);

	if (error)
		return error;
	vhu_log_clear(log);
	log->map = map;
	log->map_size = map_size;
	log->bits = (uint8_t *)map + offset;
	log->size = size;
	return 0;
}

void vhu_log_clear(struct vhu_log *log)
{
	if (log->map)
		munmap(log->map, log->map_size);
	*log = (struct vhu_log){.on = log->on};
}

void vhu_log_written(const struct vhu_log *log, const struct vhu_memory *memory, const void *at,
		     uint64_t size)
{
	uint64_t guest, page;

	if (!log->on || !log->bits || size == 0 || !vhu_memory_guest_of(memory, at, &guest))
		return;
	for (page = guest / LOG_PAGE; page <= (guest + size - 1) / LOG_PAGE; page++) {
		if (page / 8 >= log->size)
			return;
		/* The front-end takes bits away while we set some. */
		__atomic_fetch_or(&log->bits[page / 8], (uint8_t)(1u << page % 8),
				  __ATOMIC_RELEASE);
	}
}
