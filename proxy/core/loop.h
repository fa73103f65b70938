/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop: one thread that waits for sockets (epoll, level-triggered) and for moments.
 *
 * Ownership: watches and timers are their owners', embedded in what they serve; the loop points to
 * them until they are taken out, which may happen at any time, also while it handles their event.
 */
#ifndef VHU_PROXY_CORE_LOOP_H
#define VHU_PROXY_CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define VHU_LOOP_EVENTS 64

/* A file descriptor that is waited for. All zero but `ready` and `fd`: not in the loop. */
struct vhu_watch {
	void (*ready)(struct vhu_watch *watch, uint32_t events);
	int fd;
	uint32_t events; /* what it waits for */
	bool in;         /* known to epoll; with no events it still reports EPOLLHUP */
};

/* A moment that is waited for. All zero but `fire`: not in the loop. */
struct vhu_timer {
	void (*fire)(struct vhu_timer *timer);
	uint64_t due_ns; /* CLOCK_MONOTONIC */
	/* Its place in the heap: what is due later hangs below it. */
	struct vhu_timer *child, *next, **link; /* link is NULL while it is not set */
};

struct vhu_loop {
	int epoll;
	bool stop;
	bool coarse;              /* the kernel waits in milliseconds only */
	struct vhu_timer *timers; /* a pairing heap: the first is due first */
	struct epoll_event batch[VHU_LOOP_EVENTS];
	int batched, at; /* events in the batch, and the next of them */
};

/* Make @loop ready. Returns 0 or -errno; after 0 it is ended by vhu_loop_end. */
int vhu_loop_start(struct vhu_loop *loop);
void vhu_loop_end(struct vhu_loop *loop);

/*
 * Let @watch wait for @events from now on; none means EPOLLHUP and EPOLLERR alone. Costs a system
 * call only where that is a change.
 * Returns 0 or -errno.
 */
int vhu_loop_watch(struct vhu_loop *loop, struct vhu_watch *watch, uint32_t events);

/* Take @watch out, with what is pending for it. To be called before its descriptor is closed. */
void vhu_loop_unwatch(struct vhu_loop *loop, struct vhu_watch *watch);

/* Let @timer fire once, @after_ns from now; a timer that is set already is set again. */
void vhu_loop_set(struct vhu_loop *loop, struct vhu_timer *timer, uint64_t after_ns);

/* Take @timer out if it is set. */
void vhu_loop_unset(struct vhu_timer *timer);

/* Serve events until `stop` is set. Returns 0 or -errno where waiting itself failed. */
int vhu_loop_run(struct vhu_loop *loop);

#endif
