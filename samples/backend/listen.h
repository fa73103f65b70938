/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket where front-ends come. */
#ifndef VHU_SAMPLES_BACKEND_LISTEN_H
#define VHU_SAMPLES_BACKEND_LISTEN_H

#include <stdbool.h>
#include <sys/stat.h>

struct vhu_listener {
	const char *path;
	int fd;
	struct stat file; /* the socket that was made, to know it again */
};

/*
 * Listen at a path; replaces a socket there that no process listens on.
 * Returns 0; -EADDRINUSE if a process listens there, or the file is not a socket; other -errno.
 */
int vhu_listen(struct vhu_listener *listener, const char *path);

/* Stop listening, and remove the socket unless another took its place. */
void vhu_listen_end(struct vhu_listener *listener);

/* Find out what an inherited descriptor is. Returns 1: a socket that listens; 0: one that is
 * connected; -ENOTSOCK: none of both. */
int vhu_listen_inherited(int fd);

#endif
