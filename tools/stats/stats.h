/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics of a session: what passed, how long answers took, how its set-up went; and the forms
 * they are shown in.
 *
 * Ownership: a struct vhu_stats starts as all zero; vhu_stats_free frees what it holds. It borrows
 * nothing.
 */
#ifndef VHU_TOOLS_STATS_STATS_H
#define VHU_TOOLS_STATS_STATS_H

#include "lib/session/session.h"
#include "lib/util/histogram.h"

/* The parts of a set-up: all up to the first memory, memory, the first burst of vring messages. */
enum vhu_stats_phase_id {
	VHU_PHASE_NEGOTIATE,
	VHU_PHASE_MEMORY,
	VHU_PHASE_RINGS,
	VHU_PHASES,
};

struct vhu_stats_phase {
	uint64_t first, last;      /* numbers of messages; 0 not seen */
	uint64_t begin_ns, end_ns; /* times */
	uint64_t waiting_ns;       /* for replies, of that */
};

struct vhu_stats_setup {
	struct vhu_stats_phase phase[VHU_PHASES];
	bool rings_over;
	uint64_t first_kick;    /* number of the message; 0 none */
	uint64_t first_kick_ns; /* its time */
};

/* One side, as the record that opened the session tells. */
struct vhu_stats_peer {
	bool known;
	uint32_t pid;
	char comm[32];
	char path[VHU_RECORD_TEXT_MAX + 1];
};

/* Times of a vring that are counted. */
enum vhu_stats_time {
	VHU_STATS_KICK_TO_WAKE,
	VHU_STATS_WAKE_TO_CALL,
	VHU_STATS_KICK_TO_CALL,
	VHU_STATS_TIMES,
};

/* Vrings that are counted apart. */
#define VHU_STATS_VRINGS 256

/* What was recorded of one vring's kicks, wakes and calls. */
struct vhu_stats_vring {
	uint64_t signals[VHU_ACTS], lost[VHU_ACTS]; /* those that the proxy lost are among them */
	struct vhu_histogram time[VHU_STATS_TIMES]; /* in ns */
};

struct vhu_stats {
	struct vhu_stats_peer peer[2]; /* front-end, back-end */
	uint64_t sessions;             /* 1, or how many are summed up */
	uint64_t begin_ns, end_ns;     /* times of the first and the last record */
	uint64_t last_ns;              /* time of the latest record in the order they came */
	uint64_t clock_backs;          /* how often the clock went back between records */
	bool closed;
	char reason[VHU_RECORD_TEXT_MAX + 1]; /* why it closed */
	uint64_t from[2];                     /* messages of the front-end, of the back-end */
	uint64_t earlier;                     /* that passed before, and are not among them */
	uint64_t found[VHU_SEVERITIES];
	uint64_t unknown;          /* messages of unknown ids, and parts of headers */
	uint64_t snapshots, hangs; /* of vrings; those on which a vring hangs */
	char hang[1024];           /* the verdict of the last of these */
	uint64_t requests[VHU_MESSAGES], replies[VHU_MESSAGES];
	struct vhu_histogram *delay[VHU_MESSAGES]; /* of replies, in ns; NULL before the first */
	struct vhu_stats_setup setup;
	struct vhu_stats_vring *vring[VHU_STATS_VRINGS]; /* NULL before its first event */
	uint64_t events_left_out; /* of vrings beyond these, and of unknown kinds */
};

/* Count a record. @record: NULL at the end of a capture that leaves the session open. Returns 0 or
 * -ENOMEM. */
int vhu_stats_see(struct vhu_stats *stats, const struct vhu_record *record, uint64_t number,
		  const struct vhu_annotation *note);

/* Add what is counted in @from to @to. Returns 0 or -ENOMEM. */
int vhu_stats_add(struct vhu_stats *to, const struct vhu_stats *from);

/* Free what @stats holds. */
void vhu_stats_free(struct vhu_stats *stats);

/* Follow a session's set-up, one message after the other. */
void vhu_stats_setup_see(struct vhu_stats_setup *setup, const struct vhu_record *record,
			 uint64_t number, const struct vhu_annotation *note);

/* Count what happened on a vring. Returns 0 or -ENOMEM. */
int vhu_stats_vring_see(struct vhu_stats *stats, const struct vhu_vring_event *event);

/* Add the vrings of @from to those of @to. Returns 0 or -ENOMEM. */
int vhu_stats_vrings_add(struct vhu_stats *to, const struct vhu_stats *from);

/* Free what is counted of vrings. */
void vhu_stats_vrings_free(struct vhu_stats *stats);

/* Return the name of a part of a set-up. */
const char *vhu_stats_phase_name(enum vhu_stats_phase_id phase);

/* Show a session on standard output. @state: as it ended; NULL: @stats sums up several. @file: that
 * it is of; NULL: not shown. */
void vhu_stats_text(const struct vhu_stats *stats, const struct vhu_state *state);
void vhu_stats_json(const struct vhu_stats *stats, const struct vhu_state *state, const char *file);

#endif
