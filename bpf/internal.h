/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the loader share. */
#ifndef VHU_BPF_INTERNAL_H
#define VHU_BPF_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/probes.h"

/* No set has more programs, with those in a back-end's code. */
#define VHU_LINKS_MAX   16
/* Events passed on in one go: where they come faster than they are seen there is no end of them. */
#define VHU_EVENTS_TURN 4096

struct vhu_probes {
	struct bpf_object *object;
	struct bpf_link *link[VHU_LINKS_MAX];
	unsigned links;
	struct bpf_link *iterator;
	struct ring_buffer *events;
	struct vhu_bpf_shared *shared; /* mapped */
	struct vhu_bpf_set *sets;      /* the same */
	int roles, ids, rings;         /* maps */
	int insides, vrings;           /* the same, -1 where no back-end's code is watched */
	enum vhu_hooks hooks;
	int sees_kernel; /* signals from inside the kernel: 1 yes, 0 no, -1 could not be tried */
	void (*see)(void *with, const struct vhu_bpf_event *event);
	void *with;
	unsigned passed; /* events, in this turn */
};

/*
 * Open the object, load @hooks and attach them. Returns 0, or -errno with nothing left behind.
 */
int vhu_hooks_load(struct vhu_probes *probes, enum vhu_hooks hooks,
		   const struct vhu_probes_choice *choice);
/* Take all of it back. */
void vhu_hooks_unload(struct vhu_probes *probes);

/* Return whether a program is for a back-end's own code; whether @choice asks for it. */
bool vhu_uprobes_is(const char *program);
bool vhu_uprobes_wants(const struct vhu_uprobes_choice *choice, const char *program);
/*
 * Attach those that are asked for.
 * @error: VHU_PROBES_ERROR_SIZE bytes, gets what is wrong. Returns 0 or -errno.
 */
int vhu_uprobes_attach(struct vhu_probes *probes, const struct vhu_uprobes_choice *choice,
		       char *error);

/*
 * Try the attached probes on an eventfd of our own: learns what eventfds look like, and whether
 * signals from inside the kernel are seen.
 * Returns 0, or -errno: -ENXIO where they are attached but see nothing.
 */
int vhu_selftest_run(struct vhu_probes *probes);

/* Keep libbpf's complaints instead of printing them. */
void vhu_diagnose_listen(void);
/* Return whether this process has a capability, in effect. */
bool vhu_diagnose_has(unsigned capability);
/* Say in @error why the probes cannot be had, after @ret of the set of hooks tried last. */
void vhu_diagnose(int ret, enum vhu_hooks hooks, bool only, char *error);

#endif
