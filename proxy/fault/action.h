/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a fault that says what is to be done, read. */
#ifndef VHU_PROXY_FAULT_ACTION_H
#define VHU_PROXY_FAULT_ACTION_H

#include "proxy/fault/fault.h"

/* What is wrong, and where in the text. */
struct vhu_action_error {
	const char *at;
	char what[256];
};

/*
 * Read the actions of @fault, whose messages are known already.
 * @text: what follows the colon.
 * Returns 0, or -EINVAL with *@error filled in.
 */
int vhu_fault_actions_read(struct vhu_fault *fault, const char *text,
			   struct vhu_action_error *error);

#endif
