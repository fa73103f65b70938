/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The holder of a socket file: who listens there. Asked of the kernel and not of the listener:
 * a back-end that serves one client takes a connection for its client, and ends when that goes.
 */
#ifndef VHU_PROXY_ENDPOINT_SOCKET_OWNER_H
#define VHU_PROXY_ENDPOINT_SOCKET_OWNER_H

#include <sys/types.h>

/*
 * Find out whether a socket of this network namespace is bound to the file @device, @inode.
 * @pid: gets a process that has opened the socket, 0 if none is known.
 * Returns 1 where one is; 0 where none is here; -errno where the kernel does not tell.
 */
int vhu_socket_owner_find(dev_t device, ino_t inode, pid_t *pid);

#endif
