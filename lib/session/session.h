/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a conversation means: fed the records of a capture in order, it finds out for each its
 * message type, its dialect, the layout of its payload, the request it answers, the memory it
 * points to, and the rules it breaks.
 *
 * Ownership: a note is the caller's, and holds nothing that must be freed. Messages and layouts
 * that it points to are the table's; its state and its findings last until the next record is fed.
 */
#ifndef VHU_SESSION_SESSION_H
#define VHU_SESSION_SESSION_H

#include "lib/session/annotation.h"

struct vhu_sessions;

/*
 * Return a new, empty memory of sessions, to be freed by vhu_sessions_free; NULL out of memory.
 * @remember: keep what was learnt of each session after it closed, for vhu_sessions_dialect and
 * vhu_sessions_rewind; without it, memory is bounded by the sessions open at once.
 */
struct vhu_sessions *vhu_sessions_new(bool remember);
void vhu_sessions_free(struct vhu_sessions *sessions);

/* Learn of messages, and hold none against the rules: there are no findings. */
void vhu_sessions_only_learn(struct vhu_sessions *sessions);

/* Learn of a session from its own records alone, as vhu_sessions_only_learn does, but hold them
 * against the rules. */
void vhu_sessions_learn_alone(struct vhu_sessions *sessions);

/* Take @dialect for granted in all sessions; VHU_ANY lets each be found out. */
void vhu_sessions_force_dialect(struct vhu_sessions *sessions, enum vhu_dialect dialect);

/* Take @device as the virtio device of all sessions; 0 lets each be found out. */
void vhu_sessions_force_device(struct vhu_sessions *sessions, uint32_t device);

/* Let a reply count as late after @ns; GET_VRING_BASE waits for requests in flight, and has
 * @drain_ns. The defaults are 1 s and 10 s. */
void vhu_sessions_late_after(struct vhu_sessions *sessions, uint64_t ns, uint64_t drain_ns);

/* Take it that the capture is still being written, and that it is @now_ns: requests that wait at
 * its end have waited until now. */
void vhu_sessions_go_on(struct vhu_sessions *sessions, uint64_t now_ns);

/*
 * Feed the next record and learn what it means.
 * @number: the record's, which later notes use to point back at it; from 1, growing.
 * Returns 0 or -ENOMEM; *@note is filled in either way.
 */
int vhu_session_feed(struct vhu_sessions *sessions, const struct vhu_record *record,
		     uint64_t number, struct vhu_annotation *note);

/*
 * End the sessions that are still open, one a call, where a capture ends without closing them.
 * Each ends with its own last record or, where the capture goes on (vhu_sessions_go_on), now:
 * others' records may be of another day, as captures may be merged. Where the capture's last record
 * says that it goes on elsewhere nothing is found then. Returns whether there was one; *@note then
 * has its state and what is found at its end.
 */
bool vhu_session_finish(struct vhu_sessions *sessions, struct vhu_annotation *note);

/*
 * Find requests of open sessions that have waited until @now_ns for longer than their limit, where
 * an answer must come: those of one session a call. Each request is found once, and not again when
 * its session or the capture ends. Returns whether there are any; *@note then has the session's
 * state and the findings.
 */
bool vhu_sessions_hung(struct vhu_sessions *sessions, uint64_t now_ns, struct vhu_annotation *note);

/* Write how a session stands or ended, as far as its messages tell: requests that wait for an
 * answer and since when, and what each side did last. Returns what snprintf would. */
int vhu_state_last_words(const struct vhu_state *state, char *to, size_t size);

/* Return the state of a session that is open; NULL where it is not known. It is as it is until the
 * next record is fed. */
const struct vhu_state *vhu_sessions_state(const struct vhu_sessions *sessions, uint64_t session);

/*
 * Forget all but what was learnt about each session's dialect and device, and take that as known
 * from the start when the same records are fed again. Needs @remember.
 */
void vhu_sessions_rewind(struct vhu_sessions *sessions);

/* Return what was learnt so far of a session's dialect; VHU_ANY: nothing, or no such session. */
enum vhu_dialect vhu_sessions_dialect(const struct vhu_sessions *sessions, uint64_t session);

/* Return what was learnt so far of a session's virtio device; 0: nothing, or no such session. */
uint32_t vhu_sessions_device(const struct vhu_sessions *sessions, uint64_t session);

#endif
