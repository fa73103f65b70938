/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pair: two endpoints and the sessions between them; pair.h has its theory of operation. */
#include "proxy/session/pair.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/session/pair_internal.h"

/* Until one whose queue is full is tried again. */
#define PAIR_FULL_NS   10000000u
/* Until one that is not there is tried again. */
#define PAIR_MISSED_NS 100000000u
/* Until accepting is tried again after descriptors ran out. */
#define PAIR_RESUME_NS 100000000u
/* Until it is said again that they have. */
#define PAIR_QUIET_NS  10000000000u

/* Say a line about a pair, made as printf makes it. If there are others the line names it. */
__attribute__((format(printf, 2, 3))) static void pair_say(const struct vhu_pair *pair,
							   const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (pair->proxy->several)
		vhu_proxy_say(pair->proxy, "%s: %s", pair->end[VHU_FRONT].path, text);
	else
		vhu_proxy_say(pair->proxy, "%s", text);
}

void vhu_pair_say_line(void *context, const char *line)
{
	pair_say(context, "%s", line);
}

/* Say a line about a session. */
static void pair_session_say(const struct vhu_proxy_sessions *sessions, const char *line)
{
	pair_say(vhu_container_of(sessions, const struct vhu_pair, sessions), "%s", line);
}

/* Stop listening for more. */
static void pair_stop_listening(struct vhu_pair *pair)
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++)
		vhu_loop_unwatch(&pair->proxy->loop, &pair->listener[side].watch);
}

void vhu_pair_done(struct vhu_pair *pair)
{
	if (pair->done)
		return;
	pair->done = true;
	pair_stop_listening(pair);
	vhu_loop_unset(&pair->resume);
	vhu_loop_unset(&pair->again);
	if (!--pair->proxy->pairs && !pair->proxy->retired)
		pair->proxy->loop.stop = true;
}

/* Return whether another session may begin now. */
static bool pair_has_room(const struct vhu_pair *pair)
{
	if (pair->done || (pair->once && pair->begun))
		return false;
	if (pair->one_at_a_time || pair->calls)
		return !pair->sessions.first;
	return pair->sessions.open < VHU_PAIR_SESSIONS_MAX;
}

/* Accept peers as long as there is room. Returns 0 or -errno. */
static int pair_listen(struct vhu_pair *pair)
{
	if (!pair_has_room(pair)) {
		pair_stop_listening(pair);
		if (pair->sessions.open >= VHU_PAIR_SESSIONS_MAX && !pair->crowded) {
			pair_say(pair, "%u sessions at once: who else comes waits",
				 pair->sessions.open);
			pair->crowded = true;
		}
		return 0;
	}
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		int error;

		if (pair->end[side].kind != VHU_ENDPOINT_LISTEN)
			continue;
		if (pair->waiting.count[side] >= VHU_PAIR_WAITING_MAX) {
			vhu_loop_unwatch(&pair->proxy->loop, &pair->listener[side].watch);
			continue;
		}
		error = vhu_loop_watch(&pair->proxy->loop, &pair->listener[side].watch, EPOLLIN);
		if (error)
			return error;
	}
	return 0;
}

/* A session has ended. */
static void pair_session_ended(struct vhu_proxy_sessions *sessions)
{
	struct vhu_pair *pair = vhu_container_of(sessions, struct vhu_pair, sessions);

	if (pair->retired) {
		/* Not from within the session. */
		if (!pair->sessions.first)
			vhu_loop_set(&pair->proxy->loop, &pair->again, 0);
		return;
	}
	if (pair->once && pair->begun) {
		if (!pair->sessions.first)
			vhu_pair_done(pair);
		return;
	}
	if (pair->done)
		return;
	if (pair->sessions.open < VHU_PAIR_SESSIONS_MAX / 2)
		pair->crowded = false;
	if (!pair->one_at_a_time && !pair->calls &&
	    pair->sessions.open != VHU_PAIR_SESSIONS_MAX - 1)
		return;
	/* Not from within the session, which is about to be freed. */
	pair->called_ns = vhu_now_ns();
	vhu_loop_set(&pair->proxy->loop, &pair->again, pair->calls ? PAIR_MISSED_NS : 0);
}

/* Serve no more, because of what @line says. That is a failure unless there was a session. */
static void pair_give_up(struct vhu_pair *pair, const char *line)
{
	pair_say(pair, "%s", line);
	pair->failed = !pair->begun;
	vhu_pair_done(pair);
}

