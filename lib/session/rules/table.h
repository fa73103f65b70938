/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of a session as a table. Apart from rules.h, so that a change of the table concerns
 * those alone who name rules. */
#ifndef VHU_SESSION_RULES_TABLE_H
#define VHU_SESSION_RULES_TABLE_H

#include "lib/session/rules/rules.h"

/* Rules by their place in the table; VHU_RULE_AT_301 is rule 301. */
enum vhu_rule_at {
#define VHU_RULE(id, ...) VHU_RULE_AT_##id,
#include "lib/session/rules/rules.def"
	VHU_RULES
};

extern const struct vhu_rule vhu_rules[VHU_RULES];

#endif
