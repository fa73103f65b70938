/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs of vhu attach as the files of their loader share them. */
#ifndef VHU_BPF_ATTACH_INTERNAL_H
#define VHU_BPF_ATTACH_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/attach/attach.h"
#include "bpf/load/links.h"

struct vhu_attach {
	struct bpf_object *object;
	struct vhu_bpf_links links;
	struct bpf_link *files, *states; /* iterators */
	struct perf_buffer *events;
	struct vhu_attach_shared *shared;         /* mapped */
	int watched, listeners, processes, users; /* maps */
	const char *hooks;
	bool sees_sending;
	bool sees_connecting; /* who connects to a listening socket */
	uint64_t listener_ns; /* when one was given, 0: names are not looked at */
	struct vhu_attach_choice choice;
};

#endif
