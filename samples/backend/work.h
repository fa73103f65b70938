/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The work: requests are taken from vrings, done by the device, and given back. */
#ifndef VHU_SAMPLES_BACKEND_WORK_H
#define VHU_SAMPLES_BACKEND_WORK_H

#include "samples/backend/backend.h"

/* Do the requests of a vring, if it runs. */
void vhu_work(struct vhu_backend *backend, struct vhu_device_vring *ring);

/* Give back and call for what is due by @now. Returns when there is more, or VHU_CLOCK_NEVER. */
uint64_t vhu_work_due(struct vhu_backend *backend, struct vhu_device_vring *ring, uint64_t now);

/* Give back all that was taken, at once: the vring is going to stop. */
void vhu_work_drain(struct vhu_backend *backend, struct vhu_device_vring *ring);

/* Give up a vring whose memory says something impossible. @why: a text for people. */
void vhu_work_give_up(struct vhu_backend *backend, struct vhu_device_vring *ring, const char *why);

#endif
