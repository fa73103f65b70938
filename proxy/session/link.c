/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link: one socket of a session, cut in two; link.h has its theory of operation. */
#include "proxy/session/link.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/capture/redact.h"
#include "lib/util/util.h"
#include "proxy/core/fdinfo.h"
#include "proxy/eventfd/interposer.h"
#include "proxy/fault/apply.h"
#include "proxy/watchdog/watchdog.h"

/* Return the side whose messages @relay passes on. */
static enum vhu_side link_side(const struct vhu_link *link, const struct vhu_relay *relay)
{
	return relay == &link->relay[VHU_FRONT] ? VHU_FRONT : VHU_BACK;
}

/* Return @link as faults see it. */
static struct vhu_fault_link link_of(struct vhu_link *link)
{
	return (struct vhu_fault_link){link->session, link->channel, link->relay, &link->replies};
}

/* Keep what a message of the main socket brings, for the watchdog and for requests. */
static void link_keep(struct vhu_link *link, const struct vhu_relay *relay, enum vhu_side from)
{
	struct vhu_session_common *session = link->session;

	/* What the interposer replaces it keeps itself. */
	if (from == VHU_BACK)
		vhu_kept_eventfds_stop(&session->eventfds, relay);
	else if ((session->proxy->keep_eventfds || session->watchdog) &&
		 !(link->interposer && relay->record.marks & VHU_MARK_ALTERED))
		vhu_kept_eventfds_keep(&session->eventfds, relay);
	if (session->watchdog)
		vhu_watchdog_received(session->watchdog, relay, from == VHU_BACK);
}

/* A message, or what there is of it, is about to be passed on: record it. */
static void link_received(struct vhu_relay *relay)
{
	struct vhu_link *link = relay->context;
	enum vhu_side from = link_side(link, relay);
	uint8_t *masked =
	    link->session->proxy->with_keys
		? NULL
		: vhu_redact(&relay->record, link->channel, relay->header.request, &link->plain);

	if (link->interposer)
		vhu_interposer_received(link->interposer, relay, from == VHU_BACK);
	relay->record.type = VHU_RECORD_MESSAGE;
	relay->record.from_back_end = from == VHU_BACK;
	vhu_proxy_session_record(link->session, link->channel, &relay->record);
	free(masked);
	if (link->channel == VHU_FRONT_END)
		link_keep(link, relay, from);
	if (relay->all_fds > relay->described)
		vhu_proxy_session_error(link->session, link->channel,
					"%u more descriptors came with the last message",
					relay->all_fds - relay->described);
}

/* Say that a side closed in the middle of a message. */
static void link_cut_short(const struct vhu_link *link, const struct vhu_relay *relay)
{
	const struct vhu_session_common *session = link->session;
	enum vhu_side from = link_side(link, relay);
	const struct vhu_peer *peer = &session->peer[from];
	uint64_t size = relay->size ? relay->size : VHU_HEADER_SIZE;

	vhu_proxy_session_say(session,
			      "the %s (%s, pid %" PRIu32
			      ") closed in the middle of a message: %" PRIu64 " of %" PRIu64
			      " bytes%s came",
			      vhu_side_name(from), peer->comm, peer->pid, relay->got, size,
			      relay->size ? "" : " of a header");
}

/* Remember a request that has passed, or that its reply has. */
static void link_follow(struct vhu_link *link, const struct vhu_relay *relay, enum vhu_side from,
			uint64_t now)
{
	const unsigned fault = relay->plan ? relay->plan->asks : 0;

	const bool reply = from != vhu_replies_asker(link->channel);
	uint64_t asked_ns = 0;

	if (reply)
		asked_ns = vhu_replies_answer(&link->replies, relay->header.request);
	else
		vhu_replies_ask(&link->replies, link->channel, &relay->header, now, fault);
	vhu_metrics_passed(link->session->metrics, link->channel, relay->header.request, reply,
			   asked_ns, now);
}

/* A message, or what there was of it, was passed on: open the channel that it carried. */
static void link_passed(struct vhu_relay *relay)
{
	struct vhu_link *link = relay->context, *opening = link->opening;
	struct vhu_proxy *proxy = link->session->proxy;
	const struct vhu_fault_link at = link_of(link);
	const enum vhu_side from = link_side(link, relay);
	const uint64_t now = vhu_now_ns();

	proxy->messages++;
	proxy->fds += relay->all_fds;
	vhu_fault_learn(&at, relay);
	vhu_link_stats_add(&link->passed[from], relay->sent, relay->all_fds, now);
	if (link->session->metrics) {
		link->session->metrics->bytes[from] += relay->sent;
		link->session->metrics->fds[from] += relay->all_fds;
	}
	if (relay->size)
		link_follow(link, relay, from, now);
	if (link->interposer)
		vhu_interposer_passed(link->interposer, relay, from == VHU_BACK);
	if (relay->end && !relay->draining && relay->got != relay->size)
		link_cut_short(link, relay);
	link->opening = NULL;
	if (opening)
		link->owner->open(link->session, opening);
}

