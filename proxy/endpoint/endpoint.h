/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An endpoint: where one side of the proxy finds its peers. As people write it: "listen:PATH",
 * "connect:PATH", "fd:N" (a socket that was inherited, connected or listening), "fd:NAME" and
 * "activation" (one that a service manager has passed on), or a path alone.
 *
 * Ownership: an endpoint owns its listening or inherited socket, and the file of a socket that it
 * made; it removes that file only while it still is the one that it made.
 */
#ifndef VHU_PROXY_ENDPOINT_ENDPOINT_H
#define VHU_PROXY_ENDPOINT_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "proxy/endpoint/socket_perms.h"

/* Room for a line that says what is wrong with an endpoint. */
#define VHU_ENDPOINT_ERROR 512

/* Connections that wait to be accepted; the kernel cuts it to its own limit. */
#define VHU_ENDPOINT_BACKLOG 4096

enum vhu_endpoint_kind {
	VHU_ENDPOINT_LISTEN,  /* peers come, any number of them */
	VHU_ENDPOINT_CONNECT, /* the proxy connects when it needs a peer */
	VHU_ENDPOINT_FD,      /* one is there; opened, a listening socket is VHU_ENDPOINT_LISTEN */
};

struct vhu_endpoint {
	enum vhu_endpoint_kind kind;
	/* In the text that it was parsed from, "fd:N" whole; once opened, of a socket that was
	 * inherited and listens its own. */
	const char *path;
	char address[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd;       /* -1 without, or when its peer was taken */
	int folder;   /* where it made its file, -1 without */
	bool made;    /* the file is ours */
	dev_t device; /* of it */
	ino_t inode;
};

/* Return whether @text names a socket that is inherited: "fd:N", "fd:NAME", "activation". */
bool vhu_endpoint_is_inherited(const char *text);

/*
 * Understand how an endpoint is written.
 * @text: must outlive the endpoint. @bare: what a path alone means.
 * @error: gets a line on what is wrong.
 * Returns 0; -EINVAL; -EBADF where fd:N is not open; as vhu_systemd_find where none was passed on.
 */
int vhu_endpoint_parse(struct vhu_endpoint *endpoint, const char *text, enum vhu_endpoint_kind bare,
		       char error[VHU_ENDPOINT_ERROR]);

/*
 * Make it listen, or check the inherited socket. A stale socket file is replaced; nothing else is.
 * @rights: what a file that is made is given before anybody can connect; NULL leaves it to the
 * umask. Returns 0, with a line in @error on what could not be given, else ""; or -errno with a
 * line in
 * @error. After 0 it is ended by vhu_endpoint_close.
 */
int vhu_endpoint_open(struct vhu_endpoint *endpoint, const struct vhu_socket_perms *perms,
		      char error[VHU_ENDPOINT_ERROR]);

/*
 * Go to a peer of a VHU_ENDPOINT_CONNECT.
 * Returns a socket; -EAGAIN where there are too many before us; -errno with a line in @error.
 */
int vhu_endpoint_connect(const struct vhu_endpoint *endpoint, char error[VHU_ENDPOINT_ERROR]);

/* Stop listening, or let go of the inherited socket, and remove what it made. */
void vhu_endpoint_close(struct vhu_endpoint *endpoint);

#endif
