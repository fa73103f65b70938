/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiled BPF programs as part of the program that loads them: an ELF object in memory.
 *
 * Each object has a name, its part of CMakeLists.txt says it: vhu_bpf_object(NAME ...).
 */
#ifndef VHU_BPF_LOAD_OBJECT_H
#define VHU_BPF_LOAD_OBJECT_H

#include <bpf/libbpf.h>

/* Declare the bytes of the object @name: from the first to before the second. */
#define VHU_BPF_OBJECT(name) extern const char name##_object[], name##_object_end[]

/*
 * Open the object @name. Returns it, to be closed by bpf_object__close; NULL and errno.
 *
 * An object cannot be loaded again after a failure: open it again for each attempt.
 */
#define vhu_bpf_object_open(name)                                                                  \
	bpf_object__open_mem(name##_object, (size_t)(name##_object_end - name##_object), NULL)

#endif
