/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to a running proxy's control socket. */
#ifndef VHU_TOOLS_CTL_MEET_H
#define VHU_TOOLS_CTL_MEET_H

#include <stdio.h>

#include "proxy/endpoint/endpoint.h"

/* Room for what is wrong with an answer. */
#define VHU_CONTROL_WHY 256

/*
 * Connect to the control socket that @socket names.
 * @proxy: gets a stream to it, to be closed, that blocks for 5 s at most, or until
 * vhu_control_wait_on.
 * Returns 0; -errno with a line in @error: -ENOENT and -ECONNREFUSED if no process listens, -EAGAIN
 * if too many others wait.
 */
int vhu_control_meet(const char *socket, FILE **proxy, char error[VHU_ENDPOINT_ERROR]);

/* Let a stream block for as long as the proxy has nothing to say. */
void vhu_control_wait_on(FILE *proxy);

/* Say that @who, the process that made the socket of @proxy, does not answer, and which state its
 * process is in if that keeps it from it: "the proxy does not answer: process 7 is stopped ...". */
void vhu_control_silence(FILE *proxy, const char *who, char why[VHU_CONTROL_WHY]);

/* Say why nothing could be read from @proxy or sent to it, by errno: the proxy closed the
 * connection, or does not answer, and which state its process is in. Returns @why. */
const char *vhu_control_why(FILE *proxy, char why[VHU_CONTROL_WHY]);

#endif
