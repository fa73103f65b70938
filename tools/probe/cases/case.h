/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A case, and what came of it. */
#ifndef VHU_TOOLS_PROBE_CASES_CASE_H
#define VHU_TOOLS_PROBE_CASES_CASE_H

#include "tools/probe/probe.h"

struct vhu_fixture;

/* A case: a row of cases.def. */
struct vhu_probe_case {
	const char *name, *title;
	unsigned rule;           /* whose basis it is, by number; 0: none's */
	const char *section;     /* of the specification */
	uint64_t needs_protocol; /* protocol features, as bits */
	uint64_t needs_features; /* virtio features */
	unsigned needs_rings;
	bool needs_request; /* one that the device serves must be known */
	bool hostile;       /* the back-end may refuse, and close the connection */
	void (*run)(struct vhu_fixture *fixture);
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

/* What came of a case. */
struct vhu_probe_verdict {
	const struct vhu_probe_case *the_case;
	enum vhu_probe_result result;
	enum vhu_probe_kind kind;      /* of one that failed */
	char text[VHU_PROBE_TEXT_MAX]; /* what, "" where there is nothing to say */
	const struct vhu_rule *rule;   /* that the back-end broke, or NULL */
	uint64_t ms;                   /* it took */
};

#endif
