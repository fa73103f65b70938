/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main socket: messages are received, checked, handled and answered. */
#ifndef VHU_SAMPLES_BACKEND_CONTROL_H
#define VHU_SAMPLES_BACKEND_CONTROL_H

#include "samples/backend/backend.h"

/*
 * Receive what there is, and answer a message that is whole.
 * Returns 0: go on; -EPIPE: the front-end is gone; other -errno: the session cannot go on, and why
 * was said.
 */
int vhu_control(struct vhu_backend *backend);

#endif
