/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of a migration: whether the device has marked the pages that it wrote.
 *
 * All of its writes are checked at the end, not while it writes: a page is only ever marked here.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "samples/frontend/frontend.h"

/* Fixed by the specification, whatever the size of pages is. */
#define LOG_PAGE 4096

int vhu_dirty_open(struct vhu_frontend *frontend)
{
	const struct vhu_arena_region *last = &frontend->arena.region[VHU_ARENA_REGIONS - 1];
	void *map;

	frontend->log_size = (last->guest + last->size) / LOG_PAGE / 8 + 1;
	frontend->log_fd = memfd_create("vhu-sample-frontend-log", MFD_CLOEXEC);
	if (frontend->log_fd < 0 || ftruncate(frontend->log_fd, (off_t)frontend->log_size))
		return vhu_say(frontend, "no memory for a log: %s", strerror(errno));
	map = mmap(NULL, frontend->log_size, PROT_READ, MAP_SHARED, frontend->log_fd, 0);
	if (map == MAP_FAILED)
		return vhu_say(frontend, "no memory for a log: %s", strerror(errno));
	frontend->log = map;
	return 0;
}

void vhu_dirty_close(struct vhu_frontend *frontend)
{
	if (!frontend->log)
		return;
	munmap(frontend->log, frontend->log_size);
	close(frontend->log_fd);
}

/* Return whether the pages of @size bytes at @at are marked. */
static bool is_marked(const struct vhu_frontend *frontend, const void *at, uint64_t size)
{
	uint64_t guest = vhu_arena_guest(&frontend->arena, at);

	for (uint64_t page = guest / LOG_PAGE; page <= (guest + size - 1) / LOG_PAGE; page++)
		if (!(frontend->log[page / 8] >> page % 8 & 1))
			return false;
	return true;
}

/* Check the buffers of a slot that the device has written at least once. */
static int check_slot(const struct vhu_frontend *frontend, const struct vhu_slot *slot)
{
	for (unsigned i = 0; i < slot->parts; i++)
		if (slot->part[i].writable &&
		    !is_marked(frontend, slot->part[i].at, slot->part[i].size))
			return vhu_say(frontend,
				       "the log has no mark for guest address 0x%" PRIx64
				       ", which the device has written",
				       vhu_arena_guest(&frontend->arena, slot->part[i].at));
	return 0;
}

int vhu_dirty_check(const struct vhu_frontend *frontend)
{
	for (unsigned i = 0; i < frontend->options.queues; i++) {
		const struct vhu_queue *queue = &frontend->queue[i];
		const struct vhu_driver_vring *vring = &queue->vring;
		const void *ring = frontend->options.packed ? (const void *)vring->packed.desc
							    : (const void *)vring->split.used;

		for (unsigned j = 0; j < frontend->options.depth; j++)
			if (check_slot(frontend, &queue->slot[j]))
				return -1;
		if (queue->slot[0].parts > 0 && !is_marked(frontend, ring, 1))
			return vhu_say(frontend, "the log has no mark for vring %u", queue->index);
	}
	return 0;
}
