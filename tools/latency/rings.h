/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the vrings' memory holds when the watch begins and when it ends, beside what is counted. */
#ifndef VHU_TOOLS_LATENCY_RINGS_H
#define VHU_TOOLS_LATENCY_RINGS_H

#include "lib/cli/options.h"
#include "tools/latency/vrings/vrings.h"

/* Say on standard error how much older the open sessions of a capture are than the watch, and what
 * waits in their vrings since before. What cannot be looked at is passed over. */
void vhu_latency_rings_begin(const struct vhu_command *command, const char *capture);

/* Note how many buffers wait in the vrings whose kicks have waited for long, in vring->left. Needs
 * the vrings' lock, and counts that were just read. */
void vhu_latency_rings_end(const struct vhu_command *command, const char *capture,
			   struct vhu_latency_vrings *vrings);

#endif
