/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: it waits for front-ends, messages, kicks and times. */
#ifndef VHU_SAMPLES_BACKEND_SERVE_H
#define VHU_SAMPLES_BACKEND_SERVE_H

#include "samples/backend/backend.h"

/*
 * Serve front-ends until a signal says to stop.
 * @listener: where they connect, or -1. @connected: the only one, or -1. One of both is given.
 * Returns the exit status.
 */
int vhu_serve(struct vhu_backend *backend, int listener, int connected);

#endif
