/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wire: two eventfds and what passes between them; relay.h has its theory of operation. */
#include "proxy/eventfd/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/eventfd/eventfd.h"

/* Until it is tried again to pass on what is held. Whoever lets it go tells at once, so this is for
 * an eventfd that has no room alone. */
#define WIRE_RETRY_NS 10000000u

/* Return the eventfd that signals go to. */
static int wire_target(const struct vhu_eventfd_relay *wire)
{
	return wire->role == VHU_KICK ? wire->inner : wire->outer;
}

/* Return the sum of two counts, as much of it as an eventfd can hold. */
static uint64_t wire_sum(uint64_t a, uint64_t b)
{
	return b > VHU_EVENTFD_MAX - a ? VHU_EVENTFD_MAX : a + b;
}

/* Let the timer fire when the next of what is delayed is due, or soon where something is held. */
static void wire_set_timer(struct vhu_eventfd_relay *wire)
{
	uint64_t now = vhu_now_ns(), due = wire->held ? now + WIRE_RETRY_NS : UINT64_MAX;

	if (wire->delayings && wire->delayed[0].due_ns < due)
		due = wire->delayed[0].due_ns;
	if (due == UINT64_MAX || wire->broken)
		vhu_loop_unset(&wire->timer);
	else
		vhu_loop_set(wire->loop, &wire->timer, due > now ? due - now : 0);
}

/* Pass nothing more. */
static void wire_break(struct vhu_eventfd_relay *wire, int error)
{
	wire->broken = true;
	vhu_loop_unset(&wire->timer);
	vhu_loop_unwatch(wire->loop, &wire->watch);
	wire->owner->broke(wire, error);
}

/* Add what is held to the target. Returns 0 or -errno. */
static int wire_deliver(struct vhu_eventfd_relay *wire)
{
	int error = vhu_eventfd_add(wire_target(wire), wire->held);

	if (!error)
		wire->held = 0;
	return error;
}

void vhu_eventfd_relay_flush(struct vhu_eventfd_relay *wire)
{
	int error = 0;

	if (!wire->held || wire->broken)
		return;
	if (!wire->owner->behind(wire))
		error = wire_deliver(wire);
	if (error && error != -EAGAIN)
		wire_break(wire, error);
	else if (wire->held && !wire->timer.link)
		wire_set_timer(wire);
}

/* Let what is delayed, and due by @now, be passed on. */
static void wire_ripen(struct vhu_eventfd_relay *wire, uint64_t now)
{
	unsigned due = 0;

	if (!wire->delayings)
		return;
	while (due < wire->delayings && wire->delayed[due].due_ns <= now)
		wire->held = wire_sum(wire->held, wire->delayed[due++].count);
	wire->delayings -= due;
	memmove(wire->delayed, wire->delayed + due, wire->delayings * sizeof(*wire->delayed));
}

/* The wire's timer fired. */
static void wire_fire(struct vhu_timer *timer)
{
	struct vhu_eventfd_relay *wire = vhu_container_of(timer, struct vhu_eventfd_relay, timer);

	wire_ripen(wire, vhu_now_ns());
	vhu_eventfd_relay_flush(wire);
	wire_set_timer(wire);
}

/* Remember @count signals until @due_ns. Returns whether that could be done. */
static bool wire_delay(struct vhu_eventfd_relay *wire, uint64_t count, uint64_t due_ns)
{
	unsigned at = wire->delayings;

	if (!wire->delayed)
		wire->delayed = malloc(VHU_EVENTFD_RELAY_DELAYED_MAX * sizeof(*wire->delayed));
	if (!wire->delayed)
		return false;
	while (at && wire->delayed[at - 1].due_ns > due_ns)
		at--;
	if (wire->delayings == VHU_EVENTFD_RELAY_DELAYED_MAX) {
		struct vhu_eventfd_relay_delayed *with = &wire->delayed[at ? at - 1 : 0];

		with->count = wire_sum(with->count, count);
		return true;
	}
	memmove(wire->delayed + at + 1, wire->delayed + at,
		(wire->delayings++ - at) * sizeof(*wire->delayed));
	wire->delayed[at] = (struct vhu_eventfd_relay_delayed){due_ns, count};
	return true;
}

