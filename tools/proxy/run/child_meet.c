/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the COMMAND of vhu proxy is met: what is made for that, and filled into its arguments. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/proxy/run/child.h"
#include "tools/proxy/run/run.h"

/* The longest name in our folder. */
#define CHILD_NAME "front.sock"

/* What may be filled in. */
enum place { PLACE_PATH, PLACE_FD, PLACE_LISTEN_FD, PLACES };
static const char *const place_name[PLACES] = {"{}", "{fd}", "{listen-fd}"};

/* Return the first place in @text, and in *@place which it is; NULL for none. */
static const char *find_place(const char *text, enum place *place)
{
	const char *first = NULL;

	for (int i = 0; i < PLACES; i++) {
		const char *found = strstr(text, place_name[i]);

		if (found && (!first || found < first)) {
			first = found;
			*place = (enum place)i;
		}
	}
	return first;
}

/*
 * Return @text with all places filled in with @value, which the run's request owns; NULL out of
 * memory.
 */
static char *fill_text(struct vhu_proxy_run *run, const char *text, const char *value)
{
	size_t size = strlen(text) + 1;
	const char *from = text, *found;
	enum place place;
	char *filled, *to;

	for (found = text; (found = find_place(found, &place)); found += strlen(place_name[place]))
		size += strlen(value);
	to = filled = vhu_proxy_request_keep(run->request, size);
	if (!filled)
		return NULL;
	while ((found = find_place(from, &place))) {
		to = mempcpy(to, from, (size_t)(found - from));
		to = stpcpy(to, value);
		from = found + strlen(place_name[place]);
	}
	stpcpy(to, from);
	return filled;
}

/* Fill @value into all arguments of COMMAND. Returns as vhu_proxy_child_prepare does. */
static int fill_arguments(struct vhu_proxy_run *run, const char *value)
{
	char **from = run->request->child, **to;
	size_t count = 0;

	while (from[count])
		count++;
	to = (char **)(void *)vhu_proxy_request_keep(run->request, (count + 1) * sizeof(*to));
	if (!to)
		return vhu_fail(run->command, "out of memory");
	for (size_t i = 0; i < count; i++) {
		to[i] = fill_text(run, from[i], value);
		if (!to[i])
			return vhu_fail(run->command, "out of memory");
	}
	run->child.child.argv = to;
	return VHU_EXIT_DONE;
}

/* Find out which place COMMAND's arguments have. Returns VHU_EXIT_DONE, *@place being PLACES where
 * they have none; VHU_EXIT_USAGE where they have different ones. */
static int which_place(const struct vhu_proxy_run *run, enum place *place)
{
	enum place found;

	*place = PLACES;
	for (char **word = run->request->child; *word; word++) {
		for (const char *at = *word; (at = find_place(at, &found));
		     at += strlen(place_name[found])) {
			if (*place != PLACES && *place != found)
				return vhu_usage(run->command,
						 "%s and %s: COMMAND is met in one way",
						 place_name[*place], place_name[found]);
			*place = found;
		}
	}
	return VHU_EXIT_DONE;
}

/* Make a folder of our own in @parent, if a socket in it has a path that is short enough. Returns 0
 * or -errno. */
static int make_folder_in(struct vhu_proxy_run *run, const char *parent)
{
	struct vhu_proxy_child *child = &run->child;
	size_t size;

	if (!parent || *parent != '/')
		return -ENOENT;
	size = strlen(parent) + sizeof("/vhu-XXXXXX");
	if (size + sizeof("/" CHILD_NAME) - 1 > sizeof(((struct sockaddr_un *)0)->sun_path))
		return -ENAMETOOLONG;
	child->folder = malloc(size);
	if (!child->folder)
		return -ENOMEM;
	snprintf(child->folder, size, "%s/vhu-XXXXXX", parent);
	if (mkdtemp(child->folder)) {
		child->folder_fd = open(child->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child->folder_fd >= 0)
			return 0;
		rmdir(child->folder);
	}
	free(child->folder);
	child->folder = NULL;
	return -errno;
}

/*
 * Return the path of a socket in a folder of our own, for COMMAND's side; the request owns it. NULL
 * with why said.
 */
static char *own_path(struct vhu_proxy_run *run)
{
	const char *name = run->child.side == VHU_FRONT ? CHILD_NAME : "back.sock";
	size_t size;
	char *path;

	if (make_folder_in(run, getenv("XDG_RUNTIME_DIR")) &&
	    make_folder_in(run, getenv("TMPDIR")) && make_folder_in(run, "/tmp")) {
		vhu_fail(run->command, "no folder for a socket can be made in /tmp: %s",
			 strerror(errno));
		return NULL;
	}
	size = strlen(run->child.folder) + 1 + strlen(name) + 1;
	path = vhu_proxy_request_keep(run->request, size);
	if (path)
		snprintf(path, size, "%s/%s", run->child.folder, name);
	else
		vhu_fail(run->command, "out of memory");
	return path;
}

