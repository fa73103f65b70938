/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of pair.c the file about its life needs, too. */
#ifndef VHU_PROXY_SESSION_PAIR_INTERNAL_H
#define VHU_PROXY_SESSION_PAIR_INTERNAL_H

#include "proxy/session/pair.h"

/* Say a line about the pair @context. */
void vhu_pair_say_line(void *context, const char *line);

/* Make ready what a pair has whatever its endpoints are. */
void vhu_pair_prepare(struct vhu_pair *pair, struct vhu_proxy *proxy);

/* Serve no more. */
void vhu_pair_done(struct vhu_pair *pair);

/* Record the sessions that could not begin and were only counted so far, as one. */
void vhu_pair_record_failures(struct vhu_pair *pair);

/* Take the pair, whose endpoints are closed, out of the proxy's, and free what it counted. */
void vhu_pair_leave(struct vhu_pair *pair);

#endif