void vhu_eventfd_relay_pass(struct vhu_eventfd_relay *wire, uint64_t count, uint64_t delay_ns)
{
	if (!count || wire->broken)
		return;
	if (delay_ns && wire_delay(wire, count, vhu_now_ns() + delay_ns)) {
		wire_set_timer(wire);
		return;
	}
	wire->held = wire_sum(wire->held, count);
	vhu_eventfd_relay_flush(wire);
}

void vhu_eventfd_relay_pump(struct vhu_eventfd_relay *wire)
{
	uint64_t count;
	int error;

	if (wire->broken)
		return;
	error = vhu_eventfd_take(wire->watch.fd, wire->semaphore, &count);
	if (!error)
		wire->owner->taken(wire, count);
	else if (error != -EAGAIN)
		wire_break(wire, error);
}

/* Somebody has signalled. */
static void wire_ready(struct vhu_watch *watch, uint32_t events)
{
	(void)events;
	vhu_eventfd_relay_pump((struct vhu_eventfd_relay *)watch);
}

/* Return a new eventfd that is like the one described; -errno. */
static int wire_like(const struct vhu_fd_info *info)
{
	return vhu_eventfd_new(info->flags & O_NONBLOCK, info->semaphore);
}

int vhu_eventfd_relay_new(struct vhu_eventfd_relay **made, struct vhu_loop *loop,
			  enum vhu_vring_role role, int outer, const struct vhu_fd_info *info)
{
	struct vhu_eventfd_relay *wire = calloc(1, sizeof(*wire));
	int error = 0;
	uint64_t count;

	if (!wire)
		return -ENOMEM;
	wire->inner = wire_like(info);
	wire->outer = fcntl(outer, F_DUPFD_CLOEXEC, 0);
	if (wire->outer < 0)
		error = -errno;
	if (wire->inner < 0)
		error = wire->inner;
	if (error) {
		if (wire->inner >= 0)
			close(wire->inner);
		if (wire->outer >= 0)
			close(wire->outer);
		free(wire);
		return error;
	}
	wire->loop = loop;
	wire->role = role;
	wire->id = info->eventfd_id;
	/* Kernels before 6.5 do not tell. */
	wire->semaphore = info->semaphore || !(info->has & VHU_FD_HAS_SEMAPHORE);
	wire->watch.ready = wire_ready;
	wire->watch.fd = role == VHU_KICK ? wire->outer : wire->inner;
	wire->timer.fire = wire_fire;
	if (role == VHU_KICK && !vhu_eventfd_take(wire->outer, wire->semaphore, &count))
		wire->brought = count;
	*made = wire;
	return 0;
}

int vhu_eventfd_relay_start(struct vhu_eventfd_relay *wire)
{
	return vhu_loop_watch(wire->loop, &wire->watch, EPOLLIN);
}

/* Put back into the front-end's eventfd what was taken out of it and has not reached the back-end,
 * or has not been taken by that. */
static void wire_put_back(struct vhu_eventfd_relay *wire)
{
	uint64_t back, count;

	wire_ripen(wire, UINT64_MAX);
	back = wire_sum(wire->held, wire->brought);
	if (!vhu_eventfd_take(wire->inner, wire->semaphore, &count))
		back = wire_sum(back, count);
	if (back)
		vhu_eventfd_add(wire->outer, back);
}

void vhu_eventfd_relay_free(struct vhu_eventfd_relay *wire, bool deliver)
{
	if (!wire->broken && (deliver || wire->role != VHU_KICK)) {
		vhu_eventfd_relay_pump(wire);
		wire_ripen(wire, UINT64_MAX);
		if (wire->held && !wire->broken)
			wire_deliver(wire);
	} else if (!wire->broken) {
		wire_put_back(wire);
	}
	vhu_loop_unset(&wire->timer);
	vhu_loop_unwatch(wire->loop, &wire->watch);
	close(wire->outer);
	close(wire->inner);
	free(wire->delayed);
	free(wire);
}
