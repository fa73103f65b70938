/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cases as functions: case_base_unused for the row base_unused of probe_cases.def. */
#ifndef VHU_TOOLS_PROBE_CASES_H
#define VHU_TOOLS_PROBE_CASES_H

#include "tools/probe_trial.h"

#define VHU_PROBE_CASE(function, ...) void vhu_case_##function(struct vhu_trial *trial);
#include "tools/probe_cases.def"

#endif
