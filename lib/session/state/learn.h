/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What records change in the state of a session, and their parts as the state keeps them. */
#ifndef VHU_SESSION_STATE_LEARN_H
#define VHU_SESSION_STATE_LEARN_H

#include "lib/session/check_context.h"

/* Forget all of a state but its session's number, dialect and device: records are missing. */
void vhu_state_forget(struct vhu_state *state);

/* Free what a state holds. */
void vhu_state_free(struct vhu_state *state);

/* Remember a request that may be answered. Returns 0 or -ENOMEM. */
int vhu_state_ask(struct vhu_state *state, enum vhu_channel channel,
		  const struct vhu_pending *request);

/*
 * Take the oldest request of id @request out of those that wait: record @number answers it. Returns
 * whether there was one; *@skipped then is the oldest that an answer passes over for the first
 * time, if there is one.
 */
bool vhu_state_answer(struct vhu_state *state, enum vhu_channel channel, uint32_t request,
		      uint64_t number, struct vhu_pending *pending, struct vhu_pending *skipped);

/*
 * Note that the answer to the oldest unanswered @request was kept back: it stays unanswered. Where
 * the request was altered itself the answer is one that only the proxy had asked for.
 * Returns whether the answer is missed, and then in *@asked the request.
 */
bool vhu_state_withhold(struct vhu_state *state, enum vhu_channel channel, uint32_t request,
			struct vhu_pending *asked);

/* Note that the proxy has a hand in a record. */
void vhu_state_alter(struct vhu_state *state, uint64_t number);

/* Return whether a message takes the kick or call of a running vring away from it. */
bool vhu_vring_fd_is_replaced(const struct vhu_check_context *check, const struct vhu_vring *vring,
			      enum vhu_vring_role role);

/* Note that the back-end has taken all that was sent to it before record @number. */
void vhu_state_acknowledged(struct vhu_state *state, uint64_t number);

/* Change the state by a message, after it was checked. Returns 0 or -ENOMEM. */
int vhu_state_learn(struct vhu_check_context *check, uint32_t forced_device);

/* Return a region from a message: at @base of its payload, with the @fd-th descriptor. */
struct vhu_region vhu_check_region(const struct vhu_check_context *check, uint32_t base,
				   unsigned fd);

/* Return an inflight area from a message. */
struct vhu_inflight_area vhu_check_inflight_area(const struct vhu_check_context *check);

/* Take a dialect, told by record @number, as the session's, unless a surer sign told another. */
void vhu_state_learn_dialect(struct vhu_state *state, enum vhu_dialect dialect, bool sure,
			     uint64_t number);

/* Learn from a record of what happened on a vring. */
void vhu_learn_vring_event(struct vhu_check_context *check);

/* Return a mapping, a shared object or the sizes of shared memory from a message. */
struct vhu_object vhu_check_mapping(const struct vhu_check_context *check);
struct vhu_object vhu_check_shared(const struct vhu_check_context *check);
struct vhu_shmem vhu_check_shmem(const struct vhu_check_context *check);

/* Return a crypto session as an object. */
struct vhu_object vhu_check_crypto_session(uint64_t id);

#endif
