/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a pair begins, changes and ends; pair.h has its theory of operation. */
#ifndef VHU_PROXY_SESSION_PAIR_LIFE_H
#define VHU_PROXY_SESSION_PAIR_LIFE_H

#include "proxy/session/pair.h"

/*
 * Open both endpoints: listen where they do.
 * @pair: with what is asked for, both endpoints parsed, else zero.
 * Returns 0; -errno with a line in @error, and nothing is open.
 */
int vhu_pair_open(struct vhu_pair *pair, struct vhu_proxy *proxy, char error[VHU_ENDPOINT_ERROR]);

/*
 * Begin to serve between endpoints that were opened already. Of a pair that serves, or was retired,
 * the endpoints are replaced: sessions go on, and so do those who wait at an endpoint that is
 * still the same.
 * @pair: zero but for what is asked for, or one that is open. @end: opened, by side; the pair's
 * from now on.
 * Returns as vhu_pair_start does.
 */
int vhu_pair_serve(struct vhu_pair *pair, struct vhu_proxy *proxy, const struct vhu_endpoint end[2],
		   char error[VHU_ENDPOINT_ERROR]);

/* What was asked for has changed, but not the endpoints: go by it from now on. */
void vhu_pair_renew(struct vhu_pair *pair);

/* Give away the listening socket at @side, for another pair or for vhu_pair_serve. */
struct vhu_endpoint vhu_pair_yield(struct vhu_pair *pair, enum vhu_side side);

/* Serve no more: accept no peer, disconnect waiting peers, the endpoints are closed. Sessions
 * go on until they end by themselves; then `gone` is called. */
void vhu_pair_retire(struct vhu_pair *pair);

/* End all sessions for @reason, and close the endpoints. One that is closed is left alone. */
void vhu_pair_close(struct vhu_pair *pair, const char *reason);

#endif
