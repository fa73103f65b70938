/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptions of what passes and of who passes it: file descriptors and peers. */
#ifndef VHU_PROXY_CORE_FDINFO_H
#define VHU_PROXY_CORE_FDINFO_H

#include "lib/capture/record.h"

/* Room for the name of an open file, as in /proc; longer ones are cut. */
#define VHU_FDINFO_NAME (VHU_RECORD_TEXT_MAX + 1)
/* Room for a process's name (TASK_COMM_LEN). */
#define VHU_FDINFO_COMM 17

/* Keep open what many descriptions need, until vhu_fdinfo_end; without, each opens it again. */
void vhu_fdinfo_start(void);
void vhu_fdinfo_end(void);

/*
 * Describe @fd, as far as the kernel tells: what it does not tell is left out of info->has.
 * @name: room for its name; info->name will point there.
 */
void vhu_fdinfo_read(int fd, struct vhu_fd_info *info, char name[VHU_FDINFO_NAME]);

/*
 * Describe who is at the other end of a connected socket.
 * @path: of its socket; must outlive the description.
 * @comm: room for its process's name; peer->comm will point there.
 * Leaves peer->known false where the kernel does not tell.
 */
void vhu_fdinfo_peer(int socket, const char *path, struct vhu_peer *peer,
		     char comm[VHU_FDINFO_COMM]);

#endif
