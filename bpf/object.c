/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiled BPF programs, as part of the program that loads them. */
#include "bpf/object.h"

__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".global vhu_bpf_object\n"
	".global vhu_bpf_object_end\n"
	".hidden vhu_bpf_object\n"
	".hidden vhu_bpf_object_end\n"
	"vhu_bpf_object:\n"
	".incbin \"" VHU_BPF_OBJECT "\"\n"
	"vhu_bpf_object_end:\n"
	".popsection\n");
