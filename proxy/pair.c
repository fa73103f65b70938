/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pair: two endpoints and the sessions between them; pair.h has its theory of operation. */
#include "proxy/pair.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Until a back-end whose queue is full is tried again. */
#define PAIR_RETRY_NS  10000000u
/* Until accepting is tried again after descriptors ran out. */
#define PAIR_RESUME_NS 100000000u
/* Until it is said again that they have. */
#define PAIR_QUIET_NS  10000000000u

/* Somebody who came and whose other side is not there yet. */
struct vhu_pair_guest {
	struct vhu_watch watch; /* tells when it goes away */
	struct vhu_timer retry; /* set while the other side is to be connected to */
	struct vhu_pair *pair;
	enum vhu_side side;
	struct vhu_pair_guest *next;
};

/* Let go of @guest, whose socket is closed or has become a session's. */
static void pair_guest_free(struct vhu_pair_guest *guest)
{
	struct vhu_pair_guest **at = &guest->pair->guests;

	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	vhu_loop_unset(&guest->retry);
	free(guest);
}

/* Return whether @guest has gone away: that may be known before its watch tells. */
static bool pair_guest_left(const struct vhu_pair_guest *guest)
{
	struct pollfd ask = {.fd = guest->watch.fd};

	return poll(&ask, 1, 0) == 1;
}

/* Stop listening for more. */
static void pair_stop_listening(struct vhu_pair *pair)
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++)
		vhu_loop_unwatch(&pair->proxy->loop, &pair->listener[side].watch);
	vhu_loop_unset(&pair->resume);
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
	if (pair->once)
		pair_stop_listening(pair);
	if (reason && !pair->once)
		vhu_proxy_say(pair->proxy, "session %" PRIu64 ": %s", pair->proxy->sessions + 1,
			      reason);
	if (vhu_proxy_session_start(pair, socket, path, reason)) {
		vhu_proxy_say(pair->proxy, "no memory for a session: its peers were disconnected");
		vhu_pair_session_ended(pair);
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
	uint64_t now = vhu_loop_now();
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
 * Find a peer for one that is there on @side.
 * Returns its socket; -EAGAIN where there is none now; -errno with a line in @error.
 */
static int pair_other(struct vhu_pair *pair, enum vhu_side side, char error[VHU_ENDPOINT_ERROR])
{
	struct vhu_endpoint *end = &pair->end[!side];
	struct vhu_pair_guest *guest = pair->guests;
	int fd;

	switch (end->kind) {
	case VHU_ENDPOINT_CONNECT:
		fd = vhu_endpoint_connect(end, error);
		if (!pair_no_room(fd))
			return fd;
		pair_exhausted(pair, fd);
		return -EAGAIN;
	case VHU_ENDPOINT_FD:
		fd = end->fd;
		end->fd = -1;
		return fd;
	default:
		while (guest && (guest->side == side || pair_guest_left(guest)))
			guest = guest->next;
		if (!guest)
			return -EAGAIN;
		fd = guest->watch.fd;
		vhu_loop_unwatch(&pair->proxy->loop, &guest->watch);
		pair_guest_free(guest);
		return fd;
	}
}

/*
 * Join @fd, which is there on @side, to a peer.
 * Returns whether that is done, with or without success; else there is no peer yet.
 */
static bool pair_join(struct vhu_pair *pair, enum vhu_side side, int fd)
{
	char error[VHU_ENDPOINT_ERROR];
	int other = pair_other(pair, side, error);
	int socket[2];

	if (other == -EAGAIN)
		return false;
	socket[side] = fd;
	socket[!side] = other < 0 ? -1 : other;
	pair_begin(pair, socket, other < 0 ? error : NULL);
	return true;
}

/* A guest has gone away while it waited. */
static void guest_ready(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_pair_guest *guest = (struct vhu_pair_guest *)watch;

	(void)events;
	vhu_loop_unwatch(&guest->pair->proxy->loop, watch);
	close(watch->fd);
	pair_guest_free(guest);
}

/* Try again to connect for a guest. */
static void guest_retry(struct vhu_timer *timer)
{
	struct vhu_pair_guest *guest =
	    (struct vhu_pair_guest *)((char *)timer - offsetof(struct vhu_pair_guest, retry));
	struct vhu_pair *pair = guest->pair;

	/* Not watched while it is joined: it may be a session's socket when this returns. */
	vhu_loop_unwatch(&pair->proxy->loop, &guest->watch);
	if (pair_join(pair, guest->side, guest->watch.fd)) {
		pair_guest_free(guest);
		return;
	}
	vhu_loop_watch(&pair->proxy->loop, &guest->watch, 0);
	vhu_loop_set(&pair->proxy->loop, timer, PAIR_RETRY_NS);
}

/* Let @fd wait for a peer. */
static void pair_wait(struct vhu_pair *pair, enum vhu_side side, int fd)
{
	struct vhu_pair_guest *guest = calloc(1, sizeof(*guest)), **last = &pair->guests;

	if (!guest) {
		vhu_proxy_say(pair->proxy, "no memory for a %s: disconnected", vhu_side_name(side));
		close(fd);
		return;
	}
	guest->watch.ready = guest_ready;
	guest->watch.fd = fd;
	guest->retry.fire = guest_retry;
	guest->pair = pair;
	guest->side = side;
	while (*last)
		last = &(*last)->next;
	*last = guest;
	vhu_loop_watch(&pair->proxy->loop, &guest->watch, 0);
	if (pair->end[!side].kind == VHU_ENDPOINT_CONNECT)
		vhu_loop_set(&pair->proxy->loop, &guest->retry, PAIR_RETRY_NS);
}

/* Begin to accept. Returns 0 or -errno. */
static int pair_listen(struct vhu_pair *pair)
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		int error;

		if (pair->end[side].kind != VHU_ENDPOINT_LISTEN)
			continue;
		error = vhu_loop_watch(&pair->proxy->loop, &pair->listener[side].watch, EPOLLIN);
		if (error)
			return error;
	}
	return 0;
}

