/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of one compiled object, VHU_BPF_FILE, under the name VHU_BPF_NAME. */
#include "bpf/load/object.h"

#define TEXT(name)   #name
#define SYMBOL(name) TEXT(name)
#define BEGIN        SYMBOL(VHU_BPF_NAME) "_object"
#define END          SYMBOL(VHU_BPF_NAME) "_object_end"

__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".global " BEGIN "\n"
	".global " END "\n"
	".hidden " BEGIN "\n"
	".hidden " END "\n" BEGIN ":\n"
	".incbin \"" VHU_BPF_FILE "\"\n" END ":\n"
	".popsection\n");
