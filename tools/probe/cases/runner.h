/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conformance: cases that drive a back-end through what back-ends get wrong.
 *
 * Each case has a connection of its own, and afterwards the back-end has to accept another one and
 * answer. fixture.h is what a case sees of all this.
 */
#ifndef VHU_TOOLS_PROBE_CASES_RUNNER_H
#define VHU_TOOLS_PROBE_CASES_RUNNER_H

#include <stdio.h>

#include "lib/cli/near.h"
#include "tools/probe/connection/child.h"
#include "tools/probe/probe.h"
#include "tools/probe/report/report.h"

/* Which cases to run: as bits of their places in the table; none: all. */
struct vhu_probe_selection {
	uint64_t cases;
};

/* Add a case to a selection. Returns 0; -ENOENT where there is no such case. */
int vhu_probe_select(struct vhu_probe_selection *selection, const char *name);

/* Suggest a case for an unknown name, or say where all are listed. @to: room for the text. Returns
 * the text. */
const char *vhu_probe_case_hint(const char *name, char to[VHU_NEAR_MAX]);

/* List the cases, a line each. */
void vhu_probe_list(FILE *to);

/*
 * Run cases and tell what comes of them.
 * @probe: has been run, and tells what the back-end offers. @child: the back-end, if it is ours.
 * Returns how many failed or could not be run.
 */
unsigned vhu_probe_conform(struct vhu_probe *probe, struct vhu_probe_child *child,
			   const struct vhu_probe_selection *selection,
			   enum vhu_probe_format format, FILE *to);

#endif
