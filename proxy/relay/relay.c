/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relay: one direction of one socket; relay.h has its theory of operation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/relay/aside.h"
#include "proxy/relay/internal.h"
#include "proxy/relay/plan.h"

#include "lib/util/util.h"

/* Reads in one run before other sessions have their turn. */
#define RELAY_TURNS 64u
/* After a try to read on found nothing, this many messages are waited for without trying. */
#define RELAY_SKIP  16u

_Static_assert(sizeof(struct vhu_header) == VHU_HEADER_SIZE, "a header is read as it lies");

/* The relay's timer fired. */
static void relay_fire(struct vhu_timer *timer)
{
	struct vhu_relay *relay = vhu_container_of(timer, struct vhu_relay, timer);

	if (relay->wants == VHU_RELAY_HELD) {
		vhu_relay_let_go(relay);
		return;
	}
	if (relay->wants == VHU_RELAY_READ)
		relay->flush = true;
	relay->owner->run(relay);
}

int vhu_relay_start(struct vhu_relay *relay, struct vhu_loop *loop, int from, int to)
{
	memset(relay, 0, sizeof(*relay));
	relay->loop = loop;
	relay->from = from;
	relay->to = to;
	relay->instead = -1;
	relay->timer.fire = relay_fire;
	relay->buffer = malloc(VHU_RELAY_SMALL);
	if (!relay->buffer)
		return -ENOMEM;
	relay->room = VHU_RELAY_SMALL;
	vhu_relay_reset(relay);
	return 0;
}

void vhu_relay_close(struct vhu_relay *relay)
{
	vhu_loop_unset(&relay->timer);
	relay->describe = false;
	vhu_relay_give_up(relay);
	vhu_relay_plan_free(relay->plan);
	relay->plan = NULL;
	vhu_relay_drop_fds(relay, relay->fds);
	relay->groups = 0;
	vhu_relay_free_descriptions(relay);
	free(relay->buffer);
	relay->buffer = NULL;
	relay->wants = VHU_RELAY_ENDED;
}

size_t vhu_relay_held(const struct vhu_relay *relay)
{
	return (size_t)(relay->got - relay->sent);
}

/* Return how many bytes may be received now: of the header, of the payload, none where the buffer
 * is full. */
static size_t relay_space(const struct vhu_relay *relay)
{
	uint64_t left = relay->size - relay->got, space;

	if (relay->got < VHU_HEADER_SIZE)
		return (size_t)(VHU_HEADER_SIZE - relay->got);
	space = relay->got < VHU_RELAY_KEEP ? VHU_RELAY_KEEP - relay->got
					    : VHU_RELAY_WINDOW - (relay->got - relay->window);
	return (size_t)(left < space ? left : space);
}

/* Return whether what is held must be sent before more is received. */
static bool relay_due(const struct vhu_relay *relay)
{
	if (relay->sent == relay->got)
		return false;
	return relay->flush || relay->groups == 2 || vhu_relay_whole(relay) || !relay_space(relay);
}

/*
 * Receive what may be received now, once.
 * Returns how many bytes, or 0 when the sender has closed; -EAGAIN when there is nothing;
 * -EOVERFLOW when descriptors were lost; -errno.
 */
