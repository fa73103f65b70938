/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu top knows: sources, their sessions and vrings, and the rates a second. No I/O.
 *
 * A source is asked again and again. Of each answer the sessions are begun, filled in and ended,
 * then the source is: what it does not mention any more is dropped. Rates and times are those
 * between the last two answers, by the source's own clock.
 *
 * Ownership: a struct vhu_top owns its sources, which own their sessions and vrings.
 */
#ifndef VHU_TOOLS_TOP_TABLE_MODEL_H
#define VHU_TOOLS_TOP_TABLE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/protocol/protocol.h"
#include "lib/util/histogram.h"

/* Room for a path and for an error; longer ones are cut. */
#define VHU_TOP_NAME    256
#define VHU_TOP_WORD    32
#define VHU_TOP_VERDICT 8

enum { VHU_TOP_FRONT, VHU_TOP_BACK, VHU_TOP_SIDES };

/* How a vring is, the worst last. */
enum vhu_top_state {
	VHU_TOP_OFF,     /* it is not started */
	VHU_TOP_ON,      /* it is started, and no source counts its kicks and calls */
	VHU_TOP_LISTENS, /* probes have not listened for long enough to say more */
	VHU_TOP_QUIET,   /* probes have seen no kick and no call of the whole session */
	VHU_TOP_IDLE,    /* no kick and no call */
	VHU_TOP_RUNS,    /* kicks or calls */
	VHU_TOP_POLLS,   /* it gets no kicks: its back-end looks all the time */
	VHU_TOP_WAITS,   /* kicks without a call, as buffers for input have */
	VHU_TOP_NOREPLY, /* a request of its session has waited too long for its reply */
	VHU_TOP_STALLED, /* its kicks wait too long */
	VHU_TOP_STATES
};

/* What a source says of a vring. */
struct vhu_top_told {
	unsigned index;
	bool started, polling;
	bool stalled;                  /* as the source itself judges */
	char verdict[VHU_TOP_VERDICT]; /* the verdict's id; "" none */
	bool counted;                  /* the rest is known */
	uint64_t kicks, calls;         /* all since the source began to count */
	struct vhu_histogram delay;    /* from kick to call, ns; the same */
	uint64_t waiting;              /* kicks that had no call yet */
	uint64_t waiting_ns;           /* and how long the oldest has waited */
	uint64_t in_turn;              /* kicks before these, in a row, that had a call each */
	bool untaken;                  /* the back-end has not read the oldest */
	/* In the place of kicks, calls and delay: what the source has worked out itself. */
	bool worked_out, timed;
	double kicks_per_s, calls_per_s;
	uint64_t p50_ns, p99_ns, max_ns;
};

struct vhu_top_vring {
	struct vhu_top_told now, before;
	bool seen;  /* in the answer that is being taken */
	bool rated; /* there was an answer before, so that the following is known */
	double kicks_per_s, calls_per_s;
	bool timed; /* kicks had calls meanwhile */
	uint64_t p50_ns, p99_ns, max_ns;
	enum vhu_top_state state;
};

struct vhu_top_peer {
	uint32_t pid; /* 0 not known */
	char comm[VHU_TOP_WORD];
	char path[VHU_TOP_NAME];
};

/* What is known of a session without a proxy whose vrings have had no traffic. */
struct vhu_top_silence {
	bool known;
	bool listens;          /* traffic may yet be recognised */
	uint64_t for_ns;       /* since nothing was seen */
	unsigned signalled;    /* eventfds that are signalled and not read */
	uint64_t signalled_ns; /* and for how long that is seen of the first of them */
	bool hangs;            /* as vhu rings judges */
	char verdict[VHU_TOP_VERDICT];
};

struct vhu_top_session {
	uint64_t number;
	bool unnumbered; /* the number is not one that a person meets elsewhere */
	bool seen;
	uint64_t clock_ns, clock_before_ns; /* of the source, at the last two answers */
	uint32_t device_id;
	char device[VHU_TOP_WORD];
	struct vhu_top_peer peer[VHU_TOP_SIDES];
	bool messages_known;
	uint64_t messages, messages_before;
	bool rated;
	double messages_per_s;
	char waiting_for[VHU_TOP_WORD]; /* the request that has waited longest; "" none */
	uint64_t waiting_ns;
	bool stopped; /* the back-end's process is, as by SIGSTOP */
	struct vhu_top_silence silence;
	char hint[VHU_TOP_NAME];  /* what would give verdicts on its vrings; "" nothing */
	enum vhu_top_state state; /* if it has no vrings */
	bool cpu_known;
	double cpu; /* percent of a processor that the back-end took */
	struct vhu_top_vring **vring;
	unsigned vrings;
};

struct vhu_top_source {
	char name[VHU_TOP_NAME];
	bool here;                /* it answers */
	bool probed;              /* it is no proxy */
	bool named;               /* a person has named it */
	bool met;                 /* it was here once */
	bool listens;             /* somebody is there, who may be stopped */
	char error[VHU_TOP_NAME]; /* why it does not */
	uint64_t since_ns;        /* when that changed last, by vhu_now_ns */
	struct vhu_top_session **session;
	unsigned sessions;
};

struct vhu_top {
	uint64_t stall_ns; /* what waits for longer has stalled */
	struct vhu_top_source **source;
	unsigned sources;
	const char *among, *none; /* where sources are looked for, and what to say if there is none;
				     borrowed; NULL: nowhere */
};

/* Return a source that a person has named and that was never there; NULL if all were. */
const struct vhu_top_source *vhu_top_missing(const struct vhu_top *top);

/* Return the source called @name, made if it is new; NULL out of memory. */
struct vhu_top_source *vhu_top_source(struct vhu_top *top, const char *name);

/* A source cannot be asked, for the reason @error. Its sessions are dropped. */
void vhu_top_source_gone(struct vhu_top_source *source, const char *error, uint64_t now_ns);

/* An answer of a source was taken whole: drop the sessions that it did not mention. */
void vhu_top_source_end(struct vhu_top_source *source, uint64_t now_ns);

/*
 * Begin to take what a source says of session @number. @clock_ns: the source's time; if that went
 * back it is another session.
 * Returns the session, to be filled in; NULL out of memory.
 */
struct vhu_top_session *vhu_top_session_begin(struct vhu_top_source *source, uint64_t number,
					      uint64_t clock_ns);

/* Take what is said of a vring. @told: its histogram is the session's from now on, whatever comes
 * of it. Returns 0 or -ENOMEM. */
int vhu_top_session_vring(struct vhu_top_session *session, struct vhu_top_told *told);

/* All of a session was taken: drop the vrings that were not, work out what there is a second. */
void vhu_top_session_end(struct vhu_top_session *session);

/* Say how each vring of a session is, or the session if it has none. What else is known of it is in
 * session->stopped. */
void vhu_top_session_judge(const struct vhu_top *top, struct vhu_top_session *session);

/* Return the word for a state. */
const char *vhu_top_state_name(enum vhu_top_state state);

void vhu_top_free(struct vhu_top *top);

#endif
