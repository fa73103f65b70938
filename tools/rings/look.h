/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at vrings: one, or one after the other. */
#ifndef VHU_TOOLS_RINGS_LOOK_H
#define VHU_TOOLS_RINGS_LOOK_H

#include "tools/rings/places/places.h"

/* Look at vrings as often as was asked for, and show them. @argc, @argv: the command line, for the
 * capture that is written. Returns the exit status. */
int vhu_rings_look(const struct vhu_rings_request *request, int argc, char **argv);

#endif
