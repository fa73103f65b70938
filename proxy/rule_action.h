/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a rule that says what is to be done, read. */
#ifndef VHU_PROXY_RULE_ACTION_H
#define VHU_PROXY_RULE_ACTION_H

#include "proxy/rule.h"

/* What is wrong, and where in the text. */
struct vhu_action_error {
	const char *at;
	char what[256];
};

/*
 * Read the actions of @rule, whose messages are known already.
 * @text: what follows the colon.
 * Returns 0, or -EINVAL with *@error filled in.
 */
int vhu_rule_actions_read(struct vhu_proxy_rule *rule, const char *text,
			  struct vhu_action_error *error);

#endif
