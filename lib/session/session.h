/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a conversation means: fed the records of a capture in order, it tells for each which message
 * it is, of which dialect, how its payload lies, which request it answers, where in memory it
 * points, and which rules it breaks.
 *
 * Ownership: a note is the caller's, and holds nothing that must be freed. Messages and layouts
 * that it points to are the table's; its state and its findings last until the next record is fed.
 */
#ifndef VHU_SESSION_SESSION_H
#define VHU_SESSION_SESSION_H

#include "lib/capture/record.h"
#include "lib/session/rules/rules.h"
#include "lib/session/state.h"

struct vhu_sessions;

/* Where something that a message names lies. */
struct vhu_place {
	const char *what; /* "descriptor area" */
	unsigned region;  /* its place in the session's memory */
	uint64_t offset;  /* bytes, from the region's beginning */
};
#define VHU_PLACES_MAX 3
#define VHU_READ_BY    3

/* What a record of type VHU_RECORD_MESSAGE means. For other types all but `context` is zero. */
struct vhu_annotation {
	bool has_header; /* all 12 bytes of it are there */
	struct vhu_header header;
	struct vhu_payload payload; /* what follows the header; lasts as long as the record */

	bool reply;
	const struct vhu_message *message;    /* NULL: an id that no dialect knows */
	const struct vhu_message *or_message; /* or this one: nothing told the dialect yet */
	const struct vhu_layout *layout;      /* of the payload; NULL without message */
	struct vhu_context context;           /* what was known when it passed */

	uint64_t request_number; /* reply: number of the record that it answers; 0 not found */
	uint64_t delay_ns;       /* reply: since then */

	int vring;           /* that the message is about; -1 none */
	uint64_t offered_by; /* the message takes features: what offered them, 0 none */
	uint64_t offer;
	/* The message has several layouts: what tells them apart, that is what took virtio and
	 * protocol features by then, and what began postcopy or ended it; 0 none. */
	uint64_t read_by[VHU_READ_BY];
	unsigned places;
	struct vhu_place place[VHU_PLACES_MAX];

	const struct vhu_state *state;     /* of the session, after this record; NULL: none kept */
	const struct vhu_finding *finding; /* what this record breaks */
	unsigned findings;
};

/*
 * Return a new, empty memory of sessions, to be freed by vhu_sessions_free; NULL out of memory.
 * @remember: keep what was learnt of each session after it closed, for vhu_sessions_dialect and
 * vhu_sessions_rewind; without it, memory is bounded by the sessions open at once.
 */
struct vhu_sessions *vhu_sessions_new(bool remember);
void vhu_sessions_free(struct vhu_sessions *sessions);

/* Learn of messages, and hold none against the rules: there are no findings. */
void vhu_sessions_only_learn(struct vhu_sessions *sessions);

/* Take @dialect for granted in all sessions; VHU_ANY lets each be found out. */
void vhu_sessions_force_dialect(struct vhu_sessions *sessions, enum vhu_dialect dialect);

/* Take @device as the virtio device of all sessions; 0 lets each be found out. */
void vhu_sessions_force_device(struct vhu_sessions *sessions, uint32_t device);

/* Let a reply count as late after @ns; GET_VRING_BASE waits for requests in flight, and has
 * @drain_ns. The defaults are 1 s and 10 s. */
void vhu_sessions_late_after(struct vhu_sessions *sessions, uint64_t ns, uint64_t drain_ns);

/*
 * Feed the next record and learn what it means.
 * @number: the record's, which later notes use to point back at it; from 1, growing.
 * Returns 0 or -ENOMEM; *@note is filled in either way.
 */
int vhu_session_feed(struct vhu_sessions *sessions, const struct vhu_record *record,
		     uint64_t number, struct vhu_annotation *note);

/*
 * End the sessions that are still open, one a call, where a capture ends without closing them.
 * Where its last record says that it goes on elsewhere nothing is found then. Returns whether there
 * was one; *@note then has its state and what is found at its end.
 */
bool vhu_session_finish(struct vhu_sessions *sessions, struct vhu_annotation *note);

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

/*
 * Say again what a message is, of which a note was made before more was learnt about its session:
 * fills in @note for @record as vhu_session_feed did, with @context, and feeds nothing.
 * note->request_number and note->delay_ns are left alone.
 */
void vhu_annotation_again(struct vhu_annotation *note, const struct vhu_record *record,
			  const struct vhu_context *context);

/* Write the message's name as people say it: "SET_VRING_KICK", "GET_CONFIG reply",
 * "GET_BACKEND_SPECS or GET_DEVICE_ID", "message 77". Returns what snprintf would. */
int vhu_annotation_name(const struct vhu_annotation *note, const struct vhu_record *record,
			char *to, size_t size);

/*
 * Write what a record says as a sentence without its time, session and direction:
 * "SET_VRING_KICK vring 0, eventfd 9". Works for every type of record.
 * Returns what snprintf would.
 */
int vhu_annotation_text(const struct vhu_annotation *note, const struct vhu_record *record,
			char *to, size_t size);

#endif
