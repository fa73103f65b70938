/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to take for granted of all sessions. */
#include "tools/choice.h"

#include "lib/cli/device.h"
#include "lib/util/duration.h"

int vhu_choose_dialect(const struct vhu_command *command, struct vhu_reading_choice *choice,
		       const char *argument)
{
	int dialect = vhu_dialect_parse(argument);

	if (dialect < 0)
		return vhu_usage(command, "%s: no such dialect", argument);
	choice->dialect = (enum vhu_dialect)dialect;
	return VHU_EXIT_DONE;
}

int vhu_choose_device(const struct vhu_command *command, struct vhu_reading_choice *choice,
		      const char *argument)
{
	choice->device = vhu_device_parse(argument);
	return choice->device ? VHU_EXIT_DONE
			      : vhu_usage(command, "%s: no such virtio device", argument);
}

int vhu_choose_late(const struct vhu_command *command, struct vhu_reading_choice *choice,
		    const char *argument)
{
	if (vhu_duration_parse(argument, &choice->late_ns) || !choice->late_ns)
		return vhu_usage(command, "%s: not a time such as 5s or 500ms", argument);
	return VHU_EXIT_DONE;
}
