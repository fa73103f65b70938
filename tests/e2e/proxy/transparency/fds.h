/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptors that the transparency test sends: memfds, eventfds, pipes, sockets, files and
 * others, each an open file description of its own, and the means to tell them apart again.
 */
#ifndef VHU_TESTS_TRANSPARENCY_FDS_H
#define VHU_TESTS_TRANSPARENCY_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/capture/record.h"

/* How many there are; every kind returns in each run of FDS_KINDS. */
#define FDS_POOL  400
#define FDS_KINDS 12

/* Make the pool. @folder: for the files. */
void fds_make(const char *folder);

/* Return the descriptor number @index of the pool, which stays the pool's. */
int fds_get(unsigned int index);

/* Return whether @index is a socket, which the proxy must not take for a channel. */
bool fds_is_socket(unsigned int index);

/*
 * Compare what was received with what was sent: device and inode, for eventfds (which share one
 * inode) the kernel's eventfd-id, and where the kernel has kcmp(2) the open file description.
 * Returns NULL when it is the same; else a text that says what differs, until the next call.
 */
const char *fds_differ(unsigned int index, int received);

/* Compare a capture's description with what was sent. Returns as fds_differ does. */
const char *fds_differ_described(unsigned int index, const struct vhu_fd_info *info);

#endif
