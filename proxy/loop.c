/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: epoll and a list of timers. */
#include "proxy/loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000u

uint64_t vhu_loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

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

void vhu_loop_set(struct vhu_loop *loop, struct vhu_timer *timer, uint64_t after_ns)
{
	vhu_loop_unset(timer);
	timer->due_ns = vhu_loop_now() + after_ns;
	timer->next = loop->timers;
	timer->link = &loop->timers;
	if (timer->next)
		timer->next->link = &timer->next;
	loop->timers = timer;
}

void vhu_loop_unset(struct vhu_timer *timer)
{
	if (!timer->link)
		return;
	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
	timer->link = NULL;
	timer->next = NULL;
}

/* Return the timer that is due first, NULL without any. */
static struct vhu_timer *loop_first(const struct vhu_loop *loop)
{
	struct vhu_timer *first = loop->timers;

	for (struct vhu_timer *timer = first; timer; timer = timer->next) {
		if (timer->due_ns < first->due_ns)
			first = timer;
	}
	return first;
}

/* Return how many milliseconds to wait at most, as epoll_wait wants it: -1 for ever. Rounded up,
 * so that no timer is found not yet due again and again. */
static int loop_patience(const struct vhu_loop *loop)
{
	const struct vhu_timer *first = loop_first(loop);
	uint64_t now, ms;

	if (!first)
		return -1;
	now = vhu_loop_now();
	if (first->due_ns <= now)
		return 0;
	ms = (first->due_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Fire the timers that were due when this was called, each once: those set meanwhile wait for the
 * next turn. */
static void loop_fire(struct vhu_loop *loop)
{
	uint64_t now = vhu_loop_now();
	struct vhu_timer *timer;

	while ((timer = loop_first(loop)) && timer->due_ns <= now) {
		vhu_loop_unset(timer);
		timer->fire(timer);
	}
}

int vhu_loop_run(struct vhu_loop *loop)
{
	while (!loop->stop) {
		int n = epoll_wait(loop->epoll, loop->batch, VHU_LOOP_EVENTS, loop_patience(loop));

		if (n < 0 && errno != EINTR)
			return -errno;
		loop->batched = n < 0 ? 0 : n;
		for (loop->at = 0; loop->at < loop->batched && !loop->stop;) {
			struct epoll_event *event = &loop->batch[loop->at++];
			struct vhu_watch *watch = event->data.ptr;

			if (watch)
				watch->ready(watch, event->events);
		}
		loop->at = loop->batched = 0;
		if (loop->timers)
			loop_fire(loop);
	}
	return 0;
}
