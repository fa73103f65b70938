/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rings that are watched: which eventfds they have been told to have, which of them the probes
 * watch, and what was counted.
 *
 * Ownership: the table owns its rings and the eventfds that it holds open for them. A thread that
 * reads a capture tells what rings are to have, and has that watched at once, for until then their
 * kicks and calls pass unseen; so all that is done with rings needs their lock.
 */
#ifndef VHU_TOOLS_LATENCY_VRINGS_H
#define VHU_TOOLS_LATENCY_VRINGS_H

#include <pthread.h>
#include <stdbool.h>

#include "bpf/eventfds.h"
#include "bpf/probes.h"

/* One is kept for trying the probes. */
#define VHU_RINGS_MAX (VHU_BPF_RINGS - 1)

enum { VHU_LATENCY_KICK, VHU_LATENCY_CALL, VHU_LATENCY_FDS };
enum { VHU_RING_FRONT_END, VHU_RING_BACK_END, VHU_RING_PEERS };

/* An eventfd of a ring. */
struct vhu_latency_fd {
	bool wanted, wired;
	bool by_id;           /* watched by its id until it is found */
	bool fresh;           /* its session told of it, and it was not watched since */
	uint32_t id;          /* that is wanted */
	uint64_t number;      /* of the record that told of it; 0 none */
	uint64_t since_ns;    /* it is the ring's, and we look */
	struct vhu_held held; /* that is wired */
};

struct vhu_latency_vring {
	uint64_t session; /* 0: of no capture */
	uint32_t vring;
	uint32_t peer[VHU_RING_PEERS]; /* processes of its session, 0 not known */
	struct vhu_latency_fd fd[VHU_LATENCY_FDS];
	bool ever_wired;
	uint32_t epoch;
	/* Eventfds that it got, and how long they were its own before they were watched. */
	uint64_t taken_up, unwatched_ns, unwatched_most_ns;
	unsigned sure, seen; /* found by its traffic: how sure, percent; of how many kicks */
	struct vhu_bpf_ring counts;
	struct vhu_bpf_inside inside; /* where the back-end's own code is watched */
};

struct vhu_latency_vrings {
	struct vhu_probes *probes;
	struct vhu_latency_vring *ring[VHU_RINGS_MAX]; /* by index in the kernel */
	unsigned count;
	bool changed; /* what is wanted, since rings were wired */
	uint64_t begun_ns;
	pthread_mutex_t lock;
};

void vhu_latency_vrings_init(struct vhu_latency_vrings *rings, struct vhu_probes *probes);
void vhu_latency_vrings_free(struct vhu_latency_vrings *rings);

/*
 * Find a ring, or add it. Returns it; NULL out of memory or of rings: then those that ended are
 * made room of first. Needs the lock.
 */
struct vhu_latency_vring *vhu_latency_vrings_get(struct vhu_latency_vrings *rings, uint64_t session,
						 uint32_t vring);

/* Say which eventfd a ring has: @which is VHU_LATENCY_KICK or CALL; @wanted false: none. */
void vhu_latency_vrings_want(struct vhu_latency_vrings *rings, struct vhu_latency_vring *ring,
			     int which, bool wanted, uint32_t id);

/*
 * Say which eventfd a session tells that a ring has.
 * @number: of the record that tells it; one that was told already is passed over. @time_ns: when.
 */
void vhu_latency_vrings_told(struct vhu_latency_vrings *rings, struct vhu_latency_vring *ring,
			     int which, uint32_t id, uint64_t number, uint64_t time_ns);

/*
 * Stop watching what is not wanted any more, and watch by its id what was just told. That takes no
 * time, but an id may come to mean another eventfd: it is for the while until
 * vhu_latency_vrings_wire.
 */
void vhu_latency_vrings_rewire(struct vhu_latency_vrings *rings);

/*
 * Watch what is wanted, as far as there is such an eventfd now, and stop watching what is not
 * wanted or not open in any process any more.
 * Returns how many rings are watched, or -errno.
 */
int vhu_latency_vrings_wire(struct vhu_latency_vrings *rings);

/* Read all counts. */
void vhu_latency_vrings_read(struct vhu_latency_vrings *rings);

/* Return whether a ring is watched. */
bool vhu_latency_vring_is_wired(const struct vhu_latency_vring *ring);

/* Return how many kicks of a ring wait for a call, and in *@oldest_ns since when, by
 * CLOCK_MONOTONIC; 0 none. */
uint64_t vhu_latency_vring_waiting(const struct vhu_latency_vring *ring, uint64_t *oldest_ns);

#endif
