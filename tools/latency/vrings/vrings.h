/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vrings that are watched: which eventfds the sessions gave them, which of them the probes
 * watch, and what was counted.
 *
 * Ownership: the table owns its vrings and the eventfds that it holds open for them. A thread that
 * reads a capture tells what vrings are to have, and has that watched at once, for until then their
 * kicks and calls pass unseen; so all that is done with vrings needs their lock.
 */
#ifndef VHU_TOOLS_LATENCY_VRINGS_H
#define VHU_TOOLS_LATENCY_VRINGS_H

#include <pthread.h>
#include <stdbool.h>

#include "bpf/vring/eventfds.h"
#include "bpf/vring/probes.h"
#include "lib/protocol/protocol.h"
#include "tools/rings/process/process.h"

/* One is kept for trying the probes. */
#define VHU_LATENCY_VRINGS_MAX (VHU_BPF_VRINGS - 1)

/* The eventfds that are watched: kick and call, not err. */
#define VHU_LATENCY_ROLES (VHU_CALL + 1)
enum { VHU_LATENCY_FRONT_END, VHU_LATENCY_BACK_END, VHU_LATENCY_PEERS };

/* Files of guest memory that are kept of a session: more than one is rare. */
#define VHU_LATENCY_FILES 8

/* What tells whether a process is of a vring's session. */
struct vhu_latency_owner {
	uint64_t opened_ns; /* when the session began, since the epoch; 0: not known */
	struct vhu_rings_file file[VHU_LATENCY_FILES]; /* of its guest memory */
	unsigned files;
};

/* An eventfd of a vring. */
struct vhu_latency_fd {
	bool wanted, wired;
	bool had;             /* it was wanted once: `id` says which */
	bool by_id;           /* watched by its id until it is found */
	bool fresh;           /* its session told of it, and it was not watched since */
	bool foreign;         /* the eventfd of this id is not of the session, or may not be */
	uint32_t id;          /* that is wanted */
	uint64_t number;      /* of the record that told of it; 0 none */
	uint64_t since_ns;    /* it is the vring's, and we look */
	struct vhu_held held; /* that is wired */
};

struct vhu_latency_vring {
	uint64_t session;                 /* 0: of no capture */
	uint32_t index;                   /* as the device numbers its vrings */
	uint32_t peer[VHU_LATENCY_PEERS]; /* processes of its session, 0 not known */
	struct vhu_latency_owner owner;
	struct vhu_latency_fd fd[VHU_LATENCY_ROLES];
	bool ever_wired;
	bool polled;     /* as its session says: it gets no kicks */
	bool left_known; /* left: buffers that waited at the end, with kicks that had waited long */
	uint32_t left;
	uint64_t ended_ns; /* when it was watched last; 0: it is watched */
	uint64_t told_ns; /* the oldest kick reported as waiting; see tools/latency/show/events.h */
	uint32_t epoch;
	/* It got an eventfd, or a kick that no driver sent, since its counts were read last; and
	 * how many kicks it had when they were read then. From there on kicks and calls take turns.
	 */
	bool renewed;
	uint64_t renewed_kicks;
	/* Eventfds that it got, and how long they were its own before they were watched. */
	uint64_t taken_up, unwatched_ns, unwatched_most_ns;
	unsigned sure, seen; /* found by its traffic: how sure, percent; of how many kicks */
	bool kvm;            /* so, but KVM says which vring the kick is of */
	struct vhu_bpf_vring counts;
	struct vhu_bpf_inside inside;      /* where the back-end's own code is watched */
	struct vhu_latency_before *before; /* NULL: no interval has begun */
	struct vhu_bpf_vring *metered;     /* what metrics have of its counts; NULL: nothing */
	char *pair; /* the socket that names its session for metrics; NULL: not known */
};

struct vhu_latency_vrings {
	struct vhu_probes *probes;
	struct vhu_latency_vring *vring[VHU_LATENCY_VRINGS_MAX]; /* by slot in the kernel */
	unsigned count;
	bool changed; /* what is wanted, since vrings were wired */
	uint64_t begun_ns;
	pthread_mutex_t lock;
};

void vhu_latency_vrings_init(struct vhu_latency_vrings *vrings, struct vhu_probes *probes);
void vhu_latency_vrings_free(struct vhu_latency_vrings *vrings);

/*
 * Find a vring, or add it. Returns it; NULL out of memory or of vrings: then those that ended are
 * made room of first. Needs the lock.
 */
struct vhu_latency_vring *vhu_latency_vrings_get(struct vhu_latency_vrings *vrings,
						 uint64_t session, uint32_t index);

/* Say which eventfd a vring has: @which is VHU_KICK or VHU_CALL; @wanted false: none. */
void vhu_latency_vrings_want(struct vhu_latency_vrings *vrings, struct vhu_latency_vring *vring,
			     enum vhu_vring_role which, bool wanted, uint32_t id);

/*
 * Give a vring the eventfd that its session names.
 * @number: of the record that names it; a record that came already is passed over. @time_ns: when.
 */
void vhu_latency_vrings_told(struct vhu_latency_vrings *vrings, struct vhu_latency_vring *vring,
			     enum vhu_vring_role which, uint32_t id, uint64_t number,
			     uint64_t time_ns);

/* Return whether a session tells that a vring has an eventfd of this id now. Needs the lock. */
bool vhu_latency_vrings_are_told(const struct vhu_latency_vrings *vrings, uint32_t id);

/*
 * Stop watching what is not wanted any more, and watch by its id what was just told. That takes no
 * time, but an id may come to mean another eventfd: it is for the while until
 * vhu_latency_vrings_wire.
 */
void vhu_latency_vrings_rewire(struct vhu_latency_vrings *vrings);

/*
 * Watch what is wanted, as far as there is such an eventfd now, and stop watching what is not
 * wanted or not open in any process any more.
 * Returns how many vrings are watched, or -errno.
 */
int vhu_latency_vrings_wire(struct vhu_latency_vrings *vrings);

/* Read all counts. */
void vhu_latency_vrings_read(struct vhu_latency_vrings *vrings);

/* Return whether a vring is watched. */
bool vhu_latency_vring_is_wired(const struct vhu_latency_vring *vring);

/* The kicks of a vring that wait for a call. */
struct vhu_latency_waiting {
	uint64_t untaken, taken; /* by the back-end */
	uint64_t oldest_ns; /* when the oldest came, by CLOCK_MONOTONIC; 0: none, or not known */
	uint64_t for_ns;    /* how long that has waited by @now, or had when the vring ended */
};

struct vhu_latency_waiting vhu_latency_vring_waiting(const struct vhu_latency_vring *vring,
						     uint64_t now_ns);

#endif
