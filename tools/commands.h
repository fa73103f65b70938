/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sub-commands of vhu, one file each. */
#ifndef VHU_TOOLS_COMMANDS_H
#define VHU_TOOLS_COMMANDS_H

#include "lib/cli/options.h"

extern const struct vhu_command vhu_command_attach; /* where BPF programs can be built */
extern const struct vhu_command vhu_command_check;
extern const struct vhu_command vhu_command_ctl; /* where the control socket can be built */
extern const struct vhu_command vhu_command_dump;
extern const struct vhu_command vhu_command_latency; /* where the probes can be built */
extern const struct vhu_command vhu_command_probe;
extern const struct vhu_command vhu_command_proxy;
extern const struct vhu_command vhu_command_report; /* where there is zlib */
extern const struct vhu_command vhu_command_rings;
extern const struct vhu_command vhu_command_stats;
extern const struct vhu_command vhu_command_top; /* where there is ncurses, too */

/* Be an extcap of Wireshark, as which this was called. Returns the exit status. */
int vhu_extcap(int argc, char **argv);

#endif
