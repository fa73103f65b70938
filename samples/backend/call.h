/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling the front-end: calls, and errors of vrings. */
#ifndef VHU_SAMPLES_BACKEND_CALL_H
#define VHU_SAMPLES_BACKEND_CALL_H

#include "samples/backend/backend.h"

/* Tell the front-end that requests of a vring were given back, late or never if a defect says so.
 */
void vhu_call(struct vhu_backend *backend, struct vhu_device_vring *ring);

/* The same, at once. */
void vhu_call_now(struct vhu_backend *backend, struct vhu_device_vring *ring);

/* Tell the front-end that a vring is broken. */
void vhu_call_error(struct vhu_backend *backend, struct vhu_device_vring *ring);

#endif
