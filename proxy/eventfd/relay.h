/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wire: an eventfd of the front-end's and one that the back-end was given in its place, and what
 * passes from one to the other: kicks from the front-end's, calls and errors from the back-end's.
 *
 * Theory of operation
 *
 * What one counts is taken and added to the other, so that no count is lost and none is made up.
 *
 * Between signals and messages causes stay before their effects, as they do where both reach the
 * same process:
 *  - a kick does not overtake a message that the front-end sent before it: while there are such, it
 *    is held;
 *  - a message of the back-end does not overtake a call that was made before it: before each is
 *    passed on, calls are fetched.
 *
 * Where a kick's wire ends, what the back-end has not taken is put back: there the next one who is
 * given the eventfd finds it, as does a front-end that has stopped the vring and serves it itself.
 *
 * Ownership: a wire owns both eventfds, and is its interposer'.
 */
#ifndef VHU_PROXY_EVENTFD_RELAY_H
#define VHU_PROXY_EVENTFD_RELAY_H

#include "lib/capture/record.h"
#include "proxy/core/loop.h"

/* Signals that are delayed one by one; later ones come together. */
#define VHU_EVENTFD_RELAY_DELAYED_MAX 256

struct vhu_eventfd_relay;

/* What a wire's owner has to do with it. */
struct vhu_eventfd_relay_owner {
	/* @count signals, at least 1, were taken: pass on by vhu_eventfd_relay_pass what is to
	 * pass. */
	void (*taken)(struct vhu_eventfd_relay *wire, uint64_t count);
	/* Return whether messages that were sent before what is held have yet to pass. */
	bool (*behind)(const struct vhu_eventfd_relay *wire);
	/* The wire passes nothing more: somebody has filled the eventfd, or it has failed: @error.
	 */
	void (*broke)(struct vhu_eventfd_relay *wire, int error);
};

/* Signals that are to pass at a moment. */
struct vhu_eventfd_relay_delayed {
	uint64_t due_ns, count;
};

struct vhu_eventfd_relay {
	struct vhu_watch watch; /* of where signals come from */
	struct vhu_timer timer; /* when more may be passed on */
	const struct vhu_eventfd_relay_owner *owner;
	void *context; /* the owner's */
	struct vhu_eventfd_relay *next;
	struct vhu_loop *loop;
	enum vhu_vring_role role; /* VHU_KICK, _CALL or _ERR */
	uint32_t id;              /* of the front-end's eventfd */
	int outer;                /* the front-end's eventfd */
	int inner;                /* ours, which the back-end was given */
	bool semaphore;           /* they may be ones */
	bool broken;
	uint64_t held;                             /* taken, and not passed on yet */
	struct vhu_eventfd_relay_delayed *delayed; /* by their moments */
	unsigned delayings;

	uint64_t brought; /* kicks that @outer counted when the wire was made */
	/* The owner's: */
	unsigned users;   /* vrings that it serves now */
	uint32_t vring;   /* the least of them, or the last that there was */
	uint64_t retired; /* the latest request of the back-end when it came to serve none */
};

/*
 * Make a wire from a copy of @outer and a new eventfd that is like it. One for kicks takes what
 * @outer counts; its owner passes that on. It passes nothing before it is started.
 * @info: what @outer is.
 * Returns 0 and *@wire, to be freed by vhu_eventfd_relay_free; -errno.
 */
int vhu_eventfd_relay_new(struct vhu_eventfd_relay **wire, struct vhu_loop *loop,
			  enum vhu_vring_role role, int outer, const struct vhu_fd_info *info);

/* Let signals pass from now on. Returns 0 or -errno. */
int vhu_eventfd_relay_start(struct vhu_eventfd_relay *wire);

/* Fetch and pass on what there is now. */
void vhu_eventfd_relay_pump(struct vhu_eventfd_relay *wire);

/* For its owner: let @count signals pass, after @delay_ns. */
void vhu_eventfd_relay_pass(struct vhu_eventfd_relay *wire, uint64_t count, uint64_t delay_ns);

/* Pass on what is held, unless messages must go first. */
void vhu_eventfd_relay_flush(struct vhu_eventfd_relay *wire);

/*
 * End @wire and free it: what is on its way arrives now.
 * @deliver: kicks too; else they are put back, with those that the back-end has not taken.
 */
void vhu_eventfd_relay_free(struct vhu_eventfd_relay *wire, bool deliver);

#endif
