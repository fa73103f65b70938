/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vrings and verdicts as people and programs read them. */
#ifndef VHU_TOOLS_RINGS_OUTPUT_H
#define VHU_TOOLS_RINGS_OUTPUT_H

#include "tools/rings/places/places.h"
#include "tools/rings/target/target.h"

/* Write all targets to stdout: as text, or as an object of JSON a vring. */
void vhu_rings_show(const struct vhu_rings_request *request,
		    const struct vhu_rings_targets *targets);

#endif
