/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling the front-end: calls, and errors of rings. */
#include "samples/backend/call.h"

#include <poll.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "samples/common/clock.h"

/* Signal a descriptor: an eventfd, or what a front-end has in its place. */
static void signal_fd(int fd)
{
	const uint64_t one = 1;
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	/* Never wait for it: where there is no room, it is signalled already. */
	if (poll(&room, 1, 0) <= 0 || !(room.revents & POLLOUT))
		return;
	if (write(fd, &one, sizeof(one)) < 0) {
		/* A front-end that is about to go; the main socket will tell. */
	}
}

void vhu_call_now(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	ring->call_due = VHU_CLOCK_NEVER;
	if (ring->call >= 0) {
		signal_fd(ring->call);
	} else if (vhu_backend_has_protocol(backend, VHU_PF_INBAND_NOTIFICATIONS)) {
		backend->upcall.calls |= UINT64_C(1) << ring->index;
		vhu_upcall_flush(&backend->upcall);
	}
	/* Else the front-end looks by itself. */
}

void vhu_call(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	const struct vhu_defect *late;

	if (vhu_defect_due(&backend->defects, VHU_DEFECT_LOSE_CALL, NULL))
		return;
	late = vhu_defect_due(&backend->defects, VHU_DEFECT_LATE_CALL, NULL);
	if (!late)
		vhu_call_now(backend, ring);
	else if (ring->call_due == VHU_CLOCK_NEVER)
		ring->call_due = vhu_now_ns() + late->time;
}

void vhu_call_error(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	if (ring->err >= 0) {
		signal_fd(ring->err);
	} else if (vhu_backend_has_protocol(backend, VHU_PF_INBAND_NOTIFICATIONS)) {
		backend->upcall.errors |= UINT64_C(1) << ring->index;
		vhu_upcall_flush(&backend->upcall);
	}
}
