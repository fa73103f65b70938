/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a vring when somebody asks why it hangs: two samples of its memory and its
 * eventfds, 100 ms apart or more, and what the session, the processes and the probes say.
 *
 * Whoever asks fills in what it knows. All zero is a valid "not known" for every part but the two
 * rings. Numbers of messages are those of the capture; 0 for no message.
 */
#ifndef VHU_RING_VERDICT_EVIDENCE_H
#define VHU_RING_VERDICT_EVIDENCE_H

#include <limits.h>

#include "lib/protocol/protocol.h"
#include "lib/ring/chain.h"
#include "lib/ring/request.h"

/* Samples closer to each other prove nothing, nanoseconds. */
#define VHU_RING_SAMPLES_APART UINT64_C(100000000)

/* The counter of an eventfd, found by its id in fdinfo. */
struct vhu_ring_counter {
	bool known;
	uint32_t id;
	uint64_t count;
	/* A proxy stands between: its reader has another eventfd than the side that signals. */
	bool interposed;
	uint32_t instead_of; /* the front-end's, if `interposed` and `known` */
};

/* Who waits for an eventfd with poll, select or epoll. */
enum vhu_ring_poller {
	VHU_RING_POLLER_UNKNOWN,
	VHU_RING_POLLER_NONE,  /* no process: the owner looks by itself, or is deaf */
	VHU_RING_POLLER_LEVEL, /* its owner, woken as long as it is not read */
	VHU_RING_POLLER_EDGE,  /* its owner, woken by each signal */
};

/* A process of the session. */
struct vhu_ring_process {
	bool known;
	uint32_t pid;
	char state;      /* of /proc/PID/stat: R, S, D, T, Z; X: it is gone */
	uint64_t unread; /* bytes in the receive queue of its end of the socket */
};

/* One look at a vring. */
struct vhu_ring_sample {
	uint64_t time_ns;
	int ring_error; /* 0, or why `ring` could not be read: an error of vhu_ring_snapshot_read */
	struct vhu_ring_snapshot ring;
	struct vhu_ring_look look; /* of the oldest requests */
	struct vhu_ring_counter kick, call;
	struct vhu_ring_process front_end, back_end;
	struct vhu_ring_process proxy; /* that stands between kicks and calls */
	/* The front-end's own view of the ring's indexes, through /proc/PID/mem. */
	bool view_known;
	uint16_t view_available, view_used;
	/* Which call eventfds the back-end holds. */
	bool call_holders_known;
	bool holds_call;     /* the current one of SET_VRING_CALL */
	bool holds_old_call; /* one that an earlier SET_VRING_CALL of this vring brought */
	/* The oldest request on the socket that is not answered; number 0: none. */
	struct vhu_ring_pending {
		uint64_t number;
		enum vhu_message_id message;
		uint64_t age_ns;
		bool from_back_end; /* on the back-end channel: the front-end is to answer */
	} pending;
};

/* What the session says of the vring. */
struct vhu_ring_session {
	bool known;
	bool started, enabled;
	uint64_t stopped_by; /* the message that stopped or disabled it */
	enum vhu_message_id stopped_message;
	bool polled;      /* SET_VRING_KICK with bit 8: no kick will come */
	uint64_t base_by; /* SET_VRING_BASE; 0: none */
	uint32_t base;    /* in the format of the ring */
	/* The vring's available index when it was started, if somebody read it then. */
	bool start_known;
	uint16_t start_available;
};

/* What probes on the eventfds counted between two times, or since an earlier look. */
struct vhu_ring_probes {
	bool known;
	uint64_t since_ns, until_ns;
	uint16_t available, used;     /* of the ring at `since_ns` */
	uint64_t kicks, wakes, calls; /* wakes: the back-end read the kick */
};

/* Kicks and calls that reached the other side, as a proxy or a probe counted them since the session
 * began. */
struct vhu_ring_signals {
	bool known;
	uint64_t kicks, calls;
	uint64_t open_kicks;       /* since the last call */
	uint64_t open_ns;          /* the age of the first of these */
	uint64_t in_turn;          /* kicks before these, in a row, that had a call each */
	bool lost_kick, lost_call; /* a fault of the proxy lost the latest one */
};

/* Looks at a vring between the samples. Each one makes it less likely that a busy vring seems to be
 * at rest, and shows what becomes of the kick's counter. */
struct vhu_ring_watch {
	unsigned looks,
	    moves;       /* moves: looks that found the vring changed since the older sample */
	unsigned counts; /* looks that knew the counter */
	unsigned falls;  /* of the counter, from one look to the next */
	/* Times that the ring was empty at rest from one look to the next, 5 ms or more, and the
	 * kick was not read. */
	unsigned rests;
	struct vhu_ring_watch_last {
		uint64_t time_ns, count;
		uint16_t used;
		bool empty; /* nothing waited and the counter was above 0 */
	} last;
};

/* How the two sides map the memory that holds the ring. */
struct vhu_ring_mappings {
	bool known;
	bool private_map; /* one side has mapped it private */
	bool other_file;  /* the sides have mapped different files */
	bool back_end;    /* it is the back-end whose mapping is wrong */
};

/* Eventfds of earlier set-ups that are still open. */
struct vhu_ring_dead {
	bool known;
	unsigned held;   /* by the back-end, kick, call and err of all vrings */
	unsigned resets; /* times that vrings were set up again */
	uint64_t since;  /* the message that replaced the first one of them */
};

/* In place of a vring: the evidence is of a session that has none yet. */
#define VHU_RING_NO_VRING UINT_MAX

struct vhu_ring_evidence {
	unsigned vring;                    /* its index, or VHU_RING_NO_VRING */
	const struct vhu_context *context; /* device and features; NULL: not known */
	struct vhu_ring_sample sample[2];  /* older, newer */
	enum vhu_ring_poller kick_poller, call_poller;
	struct vhu_ring_session session;
	struct vhu_ring_probes probes;
	struct vhu_ring_signals signals;
	struct vhu_ring_watch watch; /* begins as all 0; see vhu_ring_watch_add */
	struct vhu_ring_mappings mappings;
	struct vhu_ring_dead dead;
	/* The control socket of a proxy of the session, and the session's number there, 0: not
	 * known. NULL: there is none. */
	const char *control;
	uint64_t at_control;
	bool waiting_since_known;
	uint64_t waiting_since_ns; /* how long the oldest buffer has waited */
};

/* Read a vring's memory and its oldest requests into a sample, in place of those that it has. The
 * rest of the sample is the caller's to fill in. */
void vhu_ring_sample_read(const struct vhu_ring_place *place, struct vhu_ring_sample *sample);

/* Free what a sample holds. */
void vhu_ring_sample_free(struct vhu_ring_sample *sample);

/* Add a look to a watch. @older: the sample before. @time_ns: of this look, as of samples. @ring
 * and
 * @kick: what was seen; either may be NULL if it was not looked at. */
void vhu_ring_watch_add(struct vhu_ring_watch *watch, const struct vhu_ring_sample *older,
			uint64_t time_ns, const struct vhu_ring_snapshot *ring,
			const struct vhu_ring_counter *kick);

#endif
