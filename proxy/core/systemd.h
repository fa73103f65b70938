/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service manager and a service tell each other, as sd_listen_fds(3) and sd_notify(3) have
 * it: sockets that were passed on, and that it serves. All of it is in the environment and one
 * datagram; no library is needed.
 *
 * Ownership: a socket that was passed on belongs to whoever asks for it.
 */
#ifndef VHU_PROXY_CORE_SYSTEMD_H
#define VHU_PROXY_CORE_SYSTEMD_H

#include <stddef.h>

/*
 * Find a socket that was passed on to this process.
 * @name: which one it is; NULL where there is one only.
 * @error: gets a line, which begins with @text.
 * Returns its descriptor; -ENOENT for none, -ENOTUNIQ where there are several, -EBADF
 * where it is not open.
 */
int vhu_systemd_find(const char *name, const char *text, char *error, size_t size);

/* Keep what was passed on from commands that this process starts. */
void vhu_systemd_keep(void);

/* Forget it all: commands that this process becomes are not to think that it is meant for them. */
void vhu_systemd_forget(void);

/*
 * Tell the service manager, if there is one, lines as "READY=1".
 * Returns 0, also without one; -errno.
 */
int vhu_systemd_notify(const char *lines);

#endif
