/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back-end: one device, and the session with the front-end of the moment.
 *
 * main.c fills in what it is; serve.c waits for things to happen; control.c answers messages;
 * work.c does the requests in the rings; call.c tells the front-end of them.
 */
#ifndef VHU_SAMPLES_BACKEND_BACKEND_H
#define VHU_SAMPLES_BACKEND_BACKEND_H

#include "lib/cli/options.h"
#include "lib/protocol/message_io.h"
#include "samples/backend/device.h"
#include "samples/backend/fault.h"
#include "samples/backend/inflight.h"
#include "samples/backend/upcall.h"

/* Vrings of a device, at most. */
#define VHU_RINGS_MAX 64

struct vhu_backend {
	/* What it is, for all of its life. */
	const struct vhu_command *command; /* says things in its name */
	bool verbose;
	struct vhu_device *device;
	uint64_t features, protocol_features; /* offered */
	enum vhu_dialect dialect;
	uint64_t delay; /* nanoseconds between a request's execution and its end */
	struct vhu_misbehaviours faults;

	/* The session; all of it begins anew with each connection. */
	int socket; /* -1: there is none */
	struct vhu_message_buf request;
	struct vhu_context negotiated;
	uint64_t status; /* the device's, as VIRTIO_CONFIG_S_... */
	struct vhu_memory memory;
	struct vhu_log log;
	struct vhu_inflight inflight;
	struct vhu_upcall upcall;
	struct vhu_device_vring ring[VHU_RINGS_MAX];
	struct vhu_chain chain; /* the request at hand */
};

/* Return whether a virtio feature or a protocol feature is negotiated. */
bool vhu_backend_has(const struct vhu_backend *backend, unsigned feature);
bool vhu_backend_has_protocol(const struct vhu_backend *backend, unsigned feature);

/* Begin a session on a connected socket, which is the back-end's from now on. */
void vhu_backend_open(struct vhu_backend *backend, int socket);

/* End the session. */
void vhu_backend_close(struct vhu_backend *backend);

/* Stop all vrings; where they stand is not forgotten. */
void vhu_backend_stop(struct vhu_backend *backend);

/* Go back to how the device was before the driver came. */
void vhu_backend_reset(struct vhu_backend *backend);

/* Give up a ring: its memory says what cannot be. @why: a text. */
void vhu_backend_break(struct vhu_backend *backend, struct vhu_device_vring *ring, const char *why);

/* serve.c: wait for front-ends on @listener, or talk to the one on @connected, until a signal says
 * to stop; the other one is -1. Returns the exit status. */
int vhu_serve(struct vhu_backend *backend, int listener, int connected);

/* control.c: receive what there is and answer. Returns 0: go on; -EPIPE: the front-end has gone;
 * other -errno: the session cannot go on, and why was said. */
int vhu_control(struct vhu_backend *backend);

/* work.c: do the requests of a ring that runs. */
void vhu_work(struct vhu_backend *backend, struct vhu_device_vring *ring);
/* Do what is due by @now; return when there is more, or VHU_CLOCK_NEVER. */
uint64_t vhu_work_due(struct vhu_backend *backend, struct vhu_device_vring *ring, uint64_t now);
/* Do all that was taken, at once: the ring is going to stop. */
void vhu_work_drain(struct vhu_backend *backend, struct vhu_device_vring *ring);

/* call.c: tell the front-end that requests of a ring were given back, or that it is broken. */
void vhu_call(struct vhu_backend *backend, struct vhu_device_vring *ring);
void vhu_call_now(struct vhu_backend *backend, struct vhu_device_vring *ring);
void vhu_call_error(struct vhu_backend *backend, struct vhu_device_vring *ring);

#endif
