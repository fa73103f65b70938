/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: whoever runs the proxy asks it there what it is doing, watches what passes,
 * and tells it what to do. docs/control.md has the language: a JSON object a line, each way.
 *
 * Theory of operation
 *
 * A client's line becomes a question (proxy/control/request.h), which a row of the table of verbs
 * answers. Clients are served by the loop like sessions are, a little at a time, and nothing ever
 * waits for one (proxy/control/client.h): what passes is passed on at the same moment whether or
 * not anybody watches it. An answer that takes long is made over several turns of the loop.
 *
 * Only the user that the proxy runs as, and root, are served; the socket's mode says the same.
 *
 * Ownership: a control socket owns its file, which it removes if it still is the one that it made,
 * and its clients.
 */
#ifndef VHU_PROXY_CONTROL_SOCKET_H
#define VHU_PROXY_CONTROL_SOCKET_H

#include "proxy/control/exposition/exposition.h"
#include "proxy/endpoint/endpoint.h"
#include "proxy/proxy.h"

/* Clients served at a time. */
#define VHU_CONTROL_CLIENTS  32
/* Room for the default path of the socket. */
#define VHU_CONTROL_PATH_MAX 4096
/* The environment's variable that says another. */
#define VHU_CONTROL_VARIABLE "VHU_CONTROL"

struct vhu_control;

/* Whose proxy it is, for what is done beside it. */
struct vhu_control_owner {
	void *context;
	/* Write out what there is of a capture. @line: gets what is to be said, in @size bytes.
	 * Returns 0 or -errno. */
	int (*write_out)(void *context, char *line, size_t size);
	/* Tell what is recorded. */
	void (*count)(void *context, struct vhu_exposition_capture *counts);
};

/* Write the default path of the socket: $VHU_CONTROL, or vhu.sock in
 * $XDG_RUNTIME_DIR or else in /run. Returns @path. */
const char *vhu_control_path(char path[VHU_CONTROL_PATH_MAX]);

/*
 * Make the socket of @proxy, and serve its clients.
 * @owner: is copied.
 * @path: written as an endpoint, mostly a path alone; "-" for the default place; must outlive
 * it.
 * @control: gets it; to be ended by vhu_control_close.
 * Returns 0; -errno with a line in @error.
 */
int vhu_control_open(struct vhu_control **control, struct vhu_proxy *proxy,
		     const struct vhu_control_owner *owner, const char *path,
		     char error[VHU_ENDPOINT_ERROR]);

/* Return the path of the socket file that was made; NULL where none was. */
const char *vhu_control_made(const struct vhu_control *control);

/* For the proxy's sinks: a record was made. @context: the control socket. */
void vhu_control_take(void *context, const struct vhu_record *record);

/* Tell those who watch that it is over, send what clients take at once, and free @control (NULL is
 * ignored). */
void vhu_control_close(struct vhu_control *control);

#endif
