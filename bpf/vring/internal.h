/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes as the files of the loader share them. */
#ifndef VHU_BPF_VRING_INTERNAL_H
#define VHU_BPF_VRING_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/load/links.h"
#include "bpf/vring/hooks.h"
#include "bpf/vring/maps.h"

struct vhu_probes {
	struct bpf_object *object;
	struct vhu_bpf_links links;
	struct bpf_link *iterator; /* lists eventfds */
	struct ring_buffer *events;
	struct vhu_bpf_shared *shared; /* mapped */
	struct vhu_bpf_set *sets;      /* mapped */
	int roles, ids, vrings;        /* maps */
	int insides, slots;            /* maps, -1 unless a back-end's own code is watched */
	enum vhu_hooks hooks;
	int sees_kernel; /* signals from inside the kernel: 1 yes, 0 no, -1 could not be tried */
	void (*see)(void *with, const struct vhu_bpf_event *event);
	void *with;
	unsigned passed; /* events, in this turn */
};

#endif
