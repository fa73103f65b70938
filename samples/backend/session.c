/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session: its beginning and end. */
#include "samples/backend/session.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "samples/backend/work.h"

/* A front-end that does not read what it asked for is given up after this. */
#define SENDING_SECONDS 2

void vhu_backend_open(struct vhu_backend *backend, int socket)
{
	static const struct timeval patience = {.tv_sec = SENDING_SECONDS};

	setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	backend->socket = socket;
	backend->negotiated = (struct vhu_context){
	    .dialect = backend->dialect,
	    .device = backend->device->id,
	};
	backend->status = 0;
	backend->upcall.socket = -1;
	for (unsigned i = 0; i < backend->device->queues; i++)
		vhu_device_vring_open(&backend->ring[i], i, &backend->memory, &backend->log);
	if (backend->verbose)
		vhu_fail(backend->command, "a front-end has come");
}

void vhu_backend_close(struct vhu_backend *backend)
{
	close(backend->socket);
	backend->socket = -1;
	/* What was taken and not given back stays marked in the in-flight area. */
	for (unsigned i = 0; i < backend->device->queues; i++)
		vhu_device_vring_close(&backend->ring[i]);
	vhu_upcall_open(&backend->upcall, -1, false);
	vhu_inflight_clear(&backend->inflight);
	vhu_log_clear(&backend->log);
	vhu_memory_clear(&backend->memory);
	vhu_memory_forget(&backend->memory, 0, UINT64_MAX);
	backend->memory.iommu = false;
	vhu_message_drop(&backend->request);
	backend->log.on = false;
}

void vhu_backend_stop(struct vhu_backend *backend)
{
	for (unsigned i = 0; i < backend->device->queues; i++) {
		struct vhu_device_vring *ring = &backend->ring[i];

		vhu_work_drain(backend, ring);
		vhu_device_vring_stop(ring);
		ring->enabled = false;
		if (ring->kick >= 0)
			close(ring->kick);
		ring->kick = -1;
	}
}

void vhu_backend_reset(struct vhu_backend *backend)
{
	vhu_backend_stop(backend);
	for (unsigned i = 0; i < backend->device->queues; i++) {
		struct vhu_device_vring *ring = &backend->ring[i];

		ring->has_addresses = false;
		ring->avail_index = ring->used_index = 0;
		ring->avail_wrap = ring->used_wrap = true;
	}
	if (backend->device->reset)
		backend->device->reset(backend->device);
	backend->status = 0;
}
