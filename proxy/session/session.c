/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session: a front-end and a back-end that talk; session.h has its theory of operation. */
#include "proxy/session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/watchdog/watchdog.h"

/* Say a line about a session. */
static void session_say(const struct vhu_session_common *common, const char *line)
{
	const struct vhu_proxy_session *session =
	    vhu_container_of(common, const struct vhu_proxy_session, common);

	session->among->say(session->among, line);
}

/* Record that @session, or a channel of it, began. */
static void session_opened(struct vhu_proxy_session *session, enum vhu_channel channel)
{
	struct vhu_record record = {
	    .time_ns = vhu_realtime_ns(),
	    .type = VHU_RECORD_OPENED,
	    .front_end = session->common.peer[VHU_FRONT],
	    .back_end = session->common.peer[VHU_BACK],
	};

	vhu_proxy_session_record(&session->common, channel, &record);
}

/* Record that @session, or a channel of it, ended, and why. */
static void session_closed(struct vhu_proxy_session *session, enum vhu_channel channel,
			   const char *reason)
{
	struct vhu_record record = {
	    .time_ns = vhu_realtime_ns(),
	    .type = VHU_RECORD_CLOSED,
	    .text = reason,
	};

	vhu_proxy_session_record(&session->common, channel, &record);
}

/* Free @session after all its links have ended, and call the owner of the sessions. */
static void session_free(struct vhu_proxy_session *session)
{
	struct vhu_proxy_sessions *among = session->among;

	vhu_loop_unset(&session->linger);
	session_closed(session, VHU_FRONT_END, session->reason);
	if (!session->unreached)
		vhu_metrics_ended(session->common.metrics, session->how);
	*session->link = session->next;
	among->open--;
	if (session->next)
		session->next->link = session->link;
	vhu_watchdog_free(session->common.watchdog);
	vhu_kept_eventfds_free(&session->common.eventfds);
	vhu_fault_memory_free(&session->common.faults);
	free(session->path[VHU_FRONT]);
	free(session->path[VHU_BACK]);
	free(session);
	among->ended(among);
}

/* Add to the reason why the main socket ended how the process has ended that closed it, if that is
 * known. */
static void session_add_fate(struct vhu_proxy_session *session)
{
	const struct vhu_proxy *proxy = session->common.proxy;
	const bool by_front = session->how == VHU_METRICS_FRONT_END_CLOSED;
	const size_t length = strlen(session->reason);
	char fate[128];

	if (!by_front && session->how != VHU_METRICS_BACK_END_CLOSED)
		return;
	if (proxy->fate && proxy->fate(proxy, by_front ? VHU_FRONT : VHU_BACK, fate, sizeof(fate)))
		snprintf(session->reason + length, sizeof(session->reason) - length, ": %s", fate);
}

/* Free @link, which has ended, and record that; that of the main socket ends the session. */
static void session_link_ended(struct vhu_proxy_session *session, struct vhu_link *link)
{
	char reason[VHU_RECORD_TEXT_MAX + 1];
	const enum vhu_metrics_end how = link->how;
	enum vhu_channel channel = link->channel;

	snprintf(reason, sizeof(reason), "%s", link->reason);
	vhu_link_free(link);
	if (channel != VHU_FRONT_END) {
		session_closed(session, channel, reason);
		return;
	}
	snprintf(session->reason, sizeof(session->reason), "%s", reason);
	session->how = how;
	session_add_fate(session);
	session->main_ended = true;
	for (link = session->links; link; link = link->next)
		vhu_link_finish(link);
	vhu_loop_set(&session->common.proxy->loop, &session->linger, VHU_SESSION_LINGER_NS);
}

/* The session ended a while ago, and some of its channels are not read. */
static void session_lingered(struct vhu_timer *timer)
{
	struct vhu_proxy_session *session =
	    vhu_container_of(timer, struct vhu_proxy_session, linger);

	vhu_proxy_session_end(session, "session ended, and the peer does not read");
}

/* Something may have ended. @session may be gone when this returns. */
static void session_settle(struct vhu_proxy_session *session)
{
	struct vhu_link **at = &session->links, *link;

	while ((link = *at)) {
		if (!link->ended) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		session->common.links--;
		session_link_ended(session, link);
		at = &session->links;
	}
	if (!session->links)
		session_free(session);
}

/* Return whether nothing more may be received now: what would come with it might be too much to
 * hold. */
static bool session_is_full(const struct vhu_session_common *common)
{
	const struct vhu_proxy_session *session =
	    vhu_container_of(common, const struct vhu_proxy_session, common);
	unsigned fds = VHU_RECORD_FDS_MAX;

	for (const struct vhu_link *link = session->links; link; link = link->next)
		fds += link->relay[VHU_FRONT].fds + link->relay[VHU_BACK].fds;
	return fds > VHU_SESSION_FDS_MAX;
}

/* Return whether @session has room for another link; say once where not. */
static bool session_has_room(struct vhu_proxy_session *session, enum vhu_channel channel)
{
	const unsigned links = session->common.links;

	if (links < VHU_SESSION_LINKS_MAX)
		return true;
	if (!session->crowded) {
		vhu_proxy_session_error(&session->common, channel,
					"not recorded: there are %u sockets already", links);
		vhu_proxy_session_say(&session->common,
				      "a %s channel is not recorded: the session has %u sockets",
				      vhu_channel_name(channel), links);
	}
	session->crowded = true;
	return false;
}

