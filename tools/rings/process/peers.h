/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes at the other ends of a process's connections. */
#ifndef VHU_TOOLS_RINGS_PEERS_H
#define VHU_TOOLS_RINGS_PEERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Look into the processes that hold the other ends of a process's connections, one after the other.
 * @by: looks into one of them; true: it has found what is sought.
 * Returns whether it has.
 */
bool vhu_rings_peers_find(uint32_t pid, bool (*by)(uint32_t peer, void *with), void *with);

#endif
