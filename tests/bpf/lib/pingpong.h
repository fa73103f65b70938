/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two processes that kick and call one another over real eventfds, as a front-end and a back-end
 * do, and note the times of all they do: the truth that vhu latency is held against.
 */
#ifndef VHU_TESTS_BPF_PINGPONG_H
#define VHU_TESTS_BPF_PINGPONG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RINGS_MAX   8
#define SAMPLES_MAX 20000

/* What a ring does. */
struct plan {
	uint32_t rounds;
	uint32_t delay_us;    /* from wake to call */
	bool random;          /* from 0 to delay_us */
	uint32_t pause_us;    /* after each round: leaves the processor to others */
	uint32_t kicks;       /* before the back-end takes them; 1 for none coalesced */
	uint32_t lose_every;  /* calls: one of so many is not made; 0 none */
	uint32_t extra_calls; /* without a kick, after each round */
	bool awake;           /* the back-end does not sleep in the read that takes a kick */
};

/* Of the stamps on either side of a system call: what a probe sees of it lies between, however slow
 * or busy the machine is. */
enum { BEFORE, AFTER, STAMPS };

/* What both processes see. */
struct truth {
	uint64_t kick_ns[STAMPS][SAMPLES_MAX], wake_ns[STAMPS][SAMPLES_MAX],
	    call_ns[STAMPS][SAMPLES_MAX];
	_Atomic uint32_t turn;     /* round that the back-end may take */
	_Atomic uint32_t finished; /* rounds that it has done */
	_Atomic uint64_t kicks, wakes, calls;
};

struct pair {
	int kick, call;
	struct plan plan;
	struct truth *truth; /* shared memory */
};

/* Make a pair of eventfds with their shared memory. Exits where that fails. */
void pair_open(struct pair *pair, const struct plan *plan);

/* Let go of a pair. */
void pair_close(struct pair *pair);

/* Return an eventfd's id, as the kernel numbers them. */
uint32_t eventfd_id(int fd);

/* Start a back-end that serves @count pairs, a thread each, until killed. Returns its pid. */
pid_t back_end_start(struct pair *pair, unsigned count);

/* Run a pair's whole plan as the front-end. */
void front_end_run(struct pair *pair);

/* Return the permille quantile of the times from @from to @to, of @count samples. */
uint64_t quantile(const uint64_t *from, const uint64_t *to, size_t count, unsigned permille);

#endif
