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

#include "tools/probe/connection/child.h"
#include "tools/probe/probe.h"

/* Which cases to run: as bits of their places in the table; none: all. */
struct vhu_probe_selection {
	uint64_t cases;
};

enum vhu_probe_format {
	VHU_PROBE_LINES,
	VHU_PROBE_TAP,
	VHU_PROBE_JUNIT,
	VHU_PROBE_JSON,
};

enum vhu_probe_result {
	VHU_PROBE_PASSED,
	VHU_PROBE_FAILED,
	VHU_PROBE_NOT_APPLICABLE,
	VHU_PROBE_NOT_RUN,
};

/* What a failure is. */
enum vhu_probe_kind {
	VHU_PROBE_VIOLATES,  /* the specification, unless it is silent on the rule */
	VHU_PROBE_UNWRITTEN, /* what is not in the specification, and relied on */
	VHU_PROBE_ACCEPTS,   /* nonsense */
	VHU_PROBE_PERISHES,  /* of nonsense */
};

struct vhu_probe_case;

/* What came of a case. */
struct vhu_probe_verdict {
	const struct vhu_probe_case *the_case;
	enum vhu_probe_result result;
	enum vhu_probe_kind kind;      /* of one that failed */
	char text[VHU_PROBE_TEXT_MAX]; /* what, "" where there is nothing to say */
	const struct vhu_rule *rule;   /* that the back-end broke, or NULL */
	uint64_t ms;                   /* it took */
};

/* Add a case to a selection. Returns 0; -ENOENT where there is no such case. */
int vhu_probe_select(struct vhu_probe_selection *selection, const char *name);

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

/* Return what a failure is: one word for JSON in *@word, and a text: "accepts nonsense". */
const char *vhu_probe_kind_text(const struct vhu_probe_verdict *verdict, const char **word);

/* probe_report.c: tell of a run of @count cases: its beginning, one case, its end. */
void vhu_probe_report_begin(enum vhu_probe_format format, FILE *to, const struct vhu_probe *probe,
			    unsigned count);
void vhu_probe_report(enum vhu_probe_format format, FILE *to, unsigned number,
		      const struct vhu_probe_verdict *verdict);
void vhu_probe_report_end(enum vhu_probe_format format, FILE *to, const unsigned count[4]);

#endif
