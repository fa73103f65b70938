/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rule of a session is, and what breaking one is reported as; table.h has the rules. */
#ifndef VHU_SESSION_RULES_RULES_H
#define VHU_SESSION_RULES_RULES_H

#include <stdint.h>

enum vhu_severity { VHU_INFO, VHU_WARNING, VHU_ERROR, VHU_SEVERITIES };

/* How the text puts a rule. */
enum vhu_wording { VHU_WORDING_MUST, VHU_WORDING_SHOULD, VHU_WORDING_SAYS, VHU_WORDING_SILENT };

struct vhu_rule {
	unsigned id; /* stable; people write it with a V before it: V301 */
	enum vhu_severity severity;
	enum vhu_wording wording;
	const char *name, *title, *section, *basis;
};

#define VHU_FINDING_TEXT_MAX   240
#define VHU_FINDING_OTHERS_MAX 3

/* A rule that was broken. */
struct vhu_finding {
	const struct vhu_rule *rule;
	uint64_t session;
	uint64_t number;                        /* of the record that showed it */
	uint64_t other[VHU_FINDING_OTHERS_MAX]; /* of records that have to do with it; 0 none */
	char text[VHU_FINDING_TEXT_MAX];        /* what, with the values; cut where it is longer */
};

/* Return a severity's name: "info", "warning", "error". */
const char *vhu_severity_name(enum vhu_severity severity);

/* Return what a wording means: "must: the text demands it". */
const char *vhu_wording_text(enum vhu_wording wording);

/* Find a rule by its name ("late-reply") or id ("V404", "404"), in any case of letters. Returns it
 * or NULL. */
const struct vhu_rule *vhu_rule_find(const char *name);

#endif
