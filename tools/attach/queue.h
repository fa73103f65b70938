/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events in the order of their times. Each processor has a buffer of its own, so those of several
 * processors have to be put in order: what was there when all buffers were read can be.
 *
 * Ownership: a queue copies events.
 */
#ifndef VHU_TOOLS_ATTACH_QUEUE_H
#define VHU_TOOLS_ATTACH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/attach/events.h"

struct vhu_attach_queued;

struct vhu_attach_queue {
	struct vhu_attach_queued *event;
	size_t count, room;
	uint64_t order; /* of the next event */
	uint64_t lost;  /* for want of memory */
};

/* Add an event and what follows it. */
void vhu_attach_queue_add(struct vhu_attach_queue *queue, const struct vhu_attach_event *event,
			  const uint8_t *bytes);

/* Take all events up to a time, in order, those of one time in order of arrival. */
void vhu_attach_queue_take(struct vhu_attach_queue *queue, uint64_t until_ns,
			   void (*take)(void *context, const struct vhu_attach_event *event,
					const uint8_t *bytes),
			   void *context);

/* Free what a queue holds. */
/* Find out who is at the end @socket of a connection, by the events that are in the queue. Returns
 * whether one of them says it. */
bool vhu_attach_queue_who(const struct vhu_attach_queue *queue, uint64_t socket,
			  struct vhu_attach_who *who);

void vhu_attach_queue_free(struct vhu_attach_queue *queue);

#endif