/* A message with one descriptor is to be sent. Returns the descriptor to send in its place or -1.
 */
static int link_opens(struct vhu_relay *relay)
{
	struct vhu_link *link = relay->context;
	enum vhu_channel channel;
	int instead = -1;

	if (link_side(link, relay) != VHU_FRONT)
		return -1;
	channel = vhu_message_opens(link->channel, relay->header.request);
	if (channel == VHU_FRONT_END)
		return link->interposer ? vhu_interposer_replace(link->interposer, relay) : -1;
	link->opening = link->owner->interpose(link, channel, relay->fd[0], &instead);
	return instead;
}

/* A header has come. Returns whether its message may be altered. */
static bool link_speaks(struct vhu_relay *relay)
{
	const struct vhu_fault_link at = link_of(relay->context);

	return vhu_fault_may_alter(&at, relay);
}

/* A message is due that may be altered. */
static void link_alters(struct vhu_relay *relay)
{
	const struct vhu_fault_link at = link_of(relay->context);

	vhu_fault_apply(&at, relay);
}

/* A message is dropped because it was to be. */
static void link_dropped(struct vhu_relay *relay)
{
	const struct vhu_fault_link at = link_of(relay->context);

	vhu_fault_dropped(&at, relay);
}

/* Return whether @end's peer has closed it, not only shut down its sending. */
static bool link_hung_up(struct vhu_link_end *end)
{
	struct pollfd ask = {.fd = end->watch.fd};

	if (!end->hung_up && poll(&ask, 1, 0) == 1 && ask.revents & (POLLHUP | POLLERR))
		end->hung_up = true;
	return end->hung_up;
}

/* Tell the person and the capture that descriptors were lost. */
static void link_truncated(const struct vhu_link *link, enum vhu_side from)
{
	const struct vhu_peer *peer = &link->session->peer[from];
	struct rlimit limit = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	vhu_proxy_session_error(link->session, link->channel,
				"descriptors from the %s were lost: no more than %" PRIu64
				" files can be "
				"open (RLIMIT_NOFILE)",
				vhu_side_name(from), (uint64_t)limit.rlim_cur);
	vhu_proxy_session_say(
	    link->session,
	    "closed: descriptors from the %s (%s, pid %u) were lost because no more "
	    "than %" PRIu64 " files can be open (RLIMIT_NOFILE): raise ulimit -n",
	    vhu_side_name(from), peer->comm, peer->pid, (uint64_t)limit.rlim_cur);
}

/* Return how a link has ended whose @side closed. */
static enum vhu_metrics_end link_closed_by(enum vhu_side side)
{
	return side == VHU_FRONT ? VHU_METRICS_FRONT_END_CLOSED : VHU_METRICS_BACK_END_CLOSED;
}

/* Keep why the relay that passes on what @from sends has ended, if it is the first cause. */
static void link_reason(struct vhu_link *link, enum vhu_side from)
{
	const struct vhu_relay *relay = &link->relay[from];
	const char *side = vhu_side_name(from), *other = vhu_side_name(!from);
	size_t size = sizeof(link->reason);

	if (link->reason[0])
		return;
	switch (relay->end) {
	case VHU_RELAY_SENDER_RESET:
		snprintf(link->reason, size, "%s closed, leaving bytes unread", side);
		link->how = link_closed_by(from);
		break;
	case VHU_RELAY_TARGET_CLOSED:
		snprintf(link->reason, size, "%s closed", other);
		link->how = link_closed_by(!from);
		break;
	case VHU_RELAY_TRUNCATED:
		link_truncated(link, from);
		snprintf(link->reason, size, "descriptors from the %s were lost", side);
		break;
	case VHU_RELAY_FAILED:
		snprintf(link->reason, size, "cannot pass on what the %s sends: %s", side,
			 strerror(-relay->error));
		vhu_proxy_session_error(link->session, link->channel, "%s", link->reason);
		vhu_proxy_session_say(link->session, "closed: %s", link->reason);
		break;
	case VHU_RELAY_CUT:
		snprintf(link->reason, size, "cut by fault %u", relay->cut_by);
		break;
	default:
		if (relay->draining) {
			snprintf(link->reason, size, "session ended");
		} else if (link_hung_up(&link->end[from])) {
			snprintf(link->reason, size, "%s closed", side);
			link->how = link_closed_by(from);
		} else {
			snprintf(link->reason, size, "%s shut down sending", side);
		}
	}
}

