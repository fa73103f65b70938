/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a rule, read. docs/faults.md has the language. */
#ifndef VHU_PROXY_RULE_PARSE_H
#define VHU_PROXY_RULE_PARSE_H

#include "proxy/rule.h"

/* What is wrong with a text, and where. */
struct vhu_rule_error {
	unsigned column; /* bytes, from 1 */
	char what[VHU_RULE_ERROR - 64];
};

/*
 * Read @text into @rule, all but its id, slot and text.
 * Returns 0, or -EINVAL with *@error filled in.
 */
int vhu_rule_parse(struct vhu_proxy_rule *rule, const char *text, struct vhu_rule_error *error);

#endif
