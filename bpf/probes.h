/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probes as the programs around them see them: loaded by the best set of hooks that this kernel
 * takes, told which eventfds belong to which ring, asked for counts.
 *
 * Ownership: all belongs to the probes and goes with vhu_probes_close. Not for several threads.
 */
#ifndef VHU_BPF_PROBES_H
#define VHU_BPF_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/ring.h"

/* Sets of hooks, best first. */
enum vhu_hooks {
	VHU_HOOKS_FENTRY,       /* the kernel's eventfd functions, by trampolines */
	VHU_HOOKS_KPROBE,       /* the same, by break points */
	VHU_HOOKS_SYSCALLS,     /* read, write and their kin, by trace points of their own: needs
				   tracefs */
	VHU_HOOKS_ALL_SYSCALLS, /* the same by those that all system calls share */
	VHU_HOOKS
};

/* Room for what is wrong, in a line of text. */
#define VHU_PROBES_ERROR_SIZE 512

struct vhu_probes;

/* Places in a back-end's own code. */
enum {
	VHU_UPROBES_POP,  /* it took a request off a vring */
	VHU_UPROBES_PUSH, /* it gives one back */
	VHU_UPROBES_PLACES
};

struct vhu_uprobes_choice {
	struct vhu_uprobes_place {
		const char *binary;   /* program or library: a path, or a name that is looked for */
		const char *provider; /* of a static probe; NULL: `name` is a function */
		const char *name;     /* NULL: nothing is watched */
	} place[VHU_UPROBES_PLACES];
	uint32_t pid; /* 0: of whichever process runs it */
};

struct vhu_probes_choice {
	int hooks; /* enum vhu_hooks, -1: the best that there is */
	struct vhu_bpf_config config;
	struct vhu_uprobes_choice inside;
	/* See an event; called by vhu_probes_events. */
	void (*see)(void *with, const struct vhu_bpf_event *event);
	void *with;
};

/*
 * Load, attach and try the probes.
 * @error: VHU_PROBES_ERROR_SIZE bytes, gets what is missing, one line.
 * Returns 0 and *@probes; -errno: -EPERM where a capability is missing.
 */
int vhu_probes_open(struct vhu_probes **probes, const struct vhu_probes_choice *choice,
		    char *error);
void vhu_probes_close(struct vhu_probes *probes);

/* Return the set in use; its name; what it cannot see, "" nothing. */
enum vhu_hooks vhu_probes_hooks(const struct vhu_probes *probes);
const char *vhu_hooks_name(enum vhu_hooks hooks);
const char *vhu_probes_blind(const struct vhu_probes *probes);

/* Return the set of hooks that a word names, or -1. */
int vhu_hooks_by_name(const char *name);

/*
 * List the eventfds that processes have open, by process and descriptor.
 * @list: gets them, to be freed. Returns how many, or -errno.
 */
int vhu_probes_list(struct vhu_probes *probes, struct vhu_bpf_eventfd **list);

/*
 * Let an eventfd stand for something. The caller has it open as long as it does.
 * Returns 0 or -errno.
 */
int vhu_probes_assign(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd,
		      const struct vhu_bpf_role *role);
/* Let an eventfd stand for nothing; one that did not is left alone. */
void vhu_probes_forget(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd);

/*
 * Let the eventfd of an id, role->eventfd_id, stand for something, wherever it is. Each use of an
 * eventfd that stands for nothing costs more while there is such an id, and ids are used again.
 * Returns 0 or -errno.
 */
int vhu_probes_assign_id(struct vhu_probes *probes, const struct vhu_bpf_role *role);
/* Let the id stand for nothing; one that did not is left alone. */
void vhu_probes_forget_id(struct vhu_probes *probes, uint32_t id);

/* Read a ring's counts. Returns 0 or -errno. */
int vhu_probes_ring(struct vhu_probes *probes, uint32_t index, struct vhu_bpf_ring *ring);
/* Set all of a ring's counts to zero. */
void vhu_probes_clear(struct vhu_probes *probes, uint32_t index);

/* Return whether pops or pushes are watched. */
bool vhu_probes_has_inside(const struct vhu_probes *probes);
/* Read what the back-end's own code did for a ring. Returns 0 or -errno. */
int vhu_probes_inside(struct vhu_probes *probes, uint32_t index, struct vhu_bpf_inside *inside);
/* Say which ring the static probes of a process mean by a vring's number; @index VHU_BPF_RINGS:
 * none. */
void vhu_probes_number(struct vhu_probes *probes, struct vhu_bpf_vring vring, uint32_t index);
/* Return how many pops and pushes were of no known ring. */
uint64_t vhu_probes_unplaced(const struct vhu_probes *probes);

/* Pass the events that there are to choice->see, some thousands at most. Returns how many; -EAGAIN
 * where there may be more; -errno. */
int vhu_probes_events(struct vhu_probes *probes);
/* Return a descriptor that is readable when a slow call was told. */
int vhu_probes_events_fd(const struct vhu_probes *probes);
/* Return how many events were lost for want of room. */
uint64_t vhu_probes_dropped(const struct vhu_probes *probes);

#endif
