/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiled BPF programs: an ELF object in memory. */
#ifndef VHU_BPF_OBJECT_H
#define VHU_BPF_OBJECT_H

/* The object's bytes go from the first to the second. */
extern const char vhu_bpf_object[], vhu_bpf_object_end[];

#endif
