/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an attached iterator of the kernel writes. */
#ifndef VHU_BPF_LOAD_ITERATOR_H
#define VHU_BPF_LOAD_ITERATOR_H

#include <stddef.h>

struct bpf_link;

/*
 * Run an iterator to its end, and read all that it writes.
 * @list: gets entries of @size bytes each, to be freed.
 * Returns how many; -errno, and *@list is NULL.
 */
int vhu_bpf_iterator_read(const struct bpf_link *link, void **list, size_t size);

#endif