/* The moment after running out of descriptors has passed. */
static void pair_resume(struct vhu_timer *timer)
{
	pair_listen((struct vhu_pair *)((char *)timer - offsetof(struct vhu_pair, resume)));
}

/* Somebody came. */
static void pair_accept(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_pair *pair = ((struct vhu_pair_listener *)watch)->pair;
	enum vhu_side side = watch == &pair->listener[VHU_FRONT].watch ? VHU_FRONT : VHU_BACK;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC), error;

	(void)events;
	if (fd >= 0) {
		if (!pair_join(pair, side, fd))
			pair_wait(pair, side, fd);
		return;
	}
	error = -errno;
	if (pair_no_room(error)) {
		pair_exhausted(pair, error);
	} else if (error != -EAGAIN && error != -EINTR && error != -ECONNABORTED) {
		vhu_proxy_say(pair->proxy, "%s: listens no more: %s", pair->end[side].path,
			      strerror(-error));
		vhu_loop_unwatch(&pair->proxy->loop, watch);
	}
}

/* Check that one side does not connect to where the other listens: each session would begin one
 * more. Returns 0; -ELOOP with a line in @error. */
static int pair_loops(const struct vhu_pair *pair, char error[VHU_ENDPOINT_ERROR])
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		const struct vhu_endpoint *end = &pair->end[side], *other = &pair->end[!side];
		struct stat st;

		if (!end->made || other->kind != VHU_ENDPOINT_CONNECT || stat(other->path, &st) ||
		    st.st_dev != end->device || st.st_ino != end->inode)
			continue;
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: FRONT and BACK are the same socket",
			 other->path);
		return -ELOOP;
	}
	return 0;
}

int vhu_pair_open(struct vhu_pair *pair, struct vhu_proxy *proxy, char error[VHU_ENDPOINT_ERROR])
{
	bool listens = false;
	int code;

	pair->proxy = proxy;
	pair->resume.fire = pair_resume;
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		code = vhu_endpoint_open(&pair->end[side], error);
		if (code) {
			if (side == VHU_BACK)
				vhu_endpoint_close(&pair->end[VHU_FRONT]);
			return code;
		}
		pair->listener[side].pair = pair;
		pair->listener[side].watch.ready = pair_accept;
		pair->listener[side].watch.fd = pair->end[side].fd;
		if (pair->end[side].kind == VHU_ENDPOINT_LISTEN)
			listens = true;
		if (pair->end[side].kind == VHU_ENDPOINT_FD)
			pair->once = true;
	}
	code = pair_loops(pair, error);
	if (code) {
		vhu_endpoint_close(&pair->end[VHU_FRONT]);
		vhu_endpoint_close(&pair->end[VHU_BACK]);
		return code;
	}
	if (!listens)
		pair->once = true;
	proxy->pairs++;
	return 0;
}

/* Return the one peer of a side that does not listen; -errno with a line in @error. */
static int pair_first(struct vhu_pair *pair, enum vhu_side side, char error[VHU_ENDPOINT_ERROR])
{
	struct vhu_endpoint *end = &pair->end[side];
	int fd = end->fd;

	if (end->kind == VHU_ENDPOINT_CONNECT) {
		fd = vhu_endpoint_connect(end, error);
		if (fd == -EAGAIN)
			snprintf(error, VHU_ENDPOINT_ERROR, "%s: too many others wait there",
				 end->path);
	}
	end->fd = -1;
	return fd;
}

int vhu_pair_start(struct vhu_pair *pair, char error[VHU_ENDPOINT_ERROR])
{
	int socket[2];

	if (pair->end[VHU_FRONT].kind == VHU_ENDPOINT_LISTEN ||
	    pair->end[VHU_BACK].kind == VHU_ENDPOINT_LISTEN) {
		int code = pair_listen(pair);

		if (code)
			snprintf(error, VHU_ENDPOINT_ERROR, "%s: cannot wait for it: %s",
				 pair->end[VHU_FRONT].path, strerror(-code));
		return code;
	}
	socket[VHU_FRONT] = pair_first(pair, VHU_FRONT, error);
	if (socket[VHU_FRONT] < 0)
		return socket[VHU_FRONT];
	socket[VHU_BACK] = pair_first(pair, VHU_BACK, error);
	pair_begin(pair, socket, socket[VHU_BACK] < 0 ? error : NULL);
	return socket[VHU_BACK] < 0 ? socket[VHU_BACK] : 0;
}

void vhu_pair_session_ended(struct vhu_pair *pair)
{
	if (!pair->once || !pair->begun || pair->sessions || pair->done)
		return;
	pair->done = true;
	if (!--pair->proxy->pairs)
		pair->proxy->loop.stop = true;
}

void vhu_pair_close(struct vhu_pair *pair, const char *reason)
{
	struct vhu_proxy_session *session = pair->sessions, *next;

	pair_stop_listening(pair);
	for (; session; session = next) {
		next = session->next;
		vhu_proxy_session_end(session, reason);
	}
	while (pair->guests)
		guest_ready(&pair->guests->watch, 0);
	vhu_endpoint_close(&pair->end[VHU_FRONT]);
	vhu_endpoint_close(&pair->end[VHU_BACK]);
}
