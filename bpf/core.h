/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's structures as far as the probes read them. Offsets are found when the program is
 * loaded (CO-RE), from the running kernel's BTF: only names and types matter here, so no kernel
 * headers and no BTF are needed to build.
 */
#ifndef VHU_BPF_CORE_H
#define VHU_BPF_CORE_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u64 uint64_t;
typedef __u32 uint32_t;
typedef __u8 uint8_t;
typedef _Bool bool;

#define true 1
#define false 0

/* The kernel's numbers, which are part of its interface. */
#define BPF_MAP_TYPE_HASH    1
#define BPF_MAP_TYPE_ARRAY   2
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_F_NO_PREALLOC    1
#define BPF_F_MMAPABLE       1024
#define BPF_ANY              0
#define BPF_RB_NO_WAKEUP     1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file {
	const void *f_op;
	void *private_data;
};

struct inode;

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
	struct inode *d_inode;
};

struct path {
	struct dentry *dentry;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	struct files_struct *files;
};

struct eventfd_ctx {
	__u64 count;
	int id;
};

struct kiocb {
	struct file *ki_filp;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, cx, ax, orig_ax, ip;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};

struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
};
#endif

#pragma clang attribute pop

/* So libbpf's headers name registers as the kernel does. */
#define __VMLINUX_H__
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* What trace points of single system calls tell: their format is part of the kernel's interface. */
struct call_begins {
	__u64 common;
	__s32 number;
	__u64 argument[6];
};

struct call_ends {
	__u64 common;
	__s32 number;
	__s64 result;
};

/* System calls by number, and their arguments as they stand when the call ends, too. */
#if defined(__TARGET_ARCH_x86)
#define NR_READ            0
#define NR_WRITE           1
#define NR_READV           19
#define NR_WRITEV          20
#define NR_PREADV2         327
#define NR_PWRITEV2        328
#define regs_first(regs)   ((regs)->di)
#define regs_second(regs)  ((regs)->si)
#define regs_third(regs)   ((regs)->dx)
#define regs_number(regs)  ((regs)->orig_ax)
/* A function's arguments and what it returns, in the context of a probe on it. */
#define PROBE_FIRST(regs)  BPF_CORE_READ(regs, di)
#define PROBE_SECOND(regs) BPF_CORE_READ(regs, si)
#define PROBE_THIRD(regs)  BPF_CORE_READ(regs, dx)
#define PROBE_FOURTH(regs) BPF_CORE_READ(regs, cx)
#define PROBE_RETURN(regs) BPF_CORE_READ(regs, ax)
#elif defined(__TARGET_ARCH_arm64)
#define NR_READ            63
#define NR_WRITE           64
#define NR_READV           65
#define NR_WRITEV          66
#define NR_PREADV2         286
#define NR_PWRITEV2        287
#define regs_first(regs)   ((regs)->orig_x0)
#define regs_second(regs)  ((regs)->regs[1])
#define regs_third(regs)   ((regs)->regs[2])
#define regs_number(regs)  ((regs)->syscallno)
#define PROBE_FIRST(regs)  BPF_CORE_READ(regs, regs[0])
#define PROBE_SECOND(regs) BPF_CORE_READ(regs, regs[1])
#define PROBE_THIRD(regs)  BPF_CORE_READ(regs, regs[2])
#define PROBE_FOURTH(regs) BPF_CORE_READ(regs, regs[3])
#define PROBE_RETURN(regs) BPF_CORE_READ(regs, regs[0])
#else
#error "the probes know x86 and arm64"
#endif

#endif
