/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a conversation means: fed the records of a capture in order, it tells for each which message
 * it is, of which dialect, how its payload lies, and which request it answers.
 *
 * Ownership: a note is the caller's, and holds nothing that must be freed; what it points to is
 * the table's.
 */
#ifndef VHU_SESSION_SESSION_H
#define VHU_SESSION_SESSION_H

#include "lib/capture/record.h"

struct vhu_sessions;

/* What a record of type VHU_RECORD_MESSAGE means. For other types all but `context` is zero. */
struct vhu_note {
	bool has_header; /* all 12 bytes of it are there */
	struct vhu_header header;
	struct vhu_payload payload; /* what follows the header; lasts as long as the record */

	bool reply;
	const struct vhu_message *message;	  /* NULL: an id that no dialect knows */
	const struct vhu_message *or_message; /* it may be this one too: nothing told the dialect yet */
	const struct vhu_layout *layout;	  /* of the payload; NULL without message */
	struct vhu_context context;		  /* what was known when it passed */

	uint64_t request_number; /* reply: number of the record that it answers; 0 not found */
	uint64_t delay_ns;	 /* reply: since then */
};

/*
 * Return a new, empty memory of sessions, to be freed by vhu_sessions_free; NULL out of memory.
 * @remember: keep what was learnt of each session after it closed, for vhu_sessions_dialect and
 * vhu_sessions_rewind; without it, memory is bounded by the sessions open at once.
 */
struct vhu_sessions *vhu_sessions_new(bool remember);
void vhu_sessions_free(struct vhu_sessions *sessions);

/* Take @dialect for granted in all sessions; VHU_ANY lets each be found out. */
void vhu_sessions_force_dialect(struct vhu_sessions *sessions, enum vhu_dialect dialect);

/* Take @device as the virtio device of all sessions; 0 lets each be found out. */
void vhu_sessions_force_device(struct vhu_sessions *sessions, uint32_t device);

/*
 * Feed the next record and learn what it means.
 * @number: the record's, which later notes use to point back at it; from 1, growing.
 * Returns 0 or -ENOMEM; *@note is filled in either way.
 */
int vhu_session_feed(struct vhu_sessions *sessions, const struct vhu_record *record,
		     uint64_t number, struct vhu_note *note);

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
void vhu_note_again(struct vhu_note *note, const struct vhu_record *record,
		    const struct vhu_context *context);

/* Write the message's name as people say it: "SET_VRING_KICK", "GET_CONFIG reply",
 * "GET_BACKEND_SPECS or GET_DEVICE_ID", "message 77". Returns what snprintf would. */
int vhu_note_name(const struct vhu_note *note, const struct vhu_record *record, char *to,
		  size_t size);

/*
 * Write what a record says as a sentence without its time, session and direction:
 * "SET_VRING_KICK vring 0, eventfd 9". Works for every type of record.
 * Returns what snprintf would.
 */
int vhu_note_text(const struct vhu_note *note, const struct vhu_record *record, char *to,
		  size_t size);

#endif