/* The relay that passes on what @from sends has ended: do to the other side what that means.
 * Returns whether the link has ended with it. */
static bool link_hand_over(struct vhu_link *link, enum vhu_side from)
{
	struct vhu_link_end *end = &link->end[from], *other = &link->end[!from];

	if (end->handed_over)
		return end->hung_up || other->handed_over;
	end->handed_over = true;
	/* Before the other side knows. */
	if (link->session->watchdog && link->channel == VHU_FRONT_END)
		vhu_watchdog_end(link->session->watchdog);
	if (link->interposer && from == VHU_BACK)
		vhu_interposer_fetch(link->interposer);
	link_reason(link, from);
	switch (link->relay[from].end) {
	case VHU_RELAY_TARGET_CLOSED:
		shutdown(end->watch.fd, SHUT_RD);
		return other->handed_over;
	case VHU_RELAY_SENDER_CLOSED:
		if (!link_hung_up(end)) {
			shutdown(other->watch.fd, SHUT_WR);
			return other->handed_over;
		}
		return true;
	default:
		return true;
	}
}

/* Let @side's watch wait for what the relays want of it. Returns 0 or -errno. */
static int link_watch(struct vhu_link *link, enum vhu_side side)
{
	struct vhu_link_end *end = &link->end[side];
	struct vhu_loop *loop = &link->session->proxy->loop;
	uint32_t events = 0;

	if (link->relay[side].wants == VHU_RELAY_READ)
		events |= EPOLLIN;
	if (link->relay[!side].wants == VHU_RELAY_WRITE)
		events |= EPOLLOUT;
	/* epoll reports a hang-up again and again: do not listen while there is nothing to do about
	 * it.
	 */
	if (!events && end->hung_up) {
		vhu_loop_unwatch(loop, &end->watch);
		return 0;
	}
	return vhu_loop_watch(loop, &end->watch, events);
}

/* Let the relays do what needs no event from a side: send the proxy's own answers; stop holding
 * messages if no side is left that could release them. */
static void link_stir(struct vhu_link *link)
{
	const bool hung_up = link->end[VHU_FRONT].hung_up || link->end[VHU_BACK].hung_up;

	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		struct vhu_relay *relay = &link->relay[side];

		if (relay->wants == VHU_RELAY_HELD && hung_up)
			vhu_relay_hurry(relay);
		else if (!relay->aside || !vhu_relay_ready(relay))
			continue;
		vhu_relay_run(relay);
	}
}

/* Do what follows from what the relays have done. The session, and the link, may be gone when
 * this returns. */
static void link_settle(struct vhu_link *link)
{
	link_stir(link);
	if (link->interposer)
		vhu_interposer_flush(link->interposer);
	for (int side = VHU_FRONT; side <= VHU_BACK && !link->ended; side++) {
		if (link->relay[side].wants == VHU_RELAY_ENDED)
			link->ended = link_hand_over(link, side);
	}
	for (int side = VHU_FRONT; side <= VHU_BACK && !link->ended; side++) {
		int error = link_watch(link, side);

		if (error) {
			snprintf(link->reason, sizeof(link->reason), "cannot wait for it: %s",
				 strerror(-error));
			link->ended = true;
		}
	}
}

/* Something happened on a side. */
static void link_ready(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_link_end *end = (struct vhu_link_end *)watch;
	struct vhu_link *link = end->link;
	enum vhu_side side = end == &link->end[VHU_FRONT] ? VHU_FRONT : VHU_BACK;

	if (events & (EPOLLHUP | EPOLLERR))
		end->hung_up = true;
	if (events & ~(uint32_t)EPOLLOUT && link->relay[side].wants == VHU_RELAY_READ)
		vhu_relay_run(&link->relay[side]);
	if (events & ~(uint32_t)EPOLLIN && link->relay[!side].wants == VHU_RELAY_WRITE)
		vhu_relay_run(&link->relay[!side]);
	link_settle(link);
	if (link->ended)
		link->owner->settle(link->session);
}

/* A relay's timer fired. */
static void link_run(struct vhu_relay *relay)
{
	struct vhu_link *link = relay->context;

	vhu_relay_run(relay);
	link_settle(link);
	if (link->ended)
		link->owner->settle(link->session);
}

