/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that learn from messages share among themselves. */
#ifndef VHU_SESSION_STATE_INTERNAL_H
#define VHU_SESSION_STATE_INTERNAL_H

#include "lib/session/state/learn.h"

/* vring.c: what messages change in the session's vrings. */

/* Learn from a message about one vring, whose index is below VHU_VRINGS_MAX. Returns 0 or
 * -ENOMEM. */
int vhu_learn_vring(struct vhu_check_context *check);

/* Stop and disable all vrings: the device was reset. */
void vhu_learn_reset(struct vhu_check_context *check);

/* object.c: what messages change in what the sides have named. */

/* Learn from a message about shared memory, crypto sessions or shared objects. Returns 0 or
 * -ENOMEM. */
int vhu_learn_object(struct vhu_check_context *check);

/* Forget all mappings of shared memory: the device was reset. */
void vhu_learn_unmapped(struct vhu_state *state);

/* translation.c: what messages change in the translations of IOVAs. */

/* Learn from a message about the IOTLB. Returns 0 or -ENOMEM. */
int vhu_learn_iotlb(struct vhu_check_context *check);

/* memory.c: what messages change in the session's memory. */

/* Take a memory table. In postcopy it may also be the u64 that ends the exchange of addresses.
 * Returns 0 or -ENOMEM. */
int vhu_learn_mem_table(struct vhu_check_context *check);

/* Take a region that is added or removed. Returns 0 or -ENOMEM. */
int vhu_learn_region(struct vhu_check_context *check, bool add);

#endif
