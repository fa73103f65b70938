/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to a running proxy's control socket. */
#ifndef VHU_TOOLS_CTL_MEET_H
#define VHU_TOOLS_CTL_MEET_H

#include <stdio.h>

#include "proxy/endpoint/endpoint.h"

/*
 * Connect to the control socket that @socket names.
 * @proxy: gets a stream to it that blocks, to be closed.
 * Returns 0; -errno with a line in @error: -ENOENT and -ECONNREFUSED if no process listens, -EAGAIN
 * if too many others wait.
 */
int vhu_control_meet(const char *socket, FILE **proxy, char error[VHU_ENDPOINT_ERROR]);

#endif
