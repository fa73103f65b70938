/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The eventfds that both sides of a session have open, by /proc. */
#include <stdlib.h>

#include "lib/util/array.h"
#include "tools/rings/process/process.h"
#include "tools/top/sources/pairs.h"

/* Add an eventfd of the back-end's, unless it is known; keep it if it is. */
static void add(struct vhu_top_pair *pair, const struct vhu_rings_open *open)
{
	struct vhu_top_eventfd *grown;

	if (vhu_top_pair_has(pair, open->id))
		return;
	grown = vhu_array_more(pair->eventfd, &pair->eventfds, sizeof(*grown));
	if (!grown)
		return;
	pair->eventfd = grown;
	grown[pair->eventfds - 1] = (struct vhu_top_eventfd){.id = open->id, .fd = open->fd};
}

/* Drop the eventfds that one side has closed. */
static void drop(struct vhu_top_pair *pair, const struct vhu_rings_process *front,
		 const struct vhu_rings_process *back)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pair->eventfds; i++)
		if (vhu_rings_process_eventfd(front, pair->eventfd[i].id) &&
		    vhu_rings_process_eventfd(back, pair->eventfd[i].id))
			pair->eventfd[kept++] = pair->eventfd[i];
	pair->eventfds = kept;
}

void vhu_top_pair_find_eventfds(struct vhu_top_pair *pair)
{
	struct vhu_rings_process front = {.pid = pair->peer[VHU_TOP_FRONT].pid};
	struct vhu_rings_process back = {.pid = pair->peer[VHU_TOP_BACK].pid};

	if (!vhu_rings_process_read(&front) && !vhu_rings_process_read(&back)) {
		drop(pair, &front, &back);
		for (unsigned i = 0; i < back.eventfds; i++)
			if (vhu_rings_process_eventfd(&front, back.open[i].id))
				add(pair, &back.open[i]);
	}
	free(front.open);
	free(back.open);
}

void vhu_top_pair_look(struct vhu_top_pair *pair, uint64_t now_ns)
{
	const struct vhu_rings_process back = {.pid = pair->peer[VHU_TOP_BACK].pid};

	for (unsigned i = 0; i < pair->eventfds; i++) {
		struct vhu_top_eventfd *eventfd = &pair->eventfd[i];
		const struct vhu_rings_open open = {.fd = eventfd->fd, .id = eventfd->id};
		const struct vhu_ring_counter now = vhu_rings_process_counter(&back, &open);

		if (!now.known || !now.count)
			eventfd->since_ns = 0;
		else if (!eventfd->since_ns || now.count != eventfd->count)
			eventfd->since_ns = now_ns;
		eventfd->count = now.count;
	}
}
