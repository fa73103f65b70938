/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the BPF programs and their loader share, the values of the maps: a vring's counts and
 * histograms, what an eventfd stands for, single events.
 */
#ifndef VHU_BPF_VRING_MAPS_H
#define VHU_BPF_VRING_MAPS_H

#ifndef __bpf__
#include <stdint.h>
#endif

/* Vrings watched at once; the last slot is the loader's own, for the selftest. */
#define VHU_BPF_VRINGS      256
/* Kicks that can wait to be taken and each still have its time. */
#define VHU_BPF_STAMPS      64
/* A histogram's room; lib/util/histogram.h has fewer buckets, and the same ones. A power of two,
 * for then the verifier of every kernel believes that an index fits. */
#define VHU_BPF_BUCKETS     1024
/* Memory for single events, bytes. */
#define VHU_BPF_EVENTS_SIZE (4 << 20)

enum vhu_bpf_stage { VHU_KICK_TO_WAKE, VHU_WAKE_TO_CALL, VHU_KICK_TO_CALL, VHU_BPF_STAGES };

/* What the back-end does between wake and call. */
enum vhu_bpf_inner { VHU_WAKE_TO_POP, VHU_POP_TO_PUSH, VHU_PUSH_TO_CALL, VHU_BPF_INNER };

/* What an eventfd stands for: a kick or a call, as enum vhu_vring_role numbers them. */
enum vhu_bpf_role_of {
	VHU_BPF_KICK,
	VHU_BPF_CALL,
	VHU_BPF_LEARN, /* not known yet: each use of it becomes an event */
};

/* The value that belongs to an eventfd, by the addresses of its struct file and its context. */
struct vhu_bpf_role {
	uint32_t slot; /* of its vring in the map; LEARN: its user's own number */
	uint32_t what; /* enum vhu_bpf_role_of */
	uint32_t eventfd_id;
	uint32_t epoch;   /* differs from the vring's: its kick is another eventfd than before */
	uint64_t context; /* the eventfd's address in the kernel */
};

/*
 * Known eventfds: an address may be in any of the places of one set, which it tells. So to find it,
 * or that it is not there, takes a few comparisons, whichever process's eventfd it is.
 */
#define VHU_BPF_SETS        4096
#define VHU_BPF_SET_BITS    12
#define VHU_BPF_PLACES      4
/* The set of an address, by its lower half: verifiers refuse to multiply an address. */
#define VHU_BPF_SPREAD(low) ((uint32_t)(low)*0x9e3779b1u >> (32 - VHU_BPF_SET_BITS))

struct vhu_bpf_set {
	struct vhu_bpf_known {
		uint64_t address; /* of a struct file, or of a context; 0: the place is free */
		struct vhu_bpf_role role;
	} known[VHU_BPF_PLACES];
};

/* Who did something. */
struct vhu_bpf_who {
	uint32_t pid, tid, cpu;
	char comm[16];
};

/*
 * A vring. All times are CLOCK_MONOTONIC; 0 means no time.
 * Invariant: answered <= taken <= kicks; the kicks from number `taken` on have not been taken,
 * those from `answered` to there were taken and no call came since.
 *
 * What the kicking side writes stands first, what the other writes last: two processors that write
 * to one cache line wait for one another.
 *
 * `wakes` and `calls` count only what no histogram has: the loader adds the two.
 */
struct vhu_bpf_vring {
	uint64_t kicks;
	uint64_t kick_context; /* of the last kick */
	uint64_t epoch;
	uint64_t stamp[VHU_BPF_STAMPS]; /* when kick number n came: n modulo their number */
	struct vhu_bpf_who kicker;      /* of the last kick, where that is asked for */

	uint32_t wake_seen; /* since the epoch began */
	uint64_t taken, answered;
	uint64_t open_kick_ns,
	    open_wake_ns; /* the oldest that no call answered; kick 0: not known */
	/* As struct vhu_turns counts: how many kicks there were when the last call came, and how
	 * many calls up to it each came after just one kick. */
	uint64_t called, in_turn;
	uint64_t wakes; /* reads of the kick that took it; in the kernel those that were not seen */
	uint64_t coalesced;          /* kicks taken together with one before */
	uint64_t wakes_without_kick; /* its kick was not seen */
	uint64_t calls;              /* in the kernel those whose wake was not seen */
	uint64_t calls_without_kick; /* no kick was taken since the call before */
	uint64_t greatest[VHU_BPF_STAGES];
	uint64_t bucket[VHU_BPF_STAGES][VHU_BPF_BUCKETS];
};

/*
 * A vring's requests, where the back-end's own code is watched. Wake to pop is from the last wake
 * to the first pop after it, pop to push is each request's, push to call is from the first push
 * after the last call.
 */
struct vhu_bpf_inside {
	uint64_t pops, pushes;
	uint64_t wake_ns;         /* the last that no pop followed; 0 none */
	uint64_t pop_ns, push_ns; /* the first since the last call; 0 none */
	uint64_t greatest[VHU_BPF_INNER];
	uint64_t bucket[VHU_BPF_INNER][VHU_BPF_BUCKETS];
};

/* A vring as a process's own code numbers it, from 0 for each device. */
struct vhu_bpf_vring_key {
	uint32_t pid, index;
};

enum vhu_bpf_event_what {
	VHU_EVENT_KICK,
	VHU_EVENT_WAKE,
	VHU_EVENT_CALL,
	VHU_EVENT_SLOW,        /* a call that came late */
	VHU_EVENT_LEARN_WRITE, /* an eventfd whose role is not known was signalled, or read */
	VHU_EVENT_LEARN_READ,
};

struct vhu_bpf_event {
	uint64_t time_ns;
	uint64_t kick_ns, wake_ns; /* WAKE, CALL, SLOW: of what it answers; 0 not known */
	uint64_t pop_ns, push_ns;  /* SLOW: the first since the call before; 0 not known */
	uint32_t what;             /* enum vhu_bpf_event_what */
	uint32_t slot;
	uint32_t eventfd_id;
	struct vhu_bpf_who who;
	struct vhu_bpf_who kicker; /* SLOW */
};

/* An eventfd that a process has open, as the iterator lists them. */
struct vhu_bpf_eventfd {
	uint64_t file, context; /* addresses in the kernel */
	uint32_t pid, fd, eventfd_id;
	uint32_t own; /* the process that asks */
	char comm[16];
};

/* What is fixed before the programs are loaded: the verifier drops what is not asked for. */
struct vhu_bpf_config {
	uint64_t slow_ns;    /* tell calls that come later than this after their kick; 0 none */
	uint32_t all_events; /* tell every kick, wake and call */
	uint32_t learning;   /* there are eventfds whose role is to be learnt */
	uint32_t inside;     /* pops or pushes are watched */
};

/* What changes while they run. */
struct vhu_bpf_shared {
	uint64_t eventfd_operations; /* address of the kernel's file operations of eventfds */
	uint64_t dropped;            /* events for which there was no room */
	uint64_t unplaced;           /* pops and pushes of vrings that are not known */
	uint32_t own_fd;             /* an eventfd of the process that asks */
	uint32_t ids;                /* how many eventfds are known by their ids alone */
	uint32_t elsewhere;          /* how many addresses found no place in their sets */
};

#endif
