/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a pair begins, changes and ends. */
#include "proxy/session/pair_life.h"

#include <string.h>
#include <unistd.h>

#include "proxy/session/pair_ends.h"
#include "proxy/session/pair_internal.h"

/* Serve by the endpoints that are open now. */
static void pair_take_ends(struct vhu_pair *pair)
{
	int listen = 0;

	pair->once = pair->done = false;
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		pair->listener[side].watch.fd = pair->end[side].fd;
		listen += pair->end[side].kind == VHU_ENDPOINT_LISTEN;
		if (pair->end[side].kind == VHU_ENDPOINT_FD)
			pair->once = true;
	}
	pair->calls = !listen && !pair->once;
	if (pair->calls && !pair->patience_ns)
		pair->once = true;
	pair->proxy->pairs++;
}

/* Join the pairs of the proxy, as the last. */
static void pair_enter(struct vhu_pair *pair)
{
	pair->link = &pair->proxy->pair;
	while (*pair->link)
		pair->link = &(*pair->link)->next;
	*pair->link = pair;
}

int vhu_pair_open(struct vhu_pair *pair, struct vhu_proxy *proxy, char error[VHU_ENDPOINT_ERROR])
{
	int code;

	vhu_pair_prepare(pair, proxy);
	code = vhu_pair_ends_open(pair->end, &pair->rights, NULL, vhu_pair_say_line, pair, error);
	if (code)
		return code;
	pair_take_ends(pair);
	pair_enter(pair);
	return 0;
}

/* Disconnect those who wait at @side. */
static void pair_dismiss(struct vhu_pair *pair, enum vhu_side side)
{
	struct vhu_waiting_peer *waiter = pair->waiting.first, *next;

	for (; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->side == side)
			close(vhu_waiting_peer_take(waiter));
	}
}

/* Close the endpoints, and disconnect those who wait there. */
static void pair_close_ends(struct vhu_pair *pair)
{
	for (enum vhu_side side = VHU_FRONT; side <= VHU_BACK; side++) {
		pair_dismiss(pair, side);
		vhu_endpoint_close(&pair->end[side]);
	}
}

struct vhu_endpoint vhu_pair_yield(struct vhu_pair *pair, enum vhu_side side)
{
	struct vhu_endpoint *end = &pair->end[side], given = *end;

	vhu_loop_unwatch(&pair->proxy->loop, &pair->listener[side].watch);
	end->fd = end->folder = -1;
	end->made = false;
	return given;
}

int vhu_pair_serve(struct vhu_pair *pair, struct vhu_proxy *proxy, const struct vhu_endpoint end[2],
		   char error[VHU_ENDPOINT_ERROR])
{
	const bool is_new = !pair->proxy;

	/* So that the proxy does not stop meanwhile. */
	proxy->pairs++;
	if (is_new) {
		vhu_pair_prepare(pair, proxy);
		pair_enter(pair);
	} else {
		vhu_pair_done(pair);
		vhu_pair_record_failures(pair);
		vhu_failures_end(&pair->failures);
		proxy->retired -= pair->retired;
		pair->retired = pair->crowded = pair->missed = pair->failed = false;
	}
	for (enum vhu_side side = VHU_FRONT; !is_new && side <= VHU_BACK; side++) {
		if (pair->end[side].kind == end[side].kind &&
		    !strcmp(pair->end[side].path, end[side].path))
			continue;
		pair_dismiss(pair, side);
		vhu_endpoint_close(&pair->end[side]);
	}
	memcpy(pair->end, end, sizeof(pair->end));
	pair_take_ends(pair);
	proxy->pairs--;
	return vhu_pair_start(pair, error);
}

void vhu_pair_renew(struct vhu_pair *pair)
{
	if (!pair->done && !pair->resume.link)
		vhu_loop_set(&pair->proxy->loop, &pair->again, 0);
}

void vhu_pair_retire(struct vhu_pair *pair)
{
	if (pair->retired)
		return;
	pair->proxy->retired++;
	pair->retired = true;
	vhu_pair_done(pair);
	vhu_pair_record_failures(pair);
	pair_close_ends(pair);
	if (!pair->sessions.first)
		vhu_loop_set(&pair->proxy->loop, &pair->again, 0);
}

void vhu_pair_close(struct vhu_pair *pair, const char *reason)
{
	struct vhu_proxy_session *session = pair->sessions.first, *next;

	if (!pair->link)
		return;
	vhu_pair_done(pair);
	vhu_pair_record_failures(pair);
	for (; session; session = next) {
		next = session->next;
		vhu_proxy_session_end(session, reason);
	}
	pair_close_ends(pair);
	vhu_pair_leave(pair);
}
