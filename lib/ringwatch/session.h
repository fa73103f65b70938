/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state of a session says of a vring, as verdicts on vrings take it. */
#ifndef VHU_RINGWATCH_SESSION_H
#define VHU_RINGWATCH_SESSION_H

#include "lib/ring/verdict/evidence.h"
#include "lib/session/state/state.h"

/*
 * Return what a state says of a vring, without the vring as it was when it was started.
 * @stopped, @disabled: which message stopped it and which one disabled it, if the state says that
 * one did; VHU_MESSAGES: not known.
 */
struct vhu_ring_session vhu_ringwatch_session(const struct vhu_state *state,
					      const struct vhu_vring *vring,
					      enum vhu_message_id stopped,
					      enum vhu_message_id disabled);

/* Return the place of a vring, without its memory and its in-flight area. */
struct vhu_ring_place vhu_ringwatch_place(const struct vhu_state *state,
					  const struct vhu_vring *vring);

/*
 * Copy the translations of IOVAs that a state has.
 * @to: gets them in growing order, to be freed by free; NULL if there are none. @count: how many.
 * Returns 0 or -ENOMEM.
 */
int vhu_ringwatch_translations(const struct vhu_state *state, struct vhu_ring_translation **to,
			       unsigned *count);

/* Return the request that has waited for its reply longest; its number is 0 if none waits.
 * @withheld: one whose reply the proxy kept back counts too. */
struct vhu_ring_pending vhu_ringwatch_pending(const struct vhu_state *state, bool withheld);

#endif
