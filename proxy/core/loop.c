/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: epoll and a heap of timers. */
#include "proxy/core/loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"

int vhu_loop_start(struct vhu_loop *loop)
{
	memset(loop, 0, sizeof(*loop));
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? -errno : 0;
}

void vhu_loop_end(struct vhu_loop *loop)
{
	close(loop->epoll);
	loop->epoll = -1;
}

int vhu_loop_watch(struct vhu_loop *loop, struct vhu_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->in && watch->events == events)
		return 0;
	if (epoll_ctl(loop->epoll, watch->in ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &event))
		return -errno;
	watch->in = true;
	watch->events = events;
	return 0;
}

void vhu_loop_unwatch(struct vhu_loop *loop, struct vhu_watch *watch)
{
	if (!watch->in)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->in = false;
	/* What the current batch still holds for it would find it gone. */
	for (int i = loop->at; i < loop->batched; i++) {
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

/* Join two heaps, either may be NULL. Returns the one that now holds both; its link is to be set.
 */
static struct vhu_timer *loop_meld(struct vhu_timer *one, struct vhu_timer *other)
{
	struct vhu_timer *below;

	if (!one || !other)
		return one ? one : other;
	below = other->due_ns < one->due_ns ? one : other;
	one = below == one ? other : one;
	below->next = one->child;
	below->link = &one->child;
	if (below->next)
		below->next->link = &below->next;
	one->child = below;
	return one;
}

/* Join the heaps of a list, by twos and then all. Returns as loop_meld does. */
static struct vhu_timer *loop_meld_all(struct vhu_timer *list)
{
	struct vhu_timer *melded = NULL, *all = NULL;

	while (list) {
		struct vhu_timer *one = list, *other = one->next;

		list = other ? other->next : NULL;
		one->next = NULL;
		if (other)
			other->next = NULL;
		one = loop_meld(one, other);
		one->next = melded;
		melded = one;
	}
	while (melded) {
		struct vhu_timer *one = melded;

		melded = one->next;
		one->next = NULL;
		all = loop_meld(all, one);
	}
	return all;
}

/* Let @heap, or NULL, be all timers. */
static void loop_plant(struct vhu_timer **root, struct vhu_timer *heap)
{
	*root = heap;
	if (heap)
		heap->link = root;
}

void vhu_loop_set(struct vhu_loop *loop, struct vhu_timer *timer, uint64_t after_ns)
{
	vhu_loop_unset(timer);
	timer->due_ns = vhu_now_ns() + after_ns;
	timer->child = timer->next = NULL;
	loop_plant(&loop->timers, loop_meld(loop->timers, timer));
}

void vhu_loop_unset(struct vhu_timer *timer)
{
	struct vhu_timer **place = timer->link, *below;

	if (!place)
		return;
	/* What hangs below takes its place: all of that is due later than what hangs above. */
	below = loop_meld_all(timer->child);
	if (below) {
		below->next = timer->next;
		if (below->next)
			below->next->link = &below->next;
		loop_plant(place, below);
	} else {
		*place = timer->next;
		if (timer->next)
			timer->next->link = place;
	}
	timer->link = NULL;
	timer->child = timer->next = NULL;
}

/* Return how long to wait at most, in nanoseconds: UINT64_MAX for ever. */
static uint64_t loop_patience(const struct vhu_loop *loop)
{
	const struct vhu_timer *first = loop->timers;
	uint64_t now;

	if (!first)
		return UINT64_MAX;
	now = vhu_now_ns();
	return first->due_ns <= now ? 0 : first->due_ns - now;
}

/* Wait in milliseconds, as every kernel can: rounded up, so that no timer is found not yet due
 * again and again. Returns as epoll_wait does. */
static int loop_wait_ms(struct vhu_loop *loop, uint64_t ns)
{
	uint64_t ms = ns / VHU_NS_PER_MS + (ns % VHU_NS_PER_MS != 0);
	int most = ns == UINT64_MAX ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;

	return epoll_wait(loop->epoll, loop->batch, VHU_LOOP_EVENTS, most);
}

/* Wait for events, no longer than until the first timer is due. Returns as epoll_wait does. */
static int loop_wait(struct vhu_loop *loop)
{
	uint64_t ns = loop_patience(loop);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
	struct timespec time = {(time_t)(ns / VHU_NS_PER_S), (long)(ns % VHU_NS_PER_S)};

	/* Linux 5.11. A timer may be for less than a millisecond: a kick's delay. */
	if (ns && ns != UINT64_MAX && !loop->coarse) {
		int n = epoll_pwait2(loop->epoll, loop->batch, VHU_LOOP_EVENTS, &time, NULL);

		if (n >= 0 || errno != ENOSYS)
			return n;
		loop->coarse = true;
	}
#endif
	return loop_wait_ms(loop, ns);
}

/* Fire the timers that were due when this was called, each once: those set meanwhile wait for the
 * next turn. */
static void loop_fire(struct vhu_loop *loop)
{
	uint64_t now = vhu_now_ns();
	struct vhu_timer *timer;

	while ((timer = loop->timers) && timer->due_ns <= now) {
		vhu_loop_unset(timer);
		timer->fire(timer);
	}
}

int vhu_loop_run(struct vhu_loop *loop)
{
	while (!loop->stop) {
		int n = loop_wait(loop);

		if (n < 0 && errno != EINTR)
			return -errno;
		loop->batched = n < 0 ? 0 : n;
		for (loop->at = 0; loop->at < loop->batched && !loop->stop;) {
			struct epoll_event *event = &loop->batch[loop->at++];
			struct vhu_watch *watch = event->data.ptr;

			/* With many sessions the next one's has left the cache. */
			if (loop->at < loop->batched)
				__builtin_prefetch(event[1].data.ptr);
			if (watch)
				watch->ready(watch, event->events);
		}
		loop->at = loop->batched = 0;
		if (loop->timers)
			loop_fire(loop);
	}
	return 0;
}
