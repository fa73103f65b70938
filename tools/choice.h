/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that say what to take for granted of all sessions of a capture. */
#ifndef VHU_TOOLS_CHOICE_H
#define VHU_TOOLS_CHOICE_H

#include "lib/cli/options.h"
#include "tools/reading.h"

/* Take the argument of --dialect, --device, --late-after. Return VHU_EXIT_DONE, or VHU_EXIT_USAGE
 * with what is wrong said. */
int vhu_choose_dialect(const struct vhu_command *command, struct vhu_reading_choice *choice,
		       const char *argument);
int vhu_choose_device(const struct vhu_command *command, struct vhu_reading_choice *choice,
		      const char *argument);
int vhu_choose_late(const struct vhu_command *command, struct vhu_reading_choice *choice,
		    const char *argument);

#endif
