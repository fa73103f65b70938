/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single events. */
#include "bpf/vring/events.h"

#include <errno.h>

#include "bpf/vring/internal.h"

/* Events passed on in one go: if they come faster than they are seen there is no end of them. */
#define TURN 4096

/* Pass an event on, as libbpf calls it. Returns 0: go on; -EAGAIN: others have their turn. */
static int pass_event(void *with, void *data, size_t size)
{
	struct vhu_probes *probes = with;

	if (size >= sizeof(struct vhu_bpf_event) && probes->see)
		probes->see(probes->with, data);
	return ++probes->passed < TURN ? 0 : -EAGAIN;
}

int vhu_probes_events_open(struct vhu_probes *probes, int map)
{
	probes->events = ring_buffer__new(map, pass_event, probes, NULL);
	return probes->events ? 0 : -errno;
}

void vhu_probes_events_close(struct vhu_probes *probes)
{
	ring_buffer__free(probes->events);
	probes->events = NULL;
}

int vhu_probes_events(struct vhu_probes *probes)
{
	probes->passed = 0;
	return ring_buffer__consume(probes->events);
}

int vhu_probes_events_fd(const struct vhu_probes *probes)
{
	return ring_buffer__epoll_fd(probes->events);
}

uint64_t vhu_probes_dropped(const struct vhu_probes *probes)
{
	return __atomic_load_n(&probes->shared->dropped, __ATOMIC_RELAXED);
}
