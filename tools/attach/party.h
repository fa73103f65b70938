/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes at the ends of a connection say about it, in their command lines. */
#ifndef VHU_TOOLS_ATTACH_PARTY_H
#define VHU_TOOLS_ATTACH_PARTY_H

#include "bpf/attach/attach.h"

/* Room for a device's name. */
#define VHU_PARTY_DEVICE_MAX 32

/*
 * Guess which device a connection is for, by the command line of the front-end: QEMU's -device or
 * -netdev that uses a chardev of this socket, or a word with both, as other VMMs write it; else
 * by --device of either side.
 * @socket: the one that is bound to the path.
 * Returns whether @device has a name, such as "blk".
 */
bool vhu_party_device(uint32_t front, uint32_t back, const struct vhu_attach_listed *socket,
		      char device[VHU_PARTY_DEVICE_MAX]);

/*
 * Find what a connection is for, if it is not vhost-user: the option of QEMU on either command line
 * that has the socket, such as -qmp, -qtest, -monitor or -serial, also by a chardev.
 * Returns whether there is one, and then it is in @use.
 */
bool vhu_party_other_use(uint32_t front, uint32_t back, const struct vhu_attach_listed *socket,
			 char use[VHU_PARTY_DEVICE_MAX]);

#endif
