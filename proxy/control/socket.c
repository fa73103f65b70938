/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: who is served; socket.h has its theory of operation. */
#include "proxy/control/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/control/request.h"

/* Until accepting is tried again after descriptors or memory ran out. */
#define CONTROL_RESUME_NS 100000000u

/* What is said to those who are not served. */
#define CONTROL_FULL  "{\"ok\":false,\"error\":\"too many clients\"}\n"
#define CONTROL_ALIEN "{\"ok\":false,\"error\":\"only the proxy's own user and root are served\"}\n"
#define CONTROL_LONG  "{\"ok\":false,\"error\":\"a line is too long\"}\n"

const char *vhu_control_path(char path[VHU_CONTROL_PATH_MAX])
{
	const char *said = getenv(VHU_CONTROL_VARIABLE), *folder = getenv("XDG_RUNTIME_DIR");

	if (said && *said)
		snprintf(path, VHU_CONTROL_PATH_MAX, "%s", said);
	else
		snprintf(path, VHU_CONTROL_PATH_MAX, "%s/vhu.sock",
			 folder && *folder ? folder : "/run");
	return path;
}

/* A line came. */
static void control_line(struct vhu_client *client, const char *line, size_t size)
{
	vhu_request_line(client->context, line, size);
}

/* A line came that is too long to be taken. */
static void control_too_long(struct vhu_client *client)
{
	vhu_client_send(client, CONTROL_LONG, strlen(CONTROL_LONG));
}

/* A client takes more of an answer. */
static void control_drained(struct vhu_client *client)
{
	vhu_request_go_on(client->context);
}

/* Forget a client, which has gone or is to. */
static void control_forget(struct vhu_control_client *from)
{
	struct vhu_control *control = from->control;

	vhu_follow_free(from);
	vhu_request_free(from->request);
	*from->link = from->next;
	if (from->next)
		from->next->link = from->link;
	free(from);
	control->count--;
}

/* A client has gone. */
static void control_gone(struct vhu_client *client)
{
	control_forget(client->context);
}

static const struct vhu_client_owner owner = {
    .line = control_line,
    .too_long = control_too_long,
    .drained = control_drained,
    .gone = control_gone,
};

/* Return whether who is at the other end of @fd is to be served. */
static bool control_serves(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

/* Say why one that came is not served, and close it. */
static void control_refuse(int fd, const char *line)
{
	if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		/* It has gone already. */
	}
	close(fd);
}

/* Serve one that came. */
static void control_admit(struct vhu_control *control, int fd)
{
	struct vhu_control_client *from = calloc(1, sizeof(*from));

	if (from)
		from->client = vhu_client_new(&control->proxy->loop, fd, &owner, from);
	if (!from || !from->client) {
		free(from);
		close(fd);
		return;
	}
	from->control = control;
	from->next = control->clients;
	from->link = &control->clients;
	if (from->next)
		from->next->link = &from->next;
	control->clients = from;
	control->count++;
}

/* Somebody came. */
static void control_accept(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_control *control = vhu_container_of(watch, struct vhu_control, watch);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		vhu_loop_unwatch(&control->proxy->loop, watch);
		vhu_loop_set(&control->proxy->loop, &control->resume, CONTROL_RESUME_NS);
	} else if (!control_serves(fd)) {
		control_refuse(fd, CONTROL_ALIEN);
	} else if (control->count == VHU_CONTROL_CLIENTS) {
		control_refuse(fd, CONTROL_FULL);
	} else {
		control_admit(control, fd);
	}
}

/* The moment after accepting failed has passed. */
static void control_resume(struct vhu_timer *timer)
{
	struct vhu_control *control = vhu_container_of(timer, struct vhu_control, resume);

	vhu_loop_watch(&control->proxy->loop, &control->watch, EPOLLIN);
}

/* Make the socket, or check the one that was inherited. Returns as vhu_control_open does. */
static int control_listen(struct vhu_control *control, const char *path, char *error)
{
	const struct vhu_socket_perms rights = {.has_mode = true, .mode_asked = true, .mode = 0600};
	int code;

	path = strcmp(path, "-") ? path : vhu_control_path(control->path);
	code = vhu_endpoint_parse(&control->end, path, VHU_ENDPOINT_LISTEN, error);
	if (!code)
		code = vhu_endpoint_open(&control->end, &rights, error);
	if (code)
		return code;
	if (control->end.kind != VHU_ENDPOINT_LISTEN) {
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: the control socket must listen", path);
		vhu_endpoint_close(&control->end);
		return -EINVAL;
	}
	control->watch.ready = control_accept;
	control->watch.fd = control->end.fd;
	control->resume.fire = control_resume;
	code = vhu_loop_watch(&control->proxy->loop, &control->watch, EPOLLIN);
	if (code) {
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: cannot wait for it: %s", path,
			 strerror(-code));
		vhu_endpoint_close(&control->end);
	}
	return code;
}

int vhu_control_open(struct vhu_control **to, struct vhu_proxy *proxy,
		     const struct vhu_control_owner *of, const char *path,
		     char error[VHU_ENDPOINT_ERROR])
{
	struct vhu_control *control = calloc(1, sizeof(*control));
	int code;

	if (!control) {
		snprintf(error, VHU_ENDPOINT_ERROR, "out of memory");
		return -ENOMEM;
	}
	control->proxy = proxy;
	control->owner = *of;
	code = control_listen(control, path, error);
	if (code)
		free(control);
	else
		*to = control;
	return code;
}

const char *vhu_control_made(const struct vhu_control *control)
{
	return control->end.made ? control->end.path : NULL;
}

void vhu_control_take(void *context, const struct vhu_record *record)
{
	struct vhu_control *control = context;

	control->records++;
	if (control->followers)
		vhu_follow_record(control, record);
}

void vhu_control_close(struct vhu_control *control)
{
	if (!control)
		return;
	while (control->clients) {
		struct vhu_control_client *from = control->clients;
		struct vhu_client *client = from->client;

		vhu_follow_tell_end(from, "the proxy was stopped");
		control_forget(from);
		vhu_client_free(client);
	}
	vhu_loop_unwatch(&control->proxy->loop, &control->watch);
	vhu_loop_unset(&control->resume);
	vhu_endpoint_close(&control->end);
	free(control);
}
