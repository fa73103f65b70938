/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is due in a relay, sent on. */
#include <errno.h>
#include <sys/socket.h>

#include "proxy/relay/aside.h"
#include "proxy/relay/internal.h"
#include "proxy/relay/plan.h"

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
	piece.iov_base = vhu_relay_byte(relay, relay->sent);
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
		return vhu_relay_pause(relay);
	default:
		return vhu_relay_ended(relay, VHU_RELAY_FAILED, error);
	}
}

bool vhu_relay_sent(struct vhu_relay *relay)
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
		return vhu_relay_sent(relay) ? VHU_RELAY_ON : VHU_RELAY_STOP;
	return vhu_relay_sent(relay) ? VHU_RELAY_SENT : VHU_RELAY_STOP;
}
