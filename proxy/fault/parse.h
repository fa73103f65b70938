/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a fault, read. docs/faults.md has the language. */
#ifndef VHU_PROXY_FAULT_PARSE_H
#define VHU_PROXY_FAULT_PARSE_H

#include "proxy/fault/fault.h"

/* What is wrong with a text, and where. */
struct vhu_fault_error {
	unsigned column; /* bytes, from 1 */
	char what[VHU_FAULT_ERROR - 64];
};

/*
 * Read @text into @fault, all but its id, slot and text.
 * Returns 0, or -EINVAL with *@error filled in.
 */
int vhu_fault_parse(struct vhu_fault *fault, const char *text, struct vhu_fault_error *error);

#endif