static ssize_t relay_receive(struct vhu_relay *relay)
{
	union vhu_relay_control control;
	size_t space = relay_space(relay);
	struct iovec piece = {vhu_relay_byte(relay, relay->got), space};
	struct msghdr message = {
	    .msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	do {
		n = recvmsg(relay->from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (message.msg_controllen)
		vhu_relay_take_fds(relay, &message);
	if (!n)
		return 0;
	relay->got += (uint64_t)n;
	if (relay->describe)
		vhu_relay_segment(relay, (uint32_t)n);
	if (message.msg_flags & MSG_CTRUNC)
		return -EOVERFLOW;
	relay->broken = (size_t)n < space;
	if (relay->got == VHU_HEADER_SIZE && !relay->size) {
		/* Peers are on this machine: its byte order is theirs. */
		memcpy(&relay->header, relay->buffer, sizeof(relay->header));
		relay->size = VHU_HEADER_SIZE + (uint64_t)relay->header.size;
		if (vhu_relay_fit(relay))
			return -ENOMEM;
		relay->spoken = relay->owner->speaks && relay->owner->speaks(relay);
	}
	return n;
}

/* There is nothing to receive now. Returns what @relay waits for. */
static enum vhu_relay_wants relay_wait(struct vhu_relay *relay)
{
	if (!relay->got)
		relay->pace.skip = RELAY_SKIP;
	else
		relay->broken = true;
	/* Bytes that were sent on already have nothing to wait for but the next ones. */
	if (relay->got >= VHU_HEADER_SIZE && !relay->sent && !relay->timer.link && !relay->spoken)
		vhu_loop_set(relay->loop, &relay->timer, VHU_RELAY_STALL_NS);
	return relay->wants = VHU_RELAY_READ;
}

/*
 * Decide what a receive that brought no bytes means: @error is 0 or -errno.
 * Returns whether @relay goes on: it has still to send what it holds.
 */
static bool relay_receive_failed(struct vhu_relay *relay, int error)
{
	if (error == -EAGAIN && !relay->draining) {
		relay_wait(relay);
		return false;
	}
	switch (-error) {
	case 0:
	case EAGAIN:
	case ECONNRESET:
		relay->end =
		    error == -ECONNRESET ? VHU_RELAY_SENDER_RESET : VHU_RELAY_SENDER_CLOSED;
		relay->flush = true;
		if (relay->got)
			vhu_relay_received(relay, VHU_MARK_PARTIAL);
		return true;
	case EOVERFLOW:
		vhu_relay_received(relay, VHU_MARK_TRUNCATED);
		vhu_relay_ended(relay, VHU_RELAY_TRUNCATED, 0);
		return false;
	case ENOBUFS:
		vhu_relay_pause(relay);
		return false;
	default:
		vhu_relay_ended(relay, VHU_RELAY_FAILED, error);
		return false;
	}
}

/* Return whether it is worth while to look ahead: messages come one after the other. */
static bool relay_ahead_pays(struct vhu_relay *relay, bool passed)
{
	if (!(passed || relay->pace.burst) || !relay->ahead || relay->got || relay->aside ||
	    relay->draining)
		return false;
	if (!relay->pace.one_by_one)
		return true;
	relay->pace.one_by_one--;
	return false;
}

enum vhu_relay_wants vhu_relay_run(struct vhu_relay *relay)
{
	unsigned turns = RELAY_TURNS;
	bool passed = false;

	while (relay->wants != VHU_RELAY_ENDED) {
		ssize_t n;

		if (!relay->got && relay->aside)
			vhu_relay_aside_take(relay);
		if (relay_due(relay)) {
			const enum vhu_relay_sending sending = vhu_relay_send_due(relay);

			if (sending == VHU_RELAY_STOP)
				break;
			passed = sending == VHU_RELAY_SENT;
			continue;
		}
		if (relay->end) {
			vhu_relay_sent(relay);
			break;
		}
		/* A request has its reply next, not another request: do not ask in vain. */
		if (passed && relay->pace.skip && !relay->draining) {
			relay->pace.skip--;
			return relay->wants = VHU_RELAY_READ;
		}
		if (!turns--)
			return relay->wants = VHU_RELAY_READ;
		if (relay->owner->full && !relay->draining && relay->owner->full(relay))
			return vhu_relay_pause(relay);
		switch (relay_ahead_pays(relay, passed) ? vhu_relay_ahead(relay, &turns)
							: VHU_RELAY_AHEAD_NOTHING) {
		case VHU_RELAY_AHEAD_STOP:
			return relay->wants;
		case VHU_RELAY_AHEAD_ON:
			passed = true;
			continue;
		case VHU_RELAY_AHEAD_EMPTY:
			n = -EAGAIN;
			break;
		default:
			n = relay_receive(relay);
		}
		if (n <= 0 && !relay_receive_failed(relay, (int)n))
			return relay->wants;
	}
	return relay->wants;
}