/* A waiting peer has gone away while it waited. */
static void pair_peer_left(struct vhu_waiting_peers *peers, struct vhu_waiting_peer *waiter)
{
	struct vhu_pair *pair = vhu_container_of(peers, struct vhu_pair, waiting);
	bool inherited = pair->end[waiter->side].kind == VHU_ENDPOINT_FD;
	char line[VHU_ENDPOINT_ERROR];

	snprintf(line, sizeof(line), "%s: closed before it had a peer",
		 pair->end[waiter->side].path);
	close(vhu_waiting_peer_take(waiter));
	if (inherited) {
		pair_give_up(pair, line);
	} else if (pair->calls) {
		pair->called_ns = vhu_now_ns();
		vhu_loop_set(&pair->proxy->loop, &pair->again, PAIR_MISSED_NS);
	} else if (!pair->resume.link) {
		pair_listen(pair);
	}
}

void vhu_pair_record_failures(struct vhu_pair *pair)
{
	const char *path[2] = {pair->end[VHU_FRONT].path, pair->end[VHU_BACK].path};
	const int none[2] = {-1, -1};
	char reason[VHU_FAILURES_TEXT];

	vhu_loop_unset(&pair->record_failures);
	if (!vhu_failures_take(&pair->failures, reason))
		return;
	pair_say(pair, "session %" PRIu64 ": %s", pair->proxy->sessions + 1, reason);
	if (vhu_proxy_session_start(&pair->sessions, none, path, reason))
		pair_say(pair, "no memory for a session");
}

/* It is time to record them. */
static void pair_count_ends(struct vhu_timer *timer)
{
	vhu_pair_record_failures(vhu_container_of(timer, struct vhu_pair, record_failures));
}

/* A session is about to begin, or could not, for @reason. Returns whether that is only counted. */
static bool pair_count(struct vhu_pair *pair, const char *reason)
{
	uint64_t count_ns;

	if (!reason || !vhu_failures_is_again(&pair->failures, reason))
		vhu_pair_record_failures(pair);
	if (!reason) {
		vhu_failures_end(&pair->failures);
		return false;
	}
	count_ns = vhu_failures_add(&pair->failures, reason);
	if (count_ns && count_ns != UINT64_MAX)
		vhu_loop_set(&pair->proxy->loop, &pair->record_failures, count_ns);
	return count_ns > 0;
}

/*
 * Begin a session.
 * @socket: by side, -1 for one that could not be reached, for @reason (else NULL).
 */
static void pair_begin(struct vhu_pair *pair, const int socket[2], const char *reason)
{
	const char *path[2] = {pair->end[VHU_FRONT].path, pair->end[VHU_BACK].path};

	pair->begun = true;
	pair->failed = reason != NULL;
	if (!pair->sessions.metrics)
		pair->sessions.metrics = vhu_metrics_new();
	if (pair->sessions.metrics)
		pair->sessions.metrics->failed += pair->failed;
	if (pair_count(pair, reason)) {
		close(socket[socket[VHU_FRONT] < 0 ? VHU_BACK : VHU_FRONT]);
		pair_session_ended(&pair->sessions);
		return;
	}
	if (reason)
		pair_say(pair, "session %" PRIu64 ": %s", pair->proxy->sessions + 1, reason);
	if (vhu_proxy_session_start(&pair->sessions, socket, path, reason)) {
		pair_say(pair, "no memory for a session: its peers were disconnected");
		pair_session_ended(&pair->sessions);
	}
}

