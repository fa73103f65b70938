/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sets of hooks: their names, and which programs each has on the running kernel. */
#ifndef VHU_BPF_VRING_HOOKS_H
#define VHU_BPF_VRING_HOOKS_H

#include <stdbool.h>

struct vhu_bpf_kernel;

/* Sets of hooks, best first. */
enum vhu_hooks {
	VHU_HOOKS_FENTRY,       /* the kernel's eventfd functions, by trampolines */
	VHU_HOOKS_KPROBE,       /* the same, by break points */
	VHU_HOOKS_SYSCALLS,     /* read, write and their kin, by trace points of their own: needs
				   tracefs */
	VHU_HOOKS_ALL_SYSCALLS, /* the same by those that all system calls share */
	VHU_HOOKS
};

/* Return the name of a set. */
const char *vhu_hooks_name(enum vhu_hooks hooks);
/* Return the set that a word names, or -1. */
int vhu_hooks_by_name(const char *name);

/* Return whether the kernel has all functions that a set cannot do without. */
bool vhu_hooks_are_possible(const struct vhu_bpf_kernel *kernel, enum vhu_hooks hooks);
/* Return whether a program belongs to a set and the kernel has a place for it. */
bool vhu_hooks_have(const struct vhu_bpf_kernel *kernel, enum vhu_hooks hooks, const char *program);

/* Return whether the files for attaching programs of @hooks exist. This check is quick; loading
 * programs that cannot be attached takes some 50 ms. */
bool vhu_hooks_have_files(enum vhu_hooks hooks);

#endif
