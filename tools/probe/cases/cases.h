/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cases as functions: case_base_unused for the row base_unused of cases.def. */
#ifndef VHU_TOOLS_PROBE_CASES_CASES_H
#define VHU_TOOLS_PROBE_CASES_CASES_H

#include "tools/probe/cases/fixture.h"

#define VHU_PROBE_CASE(function, ...) void vhu_case_##function(struct vhu_fixture *fixture);
#include "tools/probe/cases/cases.def"

#endif
