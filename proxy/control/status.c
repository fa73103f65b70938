/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of a session: what it is doing. */
#include "proxy/control/status.h"

#include <string.h>
#include <sys/ioctl.h>

#include "lib/recording/prologue.h"
#include "lib/util/util.h"
#include "proxy/watchdog/watchdog.h"

struct vhu_proxy_session *vhu_status_next(const struct vhu_proxy *proxy, uint64_t after)
{
	struct vhu_proxy_session *next = NULL;

	for (const struct vhu_pair *pair = proxy->pair; pair; pair = pair->next) {
		for (struct vhu_proxy_session *at = pair->sessions.first; at; at = at->next) {
			if (at->common.number > after &&
			    (!next || at->common.number < next->common.number))
				next = at;
		}
	}
	return next;
}

struct vhu_proxy_session *vhu_status_find(const struct vhu_proxy *proxy, uint64_t number)
{
	struct vhu_proxy_session *session = number ? vhu_status_next(proxy, number - 1) : NULL;

	return session && session->common.number == number ? session : NULL;
}

/* Gather what has passed and what is held on @link. */
static void status_add_link(struct vhu_status *status, const struct vhu_link *link)
{
	struct vhu_status_link *to = &status->link[status->links];

	status->fds += 2;
	for (int side = VHU_FRONT; side <= VHU_BACK; side++)
		status->fds += link->relay[side].fds;
	if (link->interposer) {
		status->interposer = link->interposer;
		status->fds += vhu_interposer_fds(link->interposer);
	}
	if (status->links == VHU_STATUS_LINKS)
		return;
	status->links++;
	to->channel = link->channel;
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		int unread = 0;

		to->from[side] = (struct vhu_status_way){
		    .passed = link->passed[side],
		    .held = vhu_relay_held(&link->relay[side]),
		    .holding = link->relay[side].fds,
		};
		if (!ioctl(link->end[side].watch.fd, FIONREAD, &unread) && unread > 0)
			to->from[side].unread = (size_t)unread;
	}
}

/* See whether a request of @link waits longer than all others. */
static void status_add_request(struct vhu_status *status, const struct vhu_link *link)
{
	static const struct vhu_context nothing;
	const struct vhu_message *message;
	const struct vhu_pending *request =
	    vhu_replies_wait(&link->replies, link->channel,
			     status->state ? &status->state->context : &nothing, &message);

	if (!request || (status->waits && status->waits->time_ns <= request->time_ns))
		return;
	status->waits = request;
	status->waits_for = message;
	status->waits_on = link->channel;
}

void vhu_status_gather(struct vhu_status *status, const struct vhu_proxy_session *session)
{
	struct vhu_prologue *prologue = session->common.proxy->prologue;

	memset(status, 0, sizeof(*status));
	status->session = session;
	status->state = prologue ? vhu_prologue_state(prologue, session->common.number) : NULL;
	status->now_ns = vhu_now_ns();
	status->fds += vhu_kept_eventfds_count(&session->common.eventfds);
	if (session->common.watchdog)
		status->fds += vhu_watchdog_fds(session->common.watchdog);
	for (const struct vhu_link *link = session->links; link; link = link->next) {
		status_add_link(status, link);
		status_add_request(status, link);
	}
}
