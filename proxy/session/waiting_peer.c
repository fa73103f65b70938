/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A waiting peer: a peer that is there, and waits for one of the other side. */
#include "proxy/session/waiting_peer.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/util/util.h"

/* A waiting peer has gone away while it waited. */
static void waiter_ready(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_waiting_peer *waiter = (struct vhu_waiting_peer *)watch;

	(void)events;
	waiter->peers->left(waiter->peers, waiter);
}

struct vhu_waiting_peer *vhu_waiting_peer_add(struct vhu_waiting_peers *peers, enum vhu_side side,
					      int fd)
{
	struct vhu_waiting_peer *waiter = calloc(1, sizeof(*waiter)), **last = &peers->first;

	if (!waiter) {
		close(fd);
		return NULL;
	}
	waiter->watch.ready = waiter_ready;
	waiter->watch.fd = fd;
	waiter->peers = peers;
	waiter->side = side;
	waiter->since_ns = vhu_now_ns();
	while (*last)
		last = &(*last)->next;
	*last = waiter;
	peers->count[side]++;
	return waiter;
}

void vhu_waiting_peer_wait(struct vhu_waiting_peer *waiter)
{
	vhu_loop_watch(waiter->peers->loop, &waiter->watch, 0);
}

bool vhu_waiting_peer_left(const struct vhu_waiting_peer *waiter)
{
	struct pollfd ask = {.fd = waiter->watch.fd};

	return waiter->watch.in && poll(&ask, 1, 0) == 1;
}

int vhu_waiting_peer_take(struct vhu_waiting_peer *waiter)
{
	struct vhu_waiting_peer **at = &waiter->peers->first;
	int fd = waiter->watch.fd;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	waiter->peers->count[waiter->side]--;
	vhu_loop_unwatch(waiter->peers->loop, &waiter->watch);
	free(waiter);
	return fd;
}
