/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A BPF program and the functions of the kernel that decide whether it can be attached.
 *
 * A program whose function the kernel lacks fails the load of its whole object: choose the programs
 * before. What kernels have is asked of their BTF, never guessed from their version, since
 * distributions carry changes back.
 */
#ifndef VHU_BPF_LOAD_TARGET_H
#define VHU_BPF_LOAD_TARGET_H

#include <stdbool.h>

struct bpf_program;
struct btf;

struct vhu_bpf_target {
	const char *program;
	const char *needs;   /* a function that the kernel must have, NULL none */
	const char *instead; /* a function that replaces `needs`, NULL none: a kernel that has both
				calls one by the other, and both programs would count twice */
};

/*
 * Where functions of the kernel are looked for: in a copy of its types; else by a program of the
 * type fentry, of an object that is not loaded yet. That object reads the types anyway, and a copy
 * of them costs 12 ms of processor time. The program's target changes.
 */
struct vhu_bpf_kernel {
	const struct btf *types;
	struct bpf_program *program;
};

/* Return whether the kernel has a function of this name. */
bool vhu_bpf_has_function(const struct vhu_bpf_kernel *kernel, const char *name);

/* Return whether the kernel has kprobes, and this process can see that. */
bool vhu_bpf_has_kprobes(void);

/* Return whether the kernel has what a program needs, and nothing in its place. */
bool vhu_bpf_target_fits(const struct vhu_bpf_kernel *kernel, const struct vhu_bpf_target *target);

#endif
