/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two endpoints of a pair, as they are opened. */
#ifndef VHU_PROXY_SESSION_PAIR_ENDS_H
#define VHU_PROXY_SESSION_PAIR_ENDS_H

#include "proxy/endpoint/endpoint.h"
#include "proxy/endpoint/socket_maker.h"
#include "proxy/endpoint/socket_perms.h"
#include "proxy/proxy.h"

/*
 * Open both endpoints, by side: listen where they do. One that listens already is left alone.
 * @perms: of a socket that is made; what is not asked for is as at the socket that the other side
 * connects to.
 * @maker: makes the sockets; NULL: this process does.
 * @say: gets a line, with @context, on what could not be given to a socket.
 * Returns 0; -errno with a line in @error, and nothing is open that was not before.
 */
int vhu_pair_ends_open(struct vhu_endpoint end[2], struct vhu_socket_perms *perms,
		       const struct vhu_socket_maker *maker,
		       void (*say)(void *context, const char *line), void *context,
		       char error[VHU_ENDPOINT_ERROR]);

#endif
