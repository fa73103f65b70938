/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relay: one direction of one socket; relay.h has its theory of operation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/relay/internal.h"

#include "lib/util/util.h"

/* Reads in one run before other sessions have their turn. */
#define RELAY_TURNS    64u
/* After a try to read on found nothing, this many messages are waited for without trying. */
#define RELAY_SKIP     16u
/* Until what failed for lack of kernel memory or of room for descriptors in flight is tried again.
 */
#define RELAY_PAUSE_NS 10000000u

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

void vhu_relay_reset(struct vhu_relay *relay)
{
	if (relay->room > VHU_RELAY_SMALL && relay->size <= VHU_RELAY_SMALL) {
		uint8_t *small = realloc(relay->buffer, VHU_RELAY_SMALL);

		if (small) {
			relay->buffer = small;
			relay->room = VHU_RELAY_SMALL;
		}
	}
	if (relay->room_described > VHU_RELAY_FEW_FDS)
		vhu_relay_free_descriptions(relay);
	relay->size = relay->got = relay->sent = 0;
	relay->window = VHU_RELAY_KEEP;
	relay->flush = relay->broken = relay->asked = relay->recorded = false;
	relay->spoken = relay->decided = relay->kept = false;
	relay->all_fds = relay->described = relay->added = 0;
	if (relay->plan)
		vhu_relay_plan_free(relay);
	relay->record.marks = 0;
	relay->record.segments = 0;
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
	vhu_relay_plan_free(relay);
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

/* Return where byte @at of the message lies in the buffer. */
static uint8_t *relay_byte(const struct vhu_relay *relay, uint64_t at)
{
	return at < VHU_RELAY_KEEP ? relay->buffer + at
				   : relay->buffer + VHU_RELAY_KEEP + (at - relay->window);
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

bool vhu_relay_whole(const struct vhu_relay *relay)
{
	return relay->size && relay->got == relay->size;
}

/* Return whether what is held must be sent before more is received. */
static bool relay_due(const struct vhu_relay *relay)
{
	if (relay->sent == relay->got)
		return false;
	return relay->flush || relay->groups == 2 || vhu_relay_whole(relay) || !relay_space(relay);
}

/* Make the buffer fit the message whose header has come. Returns 0 or -ENOMEM. */
static int relay_fit(struct vhu_relay *relay)
{
	size_t room =
	    relay->size <= VHU_RELAY_KEEP ? (size_t)relay->size : VHU_RELAY_KEEP + VHU_RELAY_WINDOW;
	uint8_t *buffer;

	if (room <= relay->room)
		return 0;
	buffer = realloc(relay->buffer, room);
	if (!buffer)
		return -ENOMEM;
	relay->buffer = buffer;
	relay->room = room;
	return 0;
}

void vhu_relay_segment(struct vhu_relay *relay, uint32_t size)
{
	struct vhu_record *record = &relay->record;
	uint32_t *last;

	if (!record->segments || (relay->broken && record->segments < VHU_RECORD_SEGMENTS_MAX))
		record->segment[record->segments++] = 0;
	relay->broken = false;
	last = &record->segment[record->segments - 1];
	*last = size > UINT32_MAX - *last ? UINT32_MAX : *last + size;
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
	struct iovec piece = {relay_byte(relay, relay->got), space};
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
		if (relay_fit(relay))
			return -ENOMEM;
		relay->spoken = relay->owner->speaks && relay->owner->speaks(relay);
	}
	return n;
}

/*
 * Send what is held, once: up to the byte that further descriptors came with.
 * Returns 0; -EAGAIN when it must be waited for; -errno.
 */
static int relay_send(struct vhu_relay *relay)
{
	union vhu_relay_control control;
	uint64_t end = relay->got;
	struct iovec piece;
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	bool attached = false;
	ssize_t n;

	if (relay->groups && !relay->kept) {
		if (!relay->asked)
			vhu_relay_ask(relay);
		attached = relay->group[0].at == relay->sent;
		if (attached)
			vhu_relay_attach(relay, &message, &control);
		if (!attached || relay->groups == 2)
			end = relay->group[attached].at;
	}
	end = vhu_relay_piece_end(relay, end);
	if (attached && !vhu_relay_may_fly(relay))
		return -ETOOMANYREFS;
	/* In one piece: the window only moves on when all before it is sent. */
	piece.iov_base = relay_byte(relay, relay->sent);
	piece.iov_len = (size_t)(end - relay->sent);
	do {
		/* send() has less to copy in. */
		n = attached ? sendmsg(relay->to, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
			     : send(relay->to, piece.iov_base, piece.iov_len,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	relay->sent += (uint64_t)n;
	if (attached)
		vhu_relay_group_sent(relay, relay->plan && relay->plan->copies);
	if (relay->sent == relay->got && relay->got >= VHU_RELAY_KEEP)
		relay->window = relay->got;
	if (!vhu_relay_whole(relay))
		relay->flush = true;
	return 0;
}

/* All of a message was sent: tell the owner, and make ready for the next. Returns whether @relay
 * goes on. */
static bool relay_passed(struct vhu_relay *relay)
{
	const bool cut = relay->plan && relay->plan->cut_after;

	vhu_loop_unset(&relay->timer);
	relay->owner->passed(relay);
	if (vhu_relay_again(relay))
		return true;
	if (cut)
		relay->cut_by = relay->plan->fault;
	vhu_relay_reset(relay);
	vhu_relay_aside_count(relay);
	if (cut)
		vhu_relay_ended(relay, VHU_RELAY_CUT, 0);
	return !cut;
}

enum vhu_relay_wants vhu_relay_ended(struct vhu_relay *relay, enum vhu_relay_end end, int error)
{
	vhu_loop_unset(&relay->timer);
	relay->end = end;
	relay->error = error;
	return relay->wants = VHU_RELAY_ENDED;
}

/* Wait a moment for what the kernel lacks. Returns VHU_RELAY_PAUSE. */
static enum vhu_relay_wants relay_pause(struct vhu_relay *relay)
{
	vhu_loop_set(relay->loop, &relay->timer, RELAY_PAUSE_NS);
	return relay->wants = VHU_RELAY_PAUSE;
}

/* Decide what a failed send means: @error is -errno. Returns what @relay waits for. */
static enum vhu_relay_wants relay_send_failed(struct vhu_relay *relay, int error)
{
	switch (-error) {
	case EAGAIN:
		return relay->wants = VHU_RELAY_WRITE;
	case EPIPE:
	case ECONNRESET:
		return vhu_relay_ended(relay, VHU_RELAY_TARGET_CLOSED, 0);
	case ETOOMANYREFS: /* of this user's descriptors in flight: others must receive theirs */
	case ENOBUFS:
	case ENOMEM:
		return relay_pause(relay);
	default:
		return vhu_relay_ended(relay, VHU_RELAY_FAILED, error);
	}
}

/* There is nothing to receive now. Returns what @relay waits for. */
static enum vhu_relay_wants relay_wait(struct vhu_relay *relay)
{
	if (!relay->got)
		relay->skip = RELAY_SKIP;
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
		relay_pause(relay);
		return false;
	default:
		vhu_relay_ended(relay, VHU_RELAY_FAILED, error);
		return false;
	}
}

/* All that was due was sent. Returns whether @relay goes on. */
static bool relay_sent(struct vhu_relay *relay)
{
	if (vhu_relay_whole(relay))
		return relay_passed(relay);
	if (relay->end) {
		if (relay->got)
			relay_passed(relay);
		vhu_relay_ended(relay, relay->end, 0);
		return false;
	}
	return true;
}

enum vhu_relay_sending vhu_relay_send_due(struct vhu_relay *relay)
{
	int error;

	if (relay->spoken) {
		const enum vhu_relay_step step = vhu_relay_proceed(relay);

		if (step != VHU_RELAY_SEND)
			return step == VHU_RELAY_GONE ? VHU_RELAY_ON : VHU_RELAY_STOP;
	}
	if (vhu_relay_whole(relay))
		vhu_relay_received(relay, 0);
	error = relay_send(relay);
	if (error) {
		relay_send_failed(relay, error);
		return VHU_RELAY_STOP;
	}
	if (relay->plan && vhu_relay_piece_waits(relay))
		return VHU_RELAY_STOP;
	if (relay->sent < relay->got)
		return VHU_RELAY_ON;
	if (!vhu_relay_whole(relay))
		return relay_sent(relay) ? VHU_RELAY_ON : VHU_RELAY_STOP;
	return relay_sent(relay) ? VHU_RELAY_SENT : VHU_RELAY_STOP;
}

/* Return whether it is worth while to look ahead: messages come one after the other. */
static bool relay_ahead_pays(struct vhu_relay *relay, bool passed)
{
	if (!(passed || relay->burst) || !relay->ahead || relay->got || relay->aside ||
	    relay->draining)
		return false;
	if (!relay->one_by_one)
		return true;
	relay->one_by_one--;
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
			relay_sent(relay);
			break;
		}
		/* A request has its reply next, not another request: do not ask in vain. */
		if (passed && relay->skip && !relay->draining) {
			relay->skip--;
			return relay->wants = VHU_RELAY_READ;
		}
		if (!turns--)
			return relay->wants = VHU_RELAY_READ;
		if (relay->owner->full && !relay->draining && relay->owner->full(relay))
			return relay_pause(relay);
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
