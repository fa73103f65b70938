/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A helper that makes listening sockets while the proxy serves.
 *
 * To give a socket's file its owner and its labels takes system calls that change any file. The
 * proxy's sandbox does not have them. So a helper is split off before the sandbox is entered, with
 * a sandbox of its own: it makes sockets in the folders that were named, gives the files that it
 * has made their owner, and hands the sockets back. It does nothing else, and ends with the proxy.
 */
#ifndef VHU_PROXY_ENDPOINT_SOCKET_MAKER_H
#define VHU_PROXY_ENDPOINT_SOCKET_MAKER_H

#include "proxy/endpoint/endpoint.h"
#include "proxy/sandbox/sandbox.h"

struct vhu_socket_maker {
	int socket; /* to the helper */
};

/*
 * Start the helper.
 * @sandbox: started, with the folders for sockets; the helper takes it over.
 * @prepare: is called in the helper first, to give back what the proxy changed for itself.
 * Returns 0 or -errno; after 0 it is ended by vhu_socket_maker_end.
 */
int vhu_socket_maker_start(struct vhu_socket_maker *maker, struct vhu_sandbox *sandbox,
			   void (*prepare)(void));

/*
 * Have @endpoint, a VHU_ENDPOINT_LISTEN, listen, as vhu_endpoint_open does.
 * @perms: what was asked for. @of: the path whose socket it stands in for; NULL: none.
 * Returns as vhu_endpoint_open does.
 */
int vhu_socket_maker_open(const struct vhu_socket_maker *maker, struct vhu_endpoint *endpoint,
			  const struct vhu_socket_perms *perms, const char *of,
			  char error[VHU_ENDPOINT_ERROR]);

/* Let the helper end. */
void vhu_socket_maker_end(struct vhu_socket_maker *maker);

#endif
