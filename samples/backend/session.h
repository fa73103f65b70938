/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session with a front-end: its beginning, its end, and the device's reset within. */
#ifndef VHU_SAMPLES_BACKEND_SESSION_H
#define VHU_SAMPLES_BACKEND_SESSION_H

#include "samples/backend/backend.h"

/* Begin a session on a connected socket, which is the back-end's from now on. */
void vhu_backend_open(struct vhu_backend *backend, int socket);

/* End the session. */
void vhu_backend_close(struct vhu_backend *backend);

/* Stop all vrings; where they stand is not forgotten. */
void vhu_backend_stop(struct vhu_backend *backend);

/* Go back to how the device was before the driver came. */
void vhu_backend_reset(struct vhu_backend *backend);

#endif
