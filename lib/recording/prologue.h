/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The past: of every session that is open, the records that made it what it is now. A file of a
 * capture that begins in the middle of sessions begins with them, so that it can be read alone.
 *
 * Theory of operation
 *
 * Each record is fed to lib/session, whose state of a session keeps the numbers of the records that
 * told what it knows. A record is kept while the state points at it, and so is the answer to a
 * request that is kept, the request to an answer, and what the meaning of these hangs on: fed
 * again, what is kept makes the same state, with the same requests waiting. What is pointed at no
 * more is let go of.
 *
 * All that is done later: what passes in a session is put aside, and looked at when there are some
 * KiB of it or when somebody asks. Of most sessions nobody asks until they have closed.
 *
 * Ownership: a past copies what it keeps. It has at most VHU_PROLOGUE_BYTES_MAX of a session; one
 * that would need more is not told of at all.
 */
#ifndef VHU_RECORDING_PROLOGUE_H
#define VHU_RECORDING_PROLOGUE_H

#include "lib/session/session.h"

/* Room for a session of all rings and regions that there can be. */
#define VHU_PROLOGUE_BYTES_MAX   (1u << 20)
/* Kept of a message at most: more than any that tells something has. */
#define VHU_PROLOGUE_MESSAGE_MAX 4096

struct vhu_prologue;

/* Return a past in which nothing has passed, to be freed by vhu_prologue_free; NULL out of memory.
 */
struct vhu_prologue *vhu_prologue_new(void);
void vhu_prologue_free(struct vhu_prologue *prologue);

/* Keep no records: states alone are asked for, and nothing can be told. */
void vhu_prologue_only_states(struct vhu_prologue *prologue);

/* Let @record pass into the past. What there is no memory for ends what is told of its session. */
void vhu_prologue_take(struct vhu_prologue *prologue, const struct vhu_record *record);

/* Return the state of a session that is open, as it is until the next record; NULL where it is not
 * known. */
const struct vhu_state *vhu_prologue_state(struct vhu_prologue *prologue, uint64_t session);

/*
 * Tell what has made the sessions that are open what they are: their records in the order in which
 * they passed, with their own times, marked VHU_MARK_EARLIER.
 * @tell: is given each, and which of all records that passed it was; what it returns but 0 ends the
 * telling.
 * Returns 0; -ENOMEM; what @tell returned.
 */
int vhu_prologue_tell(struct vhu_prologue *prologue,
		      int (*tell)(void *context, const struct vhu_record *record, uint64_t number),
		      void *context);

#endif
