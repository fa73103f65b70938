/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports of what came of the cases. */
#ifndef VHU_TOOLS_PROBE_REPORT_REPORT_H
#define VHU_TOOLS_PROBE_REPORT_REPORT_H

#include <stdio.h>

#include "tools/probe/cases/case.h"

enum vhu_probe_format {
	VHU_PROBE_LINES,
	VHU_PROBE_TAP,
	VHU_PROBE_JUNIT,
	VHU_PROBE_JSON,
};

/* Tell of a run of @count cases: its beginning, one case, its end. */
void vhu_probe_report_begin(enum vhu_probe_format format, FILE *to, const struct vhu_probe *probe,
			    unsigned count);
void vhu_probe_report(enum vhu_probe_format format, FILE *to, unsigned number,
		      const struct vhu_probe_verdict *verdict);
void vhu_probe_report_end(enum vhu_probe_format format, FILE *to, const unsigned count[4]);

#endif