/* Return whether @fd is what a channel is made of: a connected stream socket of AF_UNIX. */
static bool session_is_channel(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(int), length = sizeof(peer);
	int domain = 0, type = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX &&
	       !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM &&
	       !getpeername(fd, (struct sockaddr *)&peer, &length);
}

/* A message of @main carries @socket, which is to become a channel. Returns as struct
 * in vhu_link_owner. */
static struct vhu_link *session_interpose(const struct vhu_link *main, enum vhu_channel channel,
					  int socket, int *instead)
{
	struct vhu_proxy_session *session =
	    vhu_container_of(main->session, struct vhu_proxy_session, common);
	struct vhu_link *link;
	int end[2], flags;

	if (!session_is_channel(socket) || !session_has_room(session, channel))
		return NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end)) {
		vhu_proxy_session_error(&session->common, channel,
					"not recorded: no socket pair: %s", strerror(errno));
		vhu_proxy_session_say(&session->common,
				      "the %s channel is not recorded: no socket pair: %s",
				      vhu_channel_name(channel), strerror(errno));
		return NULL;
	}
	/* Who gets it finds it as its sender had prepared it. */
	flags = fcntl(socket, F_GETFL);
	if (flags >= 0 && flags & O_NONBLOCK)
		fcntl(end[1], F_SETFL, O_NONBLOCK);
	link = vhu_link_new(main->session, main->owner, channel, socket, end[0]);
	if (!link) {
		close(end[0]);
		close(end[1]);
		return NULL;
	}
	*instead = end[1];
	return link;
}

/* The message that carried @link's socket has passed. */
static void session_open(struct vhu_session_common *common, struct vhu_link *link)
{
	struct vhu_proxy_session *session =
	    vhu_container_of(common, struct vhu_proxy_session, common);
	struct vhu_link **last = &session->links;

	while (*last)
		last = &(*last)->next;
	*last = link;
	session->common.links++;
	session_opened(session, link->channel);
	if (vhu_link_start(link)) {
		snprintf(link->reason, sizeof(link->reason), "%s", "cannot wait for it");
		link->ended = true;
	}
}

/* A link may have ended. */
static void session_link_settle(struct vhu_session_common *common)
{
	session_settle(vhu_container_of(common, struct vhu_proxy_session, common));
}

static const struct vhu_link_owner owner = {
    .full = session_is_full,
    .interpose = session_interpose,
    .open = session_open,
    .settle = session_link_settle,
};

int vhu_proxy_session_start(struct vhu_proxy_sessions *sessions, const int socket[2],
			    const char *const path[2], const char *reason)
{
	struct vhu_proxy_session *session = calloc(1, sizeof(*session));
	struct vhu_link *link;
	int error = -ENOMEM;

	if (!session) {
		close(socket[VHU_FRONT]);
		close(socket[VHU_BACK]);
		return -ENOMEM;
	}
	session->common.proxy = sessions->proxy;
	session->common.number = ++sessions->proxy->sessions;
	session->common.metrics = sessions->metrics;
	session->common.say = session_say;
	session->among = sessions;
	session->begun_ns = vhu_now_ns();
	session->linger.fire = session_lingered;
	session->next = sessions->first;
	session->link = &sessions->first;
	if (session->next)
		session->next->link = &session->next;
	sessions->first = session;
	sessions->open++;
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		/* A pair may have other paths before its session ends. */
		session->path[side] = strdup(path[side]);
		vhu_fdinfo_peer(socket[side], session->path[side] ? session->path[side] : "",
				&session->common.peer[side], session->comm[side]);
	}
	session_opened(session, VHU_FRONT_END);
	if (sessions->metrics && !reason)
		sessions->metrics->opened++;
	if (!reason)
		session->common.watchdog = vhu_watchdog_new(session);

	if (reason) {
		vhu_proxy_session_error(&session->common, VHU_FRONT_END, "%s", reason);
		close(socket[socket[VHU_FRONT] < 0 ? VHU_BACK : VHU_FRONT]);
		snprintf(session->reason, sizeof(session->reason), "%s", reason);
		session->unreached = true;
		session_free(session);
		return 0;
	}
	link = vhu_link_new(&session->common, &owner, VHU_FRONT_END, socket[VHU_FRONT],
			    socket[VHU_BACK]);
	if (!link) {
		close(socket[VHU_FRONT]);
		close(socket[VHU_BACK]);
	} else {
		session->links = link;
		session->common.links = 1;
		error = vhu_link_start(link);
		if (error)
			link->ended = true;
	}
	if (error) {
		snprintf(session->reason, sizeof(session->reason), "cannot begin: %s",
			 strerror(-error));
		vhu_proxy_session_say(&session->common, "%s", session->reason);
		session_settle(session);
	}
	return 0;
}

void vhu_proxy_session_end(struct vhu_proxy_session *session, const char *reason)
{
	if (session->common.watchdog)
		vhu_watchdog_end(session->common.watchdog);
	for (struct vhu_link *link = session->links; link; link = link->next) {
		vhu_link_finish(link);
		snprintf(link->reason, sizeof(link->reason), "%s", reason);
		link->how = VHU_METRICS_REQUESTED;
		link->ended = true;
	}
	session_settle(session);
}
