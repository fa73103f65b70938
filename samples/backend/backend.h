/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back-end: one device, and the session with the front-end of the moment.
 *
 *	main          reads options and opens the device
 *	serve         waits for front-ends, messages, kicks and times
 *	control       receives, checks and answers a message; handlers/ do what it asks for
 *	session       begins, ends and resets
 *	work          does the requests in the vrings
 *	call, upcall  tell the front-end, by eventfds or on the back-end channel
 *
 * Below them: vring/ the two formats, inflight/ what outlives a crash, memory/ the guest's and the
 * migration's log, device/ the kinds of devices. Nothing here calls upwards in this list.
 */
#ifndef VHU_SAMPLES_BACKEND_BACKEND_H
#define VHU_SAMPLES_BACKEND_BACKEND_H

#include "lib/cli/options.h"
#include "lib/protocol/message_io.h"
#include "samples/backend/defect.h"
#include "samples/backend/device/device.h"
#include "samples/backend/inflight/inflight.h"
#include "samples/backend/upcall.h"

/* Vrings of a device, at most. */
#define VHU_VRINGS_MAX 64

struct vhu_backend {
	/* What it is, for all of its life. */
	const struct vhu_command *command; /* says things in its name */
	bool verbose;
	struct vhu_device *device;
	uint64_t features, protocol_features; /* offered */
	enum vhu_dialect dialect;
	uint64_t delay; /* nanoseconds between a request's execution and its end */
	struct vhu_defects defects;

	/* The session; each connection begins a new one. */
	int socket; /* -1 without one */
	struct vhu_message_buf request;
	struct vhu_context negotiated;
	uint64_t status; /* the device's, as VIRTIO_CONFIG_S_... */
	struct vhu_memory memory;
	struct vhu_log log;
	struct vhu_inflight inflight;
	struct vhu_upcall upcall;
	struct vhu_device_vring ring[VHU_VRINGS_MAX];
	struct vhu_chain chain; /* the request at hand */
};

/* Return whether a virtio feature is negotiated. */
static inline bool vhu_backend_has(const struct vhu_backend *backend, unsigned feature)
{
	return backend->negotiated.features >> feature & 1;
}

/* Return whether a protocol feature is negotiated. */
static inline bool vhu_backend_has_protocol(const struct vhu_backend *backend, unsigned feature)
{
	return backend->negotiated.protocol_features >> feature & 1;
}

#endif
