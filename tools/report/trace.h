/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report as a trace, in the trace event format that Perfetto's viewer reads. */
#ifndef VHU_TOOLS_REPORT_TRACE_H
#define VHU_TOOLS_REPORT_TRACE_H

#include <stdio.h>

struct vhu_report;

/*
 * Write @report as a trace: a process for each session, a track for each of its channels and
 * vrings, an arrow from each request to its reply and from each kick to its call. Times are counted
 * from the earliest record on. Errors of @to are kept by it.
 */
void vhu_report_trace(FILE *to, const struct vhu_report *report);

#endif