/* Return whether @error says that there was no room for another descriptor. */
static bool pair_no_room(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

/* Descriptors have run out: leave those who come in the queue for a moment. Said once, until
 * that has not happened for a while. */
static void pair_exhausted(struct vhu_pair *pair, int error)
{
	uint64_t now = vhu_now_ns();
	bool said = pair->exhausted_ns && now - pair->exhausted_ns < PAIR_QUIET_NS;
	struct rlimit limit = {0};

	for (int side = VHU_FRONT; side <= VHU_BACK; side++)
		vhu_loop_unwatch(&pair->proxy->loop, &pair->listener[side].watch);
	vhu_loop_set(&pair->proxy->loop, &pair->resume, PAIR_RESUME_NS);
	pair->exhausted_ns = now;
	if (said)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	vhu_proxy_say(pair->proxy,
		      "%s: new sessions wait: %s (limit %" PRIu64
		      "): raise ulimit -n or end a session",
		      pair->end[VHU_FRONT].path, strerror(-error), (uint64_t)limit.rlim_cur);
}

/*
 * Go to the peer at @side, for a session that has been wanted since @since_ns.
 * Returns its socket; -EAGAIN where that has to wait, for pair->pause_ns; -errno with a line in
 * @error.
 */
static int pair_connect(struct vhu_pair *pair, enum vhu_side side, uint64_t since_ns,
			char error[VHU_ENDPOINT_ERROR])
{
	const struct vhu_endpoint *end = &pair->end[side];
	int fd = vhu_endpoint_connect(end, error);

	if (fd >= 0) {
		pair->missed = false;
		return fd;
	}
	if (pair_no_room(fd))
		pair_exhausted(pair, fd);
	if (fd == -EAGAIN || pair_no_room(fd)) {
		pair->pause_ns = fd == -EAGAIN ? PAIR_FULL_NS : PAIR_RESUME_NS;
		return -EAGAIN;
	}
	if ((fd != -ENOENT && fd != -ECONNREFUSED) || vhu_now_ns() - since_ns >= pair->patience_ns)
		return fd;
	if (!pair->missed)
		pair_say(pair, "%s: %s: waiting until somebody listens there", end->path,
			 strerror(-fd));
	pair->missed = true;
	pair->pause_ns = PAIR_MISSED_NS;
	return -EAGAIN;
}

/*
 * Find a peer for @waiting peer.
 * Returns its socket; -EAGAIN for none now; -errno with a line in @error.
 */
static int pair_other(struct vhu_pair *pair, const struct vhu_waiting_peer *waiter,
		      char error[VHU_ENDPOINT_ERROR])
{
	struct vhu_waiting_peer *other = pair->waiting.first, *next;
	uint64_t wait_ns;
	int code;

	if (pair->end[!waiter->side].kind == VHU_ENDPOINT_CONNECT) {
		code = pair_connect(pair, !waiter->side, waiter->since_ns, error);
		wait_ns = vhu_failures_wait(&pair->failures, waiter->since_ns);
		if (code >= 0 || code == -EAGAIN || !wait_ns)
			return code;
		pair->pause_ns = wait_ns < PAIR_MISSED_NS ? wait_ns : PAIR_MISSED_NS;
		return -EAGAIN;
	}
	for (; other; other = next) {
		next = other->next;
		if (other->side == waiter->side)
			continue;
		if (!vhu_waiting_peer_left(other))
			return vhu_waiting_peer_take(other);
		pair_peer_left(&pair->waiting, other);
	}
	return -EAGAIN;
}

/*
 * Join @waiting peer to a peer.
 * Returns whether that is done, with or without success, and it is freed; else there is no peer
 * yet.
 */
static bool pair_join(struct vhu_pair *pair, struct vhu_waiting_peer *waiter)
{
	char error[VHU_ENDPOINT_ERROR];
	enum vhu_side side = waiter->side;
	int other, socket[2];

	if (vhu_waiting_peer_left(waiter)) {
		pair_peer_left(&pair->waiting, waiter);
		return true;
	}
	other = pair_other(pair, waiter, error);
	if (other == -EAGAIN)
		return false;
	/* Not called for again and again. */
	if (other < 0 && pair->calls)
		pair->once = true;
	socket[side] = vhu_waiting_peer_take(waiter);
	socket[!side] = other < 0 ? -1 : other;
	pair_begin(pair, socket, other < 0 ? error : NULL);
	return true;
}

/* Take @fd, which is there on @side, as a waiting peer. Returns whether there was memory for it. */
static bool pair_welcome(struct vhu_pair *pair, enum vhu_side side, int fd)
{
	if (vhu_waiting_peer_add(&pair->waiting, side, fd))
		return true;
	pair_say(pair, "no memory for a %s: disconnected", vhu_side_name(side));
	return false;
}

/* Go to the front-end, so that it is a waiting peer, or look again later. */
static void pair_call(struct vhu_pair *pair)
{
	char error[VHU_ENDPOINT_ERROR];
	int fd = pair_connect(pair, VHU_FRONT, pair->called_ns, error);

	if (fd >= 0)
		pair_welcome(pair, VHU_FRONT, fd);
	else if (fd != -EAGAIN)
		pair_give_up(pair, error);
}

/* Join whoever can be joined, and see to it that this is done again when there is reason to. */
static void pair_meet(struct vhu_pair *pair)
{
	pair->pause_ns = 0;
	if (pair->calls && !pair->waiting.first && pair_has_room(pair))
		pair_call(pair);
	while (pair->waiting.first && pair_has_room(pair) && pair_join(pair, pair->waiting.first))
		;
	if (pair->done)
		return;
	for (struct vhu_waiting_peer *waiter = pair->waiting.first; waiter; waiter = waiter->next)
		vhu_waiting_peer_wait(waiter);
	if (pair->pause_ns)
		vhu_loop_set(&pair->proxy->loop, &pair->again, pair->pause_ns);
	if (!pair->resume.link)
		pair_listen(pair);
}

void vhu_pair_leave(struct vhu_pair *pair)
{
	struct vhu_proxy *proxy = pair->proxy;

	vhu_loop_unset(&pair->again);
	vhu_metrics_free(pair->sessions.metrics);
	pair->sessions.metrics = NULL;
	*pair->link = pair->next;
	if (pair->next)
		pair->next->link = pair->link;
	pair->link = NULL;
	proxy->left++;
	if (!pair->retired)
		return;
	pair->retired = false;
	if (!--proxy->retired && !proxy->pairs)
		proxy->loop.stop = true;
}

/* It is time to look again whether waiting peers can be joined, or the last session of a pair that
 * was retired has ended. */
static void pair_again(struct vhu_timer *timer)
{
	struct vhu_pair *pair = vhu_container_of(timer, struct vhu_pair, again);

	if (!pair->retired) {
		pair_meet(pair);
		return;
	}
	vhu_pair_leave(pair);
	pair->gone(pair);
}

/* The moment after running out of descriptors has passed. */
static void pair_resume(struct vhu_timer *timer)
{
	pair_listen(vhu_container_of(timer, struct vhu_pair, resume));
}

/* Return whether the peer of @fd, which was just accepted, has gone away while it was queued. */
static bool pair_came_too_late(int fd)
{
	struct pollfd ask = {.fd = fd};

	return poll(&ask, 1, 0) == 1;
}

/* Somebody came. */
static void pair_accept(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_pair *pair = ((struct vhu_pair_listener *)watch)->pair;
	enum vhu_side side = watch == &pair->listener[VHU_FRONT].watch ? VHU_FRONT : VHU_BACK;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC), error;

	(void)events;
	if (fd >= 0) {
		/* One that has given up is no reason to use up a peer that serves only one. */
		if (pair->one_at_a_time && pair_came_too_late(fd))
			close(fd);
		else if (pair_welcome(pair, side, fd))
			pair_meet(pair);
		return;
	}
	error = -errno;
	if (pair_no_room(error)) {
		pair_exhausted(pair, error);
	} else if (error != -EAGAIN && error != -EINTR && error != -ECONNABORTED) {
		pair_say(pair, "%s: listens no more: %s", pair->end[side].path, strerror(-error));
		vhu_loop_unwatch(&pair->proxy->loop, watch);
	}
}

void vhu_pair_prepare(struct vhu_pair *pair, struct vhu_proxy *proxy)
{
	pair->proxy = pair->sessions.proxy = proxy;
	pair->sessions.say = pair_session_say;
	pair->sessions.ended = pair_session_ended;
	pair->waiting.loop = &proxy->loop;
	pair->waiting.left = pair_peer_left;
	pair->resume.fire = pair_resume;
	pair->again.fire = pair_again;
	pair->record_failures.fire = pair_count_ends;
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		pair->listener[side].pair = pair;
		pair->listener[side].watch.ready = pair_accept;
	}
}

int vhu_pair_start(struct vhu_pair *pair, char error[VHU_ENDPOINT_ERROR])
{
	int code = pair_listen(pair);

	if (code) {
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: cannot wait for it: %s",
			 pair->end[VHU_FRONT].path, strerror(-code));
		return code;
	}
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (pair->end[side].kind != VHU_ENDPOINT_FD)
			continue;
		pair_welcome(pair, side, pair->end[side].fd);
		pair->end[side].fd = -1;
	}
	pair->called_ns = vhu_now_ns();
	pair_meet(pair);
	return 0;
}
