/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prologue: for every open session, the records that made the session what it is now. A file
 * that begins in the middle of sessions repeats these records first, so that it can be read alone.
 *
 * Theory of operation
 *
 * Each record is fed to lib/session, whose state of a session keeps for each fact the number of the
 * record that told it (lib/session/state/state.def). The prologue keeps a record while the state
 * refers to it, and with it the answer to a request, the request of an answer, and the records on
 * which their meaning depends. Fed again, the kept records make the same state, with the same
 * requests waiting. Records that nothing refers to any more are freed.
 *
 * This work is deferred: records of a session are set aside, and looked at when there are 4 KiB of
 * them or when a caller asks. Most sessions close before a caller asks.
 *
 * Ownership: a prologue copies what it keeps, at most VHU_PROLOGUE_BYTES_MAX for a session. A
 * session that needs more is left out.
 */
#ifndef VHU_RECORDING_PROLOGUE_H
#define VHU_RECORDING_PROLOGUE_H

#include "lib/session/session.h"

/* Room for a session with the largest number of vrings and regions, or of translations with their
 * replies. */
#define VHU_PROLOGUE_BYTES_MAX   (2u << 20)
/* Bytes kept of a message at most: no message with a fact is larger. */
#define VHU_PROLOGUE_MESSAGE_MAX 4096

struct vhu_prologue;

/* Return an empty prologue, to be freed by vhu_prologue_free; NULL out of memory. */
struct vhu_prologue *vhu_prologue_new(void);
void vhu_prologue_free(struct vhu_prologue *prologue);

/* Keep no records, only states: vhu_prologue_tell has nothing to give then. */
void vhu_prologue_only_states(struct vhu_prologue *prologue);

/*
 * Hold what passes against the rules too, before the first record. Of messages that is their first
 * VHU_PROLOGUE_MESSAGE_MAX bytes; events of vrings are not looked at.
 * @found: gets @context and each finding, at the latest when the session closes or is asked for.
 */
void vhu_prologue_check(struct vhu_prologue *prologue,
			void (*found)(void *context, const struct vhu_finding *finding),
			void *context);

/* Add @record. If memory runs out the prologue leaves out the session of the record. */
void vhu_prologue_take(struct vhu_prologue *prologue, const struct vhu_record *record);

/* Return the state of an open session, valid until the next record; NULL if it is not known. */
const struct vhu_state *vhu_prologue_state(struct vhu_prologue *prologue, uint64_t session);

/*
 * Give the records that explain the open sessions, in their original order,
 * with their own times, marked VHU_MARK_EARLIER.
 * @tell: gets @context, each record, and the record's number among all that were added for a
 * session; any value but 0 stops.
 * Returns 0, -ENOMEM or the value that @tell stopped with.
 */
int vhu_prologue_tell(struct vhu_prologue *prologue,
		      int (*tell)(void *context, const struct vhu_record *record, uint64_t number),
		      void *context);

#endif
