/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is remembered of sessions after they closed: of each its dialect and device, and of each
 * back-end's socket the device of its latest session.
 *
 * Ownership: a struct vhu_recall that is all zeros is empty; vhu_recall_free frees what it holds.
 */
#ifndef VHU_SESSION_RECALL_H
#define VHU_SESSION_RECALL_H

#include "lib/session/state/state.h"

/* Sockets whose numbers agree in this modulus share a place: the later one takes it. */
#define VHU_RECALL_SOCKETS 256

struct vhu_recall {
	struct vhu_recalled {
		uint64_t id;
		enum vhu_dialect dialect;
		uint64_t dialect_told_at; /* as in the state */
		uint32_t device;
	} * session; /* in growing order of ids */
	size_t sessions, room;
	struct {
		uint64_t number;
		uint32_t device;
	} socket[VHU_RECALL_SOCKETS];
};

void vhu_recall_free(struct vhu_recall *recall);

/* Return what is remembered of session @id, or NULL. It is valid until the next call that
 * remembers. */
const struct vhu_recalled *vhu_recall_find(const struct vhu_recall *recall, uint64_t id);

/* Remember a session's dialect and device as its state has them. Returns 0 or -ENOMEM. */
int vhu_recall_keep(struct vhu_recall *recall, const struct vhu_state *state);

/* Return a number for a socket's path; 0 for none. */
uint64_t vhu_recall_number(const char *path);

/* Remember the device of a socket's latest session. */
void vhu_recall_keep_device(struct vhu_recall *recall, uint64_t socket, uint32_t device);

/* Return whether a socket's device is remembered, and in *@device which it is. */
bool vhu_recall_device(const struct vhu_recall *recall, uint64_t socket, uint32_t *device);

/* Forget the devices of sockets. */
void vhu_recall_forget_devices(struct vhu_recall *recall);

#endif