/* Let the proxy meet COMMAND at the endpoint that is @kind ("connect:") and @path. Returns as
 * vhu_proxy_child_prepare does. */
static int meet_at(struct vhu_proxy_run *run, const char *kind, const char *path)
{
	size_t size = strlen(kind) + strlen(path) + 1;
	char *text = vhu_proxy_request_keep(run->request, size);

	if (!text)
		return vhu_fail(run->command, "out of memory");
	snprintf(text, size, "%s%s", kind, path);
	run->request->pair[0].end[run->child.side] = text;
	return VHU_EXIT_DONE;
}

/* Let COMMAND inherit @fd. Returns as vhu_proxy_child_prepare does. */
static int pass(struct vhu_proxy_run *run, int fd)
{
	char number[16];

	run->child.child.pass = fd;
	snprintf(number, sizeof(number), "%d", fd);
	return fill_arguments(run, number);
}

/* Let COMMAND be met at one end of a socket pair. Returns as vhu_proxy_child_prepare does. */
static int prepare_connected(struct vhu_proxy_run *run)
{
	char number[16];
	int end[2], status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end))
		return vhu_fail(run->command, "no socket pair: %s", strerror(errno));
	snprintf(number, sizeof(number), "%d", end[0]);
	status = meet_at(run, "fd:", number);
	return status == VHU_EXIT_DONE ? pass(run, end[1]) : status;
}

/* Let COMMAND be met where it listens by a descriptor of ours. Returns as vhu_proxy_child_prepare
 * does. */
static int prepare_listening(struct vhu_proxy_run *run)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = own_path(run);
	int fd, status;

	if (!path)
		return VHU_EXIT_FAILED;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, SOMAXCONN)) {
		status = vhu_fail(run->command, "%s: cannot listen: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return status;
	}
	status = meet_at(run, "connect:", path);
	return status == VHU_EXIT_DONE ? pass(run, fd) : status;
}

/*
 * Let COMMAND be met at the path of a socket.
 * @text: the endpoint that was asked for, NULL where it was left out.
 * Returns as vhu_proxy_child_prepare does.
 */
static int prepare_path(struct vhu_proxy_run *run, const char *text)
{
	const char *kind = run->child.side == VHU_FRONT ? "listen:" : "connect:";
	const char *colon = text ? strchr(text, ':') : NULL;
	const char *path = text;
	int status;

	if (colon && (!strncmp(text, "listen:", 7) || !strncmp(text, "connect:", 8))) {
		kind = *text == 'l' ? "listen:" : "connect:";
		path = colon + 1;
	} else if (text && !strncmp(text, "fd:", 3)) {
		return vhu_usage(run->command, "%s: has no path for {}", text);
	}
	if (!path || !strcmp(path, place_name[PLACE_PATH]))
		path = own_path(run);
	if (!path)
		return VHU_EXIT_FAILED;
	status = meet_at(run, kind, path);
	return status == VHU_EXIT_DONE ? fill_arguments(run, path) : status;
}

int vhu_proxy_child_prepare(struct vhu_proxy_run *run)
{
	enum vhu_side side = run->request->child_is_front ? VHU_FRONT : VHU_BACK;
	char error[VHU_ENDPOINT_ERROR];
	struct vhu_endpoint other;
	const char *text;
	enum place place;
	int status;

	run->child.child.pass = run->child.child.ends.fd = run->child.folder_fd = -1;
	if (!run->request->child)
		return VHU_EXIT_DONE;
	run->child.side = side;
	text = run->request->pair[0].end[!side];
	/* Whether an inherited descriptor is there is to be seen before ours get its number. */
	if (text && vhu_endpoint_parse(&other, text, VHU_ENDPOINT_LISTEN, error))
		return vhu_usage(run->command, "%s", error);
	text = run->request->pair[0].end[side];
	status = which_place(run, &place);
	if (status != VHU_EXIT_DONE)
		return status;
	if (text && (place == PLACE_FD || place == PLACE_LISTEN_FD))
		return vhu_usage(run->command, "%s: %s is in the place of it", text,
				 place_name[place]);
	switch (place) {
	case PLACE_FD:
		return prepare_connected(run);
	case PLACE_LISTEN_FD:
		return prepare_listening(run);
	case PLACE_PATH:
		return prepare_path(run, text);
	default:
		if (!text)
			return vhu_usage(run->command,
					 "%s: where is it met? write {} for its socket's path",
					 run->request->child[0]);
		run->child.child.argv = run->request->child;
		return VHU_EXIT_DONE;
	}
}
