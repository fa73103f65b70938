/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why BPF programs cannot be loaded: a capability by its name, the kernel's BTF, lockdown, a
 * refusal of the kernel. The kernel's own answers are errno and libbpf's hints, which mislead:
 * EPERM stands for half of all causes.
 */
#ifndef VHU_BPF_LOAD_DIAGNOSE_H
#define VHU_BPF_LOAD_DIAGNOSE_H

#include <stdbool.h>

/* Room for an error, in a line of text. */
#define VHU_BPF_ERROR_SIZE 512

/* Forget libbpf's last complaint; keep the next one instead of printing it. Call before a load. */
void vhu_diagnose_listen(void);

/* Return whether this process has a capability, in effect. */
bool vhu_diagnose_has(unsigned capability);

/*
 * Look for what this process or this kernel lacks for any BPF program.
 * @error: VHU_BPF_ERROR_SIZE bytes, gets it. Returns whether something is lacking.
 */
bool vhu_diagnose_lack(char *error);

/*
 * Say that the kernel refuses programs, with libbpf's complaint.
 * @what: the programs, as the line begins. @ret: -errno of the load. @error: VHU_BPF_ERROR_SIZE
 * bytes.
 */
void vhu_diagnose_refusal(const char *what, int ret, char *error);

#endif
