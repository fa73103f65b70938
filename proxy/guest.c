/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest: a peer that is there, and waits for one of the other side. */
#include "proxy/guest.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/pair.h"

/* A guest has gone away while it waited. */
static void guest_ready(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_guest *guest = (struct vhu_guest *)watch;

	(void)events;
	vhu_pair_guest_left(guest->pair, guest);
}

struct vhu_guest *vhu_guest_add(struct vhu_pair *pair, enum vhu_side side, int fd)
{
	struct vhu_guest *guest = calloc(1, sizeof(*guest)), **last = &pair->guests;

	if (!guest) {
		close(fd);
		return NULL;
	}
	guest->watch.ready = guest_ready;
	guest->watch.fd = fd;
	guest->pair = pair;
	guest->side = side;
	guest->since_ns = vhu_loop_now();
	while (*last)
		last = &(*last)->next;
	*last = guest;
	pair->waiting[side]++;
	return guest;
}

void vhu_guest_wait(struct vhu_guest *guest)
{
	vhu_loop_watch(&guest->pair->proxy->loop, &guest->watch, 0);
}

bool vhu_guest_left(const struct vhu_guest *guest)
{
	struct pollfd ask = {.fd = guest->watch.fd};

	return guest->watch.in && poll(&ask, 1, 0) == 1;
}

int vhu_guest_take(struct vhu_guest *guest)
{
	struct vhu_guest **at = &guest->pair->guests;
	int fd = guest->watch.fd;

	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	guest->pair->waiting[guest->side]--;
	vhu_loop_unwatch(&guest->pair->proxy->loop, &guest->watch);
	free(guest);
	return fd;
}
