/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another command of vhu's as a process of its own. */
#ifndef VHU_TOOLS_SELF_H
#define VHU_TOOLS_SELF_H

#include <stdbool.h>
#include <sys/types.h>

/* What the process gets instead of what its parent has. */
struct vhu_self_stdio {
	int in, out, err; /* -1: the parent's */
	bool apart;       /* Ctrl-C on the terminal does not reach it: its parent ends it */
};

/*
 * Start "vhu WORDS". It ends with this process.
 * @words: an array that ends with NULL. @stdio: borrowed descriptors.
 * Returns the process; -errno.
 */
pid_t vhu_self_start(const char *const *words, const struct vhu_self_stdio *stdio);

#endif