/* Something may be received. Returns whether that has to wait. */
static bool link_full(struct vhu_relay *relay)
{
	const struct vhu_link *link = relay->context;

	/* Those of one socket alone are never too many (VHU_SESSION_FDS_MAX). */
	return link->session->links > 1 && link->owner->full(link->session);
}

static const struct vhu_relay_owner owner = {
    .full = link_full,
    .opens = link_opens,
    .received = link_received,
    .passed = link_passed,
    .run = link_run,
    .speaks = link_speaks,
    .alters = link_alters,
    .dropped = link_dropped,
};

/* Disconnect both sides, for @reason: the link ends soon. */
static void link_sever(void *context, const char *reason)
{
	struct vhu_link *link = context;

	if (!link->reason[0])
		snprintf(link->reason, sizeof(link->reason), "%s", reason);
	for (int side = VHU_FRONT; side <= VHU_BACK; side++)
		shutdown(link->end[side].watch.fd, SHUT_RDWR);
}

/* Return whether there are messages that the front-end sent whole, and that have not been passed
 * on, though no fault keeps them. */
static bool link_behind(const void *context)
{
	const struct vhu_link *link = context;
	const struct vhu_relay *relay = &link->relay[VHU_FRONT];
	int unread = 0;

	switch (relay->wants) {
	case VHU_RELAY_READ:
		return !ioctl(link->end[VHU_FRONT].watch.fd, FIONREAD, &unread) && unread > 0;
	case VHU_RELAY_WRITE:
		return true;
	case VHU_RELAY_PAUSE:
		return !relay->plan;
	default:
		return false;
	}
}

static const struct vhu_interposer_owner interposer_owner = {
    .behind = link_behind,
    .sever = link_sever,
};

struct vhu_link *vhu_link_new(struct vhu_session_common *session,
			      const struct vhu_link_owner *owned_by, enum vhu_channel channel,
			      int front, int back)
{
	struct vhu_proxy *proxy = session->proxy;
	struct vhu_link *link = calloc(1, sizeof(*link));
	const int fd[2] = {front, back};
	int error = 0;

	if (!link)
		return NULL;
	link->session = session;
	link->owner = owned_by;
	link->channel = channel;
	if (channel == VHU_FRONT_END)
		link->interposer =
		    vhu_interposer_new(session, &link->replies, &interposer_owner, link);
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		link->end[side].link = link;
		link->end[side].watch.fd = fd[side];
		link->end[side].watch.ready = link_ready;
	}
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		struct vhu_relay *relay = &link->relay[side];

		error |= vhu_relay_start(relay, &proxy->loop, fd[side], fd[!side]);
		relay->owner = &owner;
		relay->context = link;
		/* What passes for a channel its peers may still have, and read. What kicks and
		 * calls are to wait for is what the socket has to read. */
		relay->ahead = channel == VHU_FRONT_END && !link->interposer;
		relay->describe = proxy->sinks.sinks > 0 || link->interposer;
	}
	if (error) {
		vhu_relay_close(&link->relay[VHU_FRONT]);
		vhu_relay_close(&link->relay[VHU_BACK]);
		vhu_interposer_free(link->interposer, false);
		free(link);
		return NULL;
	}
	return link;
}

int vhu_link_start(struct vhu_link *link)
{
	int error = link_watch(link, VHU_FRONT);

	return error ? error : link_watch(link, VHU_BACK);
}

void vhu_link_finish(struct vhu_link *link)
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		struct vhu_relay *relay = &link->relay[side];

		relay->draining = true;
		vhu_relay_hurry(relay);
		if (relay->wants == VHU_RELAY_READ)
			vhu_relay_run(relay);
	}
	link_settle(link);
}

void vhu_link_free(struct vhu_link *link)
{
	if (!link)
		return;
	/* Before the peers know of the end. */
	vhu_interposer_free(link->interposer, link->end[VHU_FRONT].hung_up);
	link->interposer = NULL;
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		size_t held;

		vhu_relay_give_up(&link->relay[side]);
		held = vhu_relay_held(&link->relay[side]);

		if (held)
			vhu_proxy_session_error(link->session, link->channel,
						"%zu bytes from the %s were not delivered", held,
						vhu_side_name(side));
	}
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		vhu_relay_close(&link->relay[side]);
		vhu_loop_unwatch(&link->session->proxy->loop, &link->end[side].watch);
		close(link->end[side].watch.fd);
	}
	vhu_link_free(link->opening);
	vhu_replies_free(&link->replies);
	free(link);
}
