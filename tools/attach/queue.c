/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events in the order of their times. */
#include "tools/attach/queue.h"

#include <stdlib.h>
#include <string.h>

struct vhu_attach_queued {
	struct vhu_attach_event event;
	uint64_t order;
	uint8_t *bytes;
};

void vhu_attach_queue_add(struct vhu_attach_queue *queue, const struct vhu_attach_event *event,
			  const uint8_t *bytes)
{
	size_t size = event->what == VHU_ATTACH_FD ? sizeof(struct vhu_attach_file) : event->copied;
	struct vhu_attach_queued *more;
	uint8_t *copy = malloc(size ? size : 1);

	if (queue->count == queue->room) {
		size_t room = queue->room ? 2 * queue->room : 256;

		more = reallocarray(queue->event, room, sizeof(*more));
		if (more) {
			queue->event = more;
			queue->room = room;
		}
	}
	if (!copy || queue->count == queue->room) {
		free(copy);
		queue->lost++;
		return;
	}
	memcpy(copy, bytes, size);
	queue->event[queue->count++] = (struct vhu_attach_queued){*event, queue->order++, copy};
}

/* Compare two events by time and order, for qsort(3). */
static int compare(const void *a, const void *b)
{
	const struct vhu_attach_queued *left = a, *right = b;

	if (left->event.time_ns != right->event.time_ns)
		return left->event.time_ns < right->event.time_ns ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

void vhu_attach_queue_take(struct vhu_attach_queue *queue, uint64_t until_ns,
			   void (*take)(void *context, const struct vhu_attach_event *event,
					const uint8_t *bytes),
			   void *context)
{
	size_t taken = 0;

	if (!queue->count)
		return;
	qsort(queue->event, queue->count, sizeof(*queue->event), compare);
	for (; taken < queue->count && queue->event[taken].event.time_ns <= until_ns; taken++) {
		take(context, &queue->event[taken].event, queue->event[taken].bytes);
		free(queue->event[taken].bytes);
	}
	queue->count -= taken;
	memmove(queue->event, queue->event + taken, queue->count * sizeof(*queue->event));
}

bool vhu_attach_queue_who(const struct vhu_attach_queue *queue, uint64_t socket,
			  struct vhu_attach_who *who)
{
	for (size_t i = 0; i < queue->count; i++) {
		const struct vhu_attach_event *event = &queue->event[i].event;

		if ((event->what == VHU_ATTACH_SENT && event->socket == socket) ||
		    (event->what == VHU_ATTACH_TAKEN && event->socket == (socket ^ 1))) {
			*who = event->who;
			return true;
		}
	}
	return false;
}

void vhu_attach_queue_free(struct vhu_attach_queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		free(queue->event[i].bytes);
	free(queue->event);
	queue->event = NULL;
	queue->count = queue->room = 0;
}
