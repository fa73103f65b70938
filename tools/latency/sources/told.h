/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The eventfds of vrings, from the records of sessions.
 *
 * Ownership: what is kept belongs to a struct vhu_latency_told from opening to closing.
 */
#ifndef VHU_TOOLS_LATENCY_TOLD_H
#define VHU_TOOLS_LATENCY_TOLD_H

#include "lib/session/session.h"
#include "tools/latency/vrings/vrings.h"
#include "tools/rings/session/session.h"

/* What is kept of the records. All of it needs the lock of its vrings. */
struct vhu_latency_told {
	struct vhu_latency_vrings *vrings;
	struct vhu_sessions *sessions;
	struct vhu_rings_sessions *kept; /* what verdicts and metrics need; NULL: not kept
					  */
	uint64_t changed_ns;             /* when the last record came that may change a vring */
	/* A session that began before the capture, which names no eventfds of its vrings; session
	 * 0: there is none. */
	struct vhu_latency_nameless {
		uint64_t session;
		uint32_t back_end; /* process; 0: not known */
		bool said;
	} nameless;
};

/* Return what a session is called by the paths of its sides, "" if neither has any: the socket of
 * its front-end, else of its back-end. */
const char *vhu_latency_pair_name(const char *front_end, const char *back_end);

/* Begin. @keep: also what verdicts on vrings need. Returns 0 or -ENOMEM. */
int vhu_latency_told_open(struct vhu_latency_told *told, struct vhu_latency_vrings *vrings,
			  bool keep);
void vhu_latency_told_close(struct vhu_latency_told *told);

/*
 * Take one record: say in the vrings which eventfds its session's vrings have from now on.
 * @number: of the record. @time_ns: its time, by CLOCK_MONOTONIC.
 * Needs the vrings' lock. Returns 0; -ENOMEM: out of memory or of vrings.
 */
int vhu_latency_told_take(struct vhu_latency_told *told, const struct vhu_record *record,
			  uint64_t number, uint64_t time_ns);

/*
 * Write which session's kicks and calls cannot be counted, since its capture does not name the
 * eventfds, and what to do. Needs the vrings' lock.
 * @now_ns: by vhu_now_ns; until a second after the last record they may still come.
 * Returns whether there is such a session that was not written before.
 */
bool vhu_latency_told_nameless(struct vhu_latency_told *told, uint64_t now_ns, char *text,
			       size_t size);

#endif
