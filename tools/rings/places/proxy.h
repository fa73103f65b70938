/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket of a running vhu proxy. */
#ifndef VHU_TOOLS_RINGS_PLACES_PROXY_H
#define VHU_TOOLS_RINGS_PLACES_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Find the control socket of process @pid, if it is a vhu proxy.
 * @path: gets the path of the socket.
 * Returns whether there is one in a place of its own: the default one is known without.
 */
bool vhu_rings_control_by(uint32_t pid, char *path, size_t size);

#endif
