/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What prologue.c and prologue_keep.c share. */
#ifndef VHU_RECORDING_PROLOGUE_INTERNAL_H
#define VHU_RECORDING_PROLOGUE_INTERNAL_H

#include "lib/recording/prologue.h"

/* A record that has passed; its bytes follow. */
struct vhu_prologue_passed {
	uint64_t number; /* in order of all */
	uint64_t time_ns;
	uint64_t sent; /* bytes with all of the message */
	uint32_t size; /* bytes with what is kept of it */
	uint16_t marks;
	uint8_t channel;
	bool from_back_end;
	bool bare;   /* a message and nothing else: only its bytes follow */
	bool in_one; /* bare: it came in one piece */
};

/* A record as it is kept. */
struct vhu_prologue_record {
	struct vhu_prologue_passed passed;
	uint64_t partner; /* of a request its answer's, of an answer its request's; 0 none */
	/* What takes back what it adds to the memory, the latest, and what did so before for the
	 * same record; what it takes back itself; 0 none. */
	uint64_t undone_by, undone_before, undoes;
	uint64_t offer; /* the record that offered the features that it acks; 0 none */
	uint64_t read_by[VHU_READ_BY]; /* what else its meaning depends on */
	bool needed;                   /* while that is found out */
	bool translates;               /* it added a translation of IOVAs, */
	bool in_force;                 /* which the state still has */
	uint8_t *bytes;                /* the record as it is encoded, then the message */
};

/* A session that is open. */
struct vhu_prologue_session {
	struct vhu_prologue_session *next; /* in its list */
	uint64_t number;
	struct vhu_prologue_record *record; /* in growing order */
	unsigned records, record_room;
	size_t bytes;
	uint8_t
	    *passed; /* what was not looked at yet: struct vhu_prologue_passed, and their bytes */
	size_t used, room;
	bool given_up;
};

/* The records of a session that are looked at: those that are kept, then those that have passed,
 * whose bytes are not theirs. */
struct vhu_prologue_work {
	struct vhu_prologue_record *record;
	unsigned records, room;
};

/* prologue_keep.c: begin with what is kept of @session. Returns whether there was memory for that.
 */
bool vhu_prologue_work_begin(struct vhu_prologue_work *work,
			     const struct vhu_prologue_session *session);
/* prologue_keep.c: add the latest record, which @note explains. Returns whether there was memory
 * for that. */
bool vhu_prologue_work_add(struct vhu_prologue_work *work, const struct vhu_prologue_passed *passed,
			   uint8_t *bytes, const struct vhu_annotation *note);
/* prologue_keep.c: let @session keep those records that @state, its own or NULL, points at, and let
 * go of the others. Returns whether there was room for them; else all that it keeps is as it was.
 */
bool vhu_prologue_work_keep(struct vhu_prologue_work *work, struct vhu_prologue_session *session,
			    const struct vhu_state *state);

#endif
