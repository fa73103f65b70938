/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about one vring. */
#include <unistd.h>

#include "samples/backend/call.h"
#include "samples/backend/handlers/handlers.h"
#include "samples/backend/work.h"

/* The error for a message about a vring that does not exist. */
static const char no_such_ring[] = "there is no such vring";

/* Return the vring that a field names, NULL for none. */
static struct vhu_device_vring *
ring_of(struct vhu_backend *backend, const struct vhu_message_buf *request, enum vhu_field_id field)
{
	uint64_t index = vhu_message_get(request, field);

	return index < backend->device->queues ? &backend->ring[index] : NULL;
}

/* Return whether the vrings are packed ones. */
static bool packed(const struct vhu_backend *backend)
{
	return vhu_backend_has(backend, VHU_F_RING_PACKED);
}

const char *vhu_start(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	void *region = vhu_inflight_region(&backend->inflight, ring, packed(backend));
	const char *lacks = vhu_device_vring_lacks(ring, packed(backend));
	bool starts = !ring->started;
	const struct vhu_device_vring_format *format =
	    packed(backend) ? &vhu_device_vring_packed : &vhu_device_vring_split;

	if (lacks)
		return lacks;
	if (starts && backend->inflight.map && !region)
		vhu_fail(backend->command, "vring %u: the in-flight area has no room for it",
			 ring->index);
	if (vhu_device_vring_start(ring, format, backend->negotiated.features, region))
		return "the vring is not in memory, or badly aligned";
	if (starts && vhu_defect_due(&backend->defects, VHU_DEFECT_USED_ZERO, NULL))
		ring->used_index = 0;
	if (starts && vhu_defect_due(&backend->defects, VHU_DEFECT_NO_INFLIGHT, NULL))
		ring->inflight = NULL;
	if (backend->verbose && ring->resubmitted < ring->resubmits)
		vhu_fail(backend->command, "vring %u: does again what was in flight: %u requests",
			 ring->index, ring->resubmits - ring->resubmitted);
	if (!starts || !vhu_defect_due(&backend->defects, VHU_DEFECT_NO_LOOK, NULL))
		vhu_work(backend, ring);
	return NULL;
}

/* Take a vring's size. */
const char *vhu_set_vring_num(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring = ring_of(backend, talk->request, VHU_FIELD_vring_size_index);
	uint64_t num = vhu_message_get(talk->request, VHU_FIELD_vring_size_num);

	if (!ring)
		return no_such_ring;
	if (ring->started)
		return "the vring is started";
	if (num == 0 || num > VHU_VRING_SIZE_MAX || (!packed(backend) && num & (num - 1)))
		return "a vring cannot have this size";
	ring->num = (uint32_t)num;
	return NULL;
}

/* Take the addresses of a vring's areas. */
const char *vhu_set_vring_addr(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring = ring_of(backend, talk->request, VHU_FIELD_vring_addr_index);

	if (!ring)
		return no_such_ring;
	/* All writes are logged while VHOST_F_LOG_ALL is negotiated; the flag that asks for it and
	 * the address to log at say nothing more. */
	ring->desc_user = vhu_message_get(talk->request, VHU_FIELD_vring_addr_descriptor);
	ring->avail_user = vhu_message_get(talk->request, VHU_FIELD_vring_addr_available);
	ring->used_user = vhu_message_get(talk->request, VHU_FIELD_vring_addr_used);
	ring->has_addresses = true;
	/* A migration tells them again while the ring is started. */
	if (!ring->broken && vhu_device_vring_remap(ring)) {
		vhu_work_give_up(backend, ring, "its new addresses are not in memory");
		return "the vring is not in memory, or badly aligned";
	}
	return NULL;
}

/* Take where a vring stands. */
const char *vhu_set_vring_base(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring =
	    ring_of(backend, talk->request, VHU_FIELD_vring_base_split_index);

	if (!ring)
		return no_such_ring;
	if (ring->started)
		return "the vring is started";
	if (!packed(backend)) {
		if (vhu_message_get(talk->request, VHU_FIELD_vring_base_split_reserved))
			return "a split vring's index has 16 bits";
		ring->avail_index =
		    (uint16_t)vhu_message_get(talk->request, VHU_FIELD_vring_base_split_avail);
		return NULL;
	}
	ring->avail_index =
	    (uint16_t)vhu_message_get(talk->request, VHU_FIELD_vring_base_packed_avail);
	ring->avail_wrap = vhu_message_get(talk->request, VHU_FIELD_vring_base_packed_avail_wrap);
	ring->used_index =
	    (uint16_t)vhu_message_get(talk->request, VHU_FIELD_vring_base_packed_used);
	ring->used_wrap = vhu_message_get(talk->request, VHU_FIELD_vring_base_packed_used_wrap);
	/* DPDK's front-end tells the available half alone. A ring that was stopped in order has
	 * nothing in flight: both halves are equal. */
	if (ring->used_index == 0 && !ring->used_wrap) {
		ring->used_index = ring->avail_index;
		ring->used_wrap = ring->avail_wrap;
	}
	return NULL;
}

/* Close a descriptor of a vring, if there is one. */
static void let_go(struct vhu_backend *backend, int *fd)
{
	if (*fd >= 0 && !vhu_defect_due(&backend->defects, VHU_DEFECT_LEAK_EVENTFD, NULL))
		close(*fd);
	*fd = -1;
}

/* Stop a vring and tell where it stands. */
const char *vhu_get_vring_base(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring =
	    ring_of(backend, talk->request, VHU_FIELD_vring_index_index);

	if (!ring)
		return no_such_ring;
	/* Also where it never ran, or is stopped: the answer is the same then. */
	vhu_work_drain(backend, ring);
	vhu_device_vring_stop(ring);
	let_go(backend, &ring->kick);
	vhu_message_put(talk->reply, VHU_FIELD_vring_base_split_index, ring->index);
	if (!packed(backend)) {
		vhu_message_put(talk->reply, VHU_FIELD_vring_base_split_avail, ring->avail_index);
		return NULL;
	}
	vhu_message_put(talk->reply, VHU_FIELD_vring_base_packed_avail, ring->avail_index);
	vhu_message_put(talk->reply, VHU_FIELD_vring_base_packed_avail_wrap, ring->avail_wrap);
	vhu_message_put(talk->reply, VHU_FIELD_vring_base_packed_used, ring->used_index);
	vhu_message_put(talk->reply, VHU_FIELD_vring_base_packed_used_wrap, ring->used_wrap);
	return NULL;
}

/*
 * Take the descriptor that a message brings for a vring.
 * @fd: where it is kept; the one before is closed.
 * Returns NULL, or what is wrong.
 */
static const char *take_fd(struct vhu_backend *backend, struct vhu_message_buf *request, int *fd)
{
	bool nofd = vhu_message_get(request, VHU_FIELD_vring_fd_nofd);

	if (vhu_message_get(request, VHU_FIELD_vring_fd_reserved))
		return "bits are set that mean nothing";
	if (nofd != (request->fds == 0))
		return "the bit that says there is no descriptor contradicts the descriptors";
	let_go(backend, fd);
	*fd = vhu_message_take(request, 0);
	return NULL;
}

/* Take a vring's kick, and start it. */
const char *vhu_set_vring_kick(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring = ring_of(backend, talk->request, VHU_FIELD_vring_fd_index);
	const char *wrong;

	if (!ring)
		return no_such_ring;
	wrong = take_fd(backend, talk->request, &ring->kick);
	if (wrong)
		return wrong;
	/*
	 * "Starting and stopping rings": the first kick starts the ring. That kick may have come
	 * before, or never come if another back-end was in our place: look now. If the ring is not
	 * set up yet, its kick will start it.
	 */
	if (ring->kick >= 0)
		return vhu_device_vring_lacks(ring, packed(backend)) ? NULL
								     : vhu_start(backend, ring);
	wrong = vhu_start(backend, ring);
	/* With in-band kicks no descriptor means that. */
	ring->polled =
	    ring->started && !vhu_backend_has_protocol(backend, VHU_PF_INBAND_NOTIFICATIONS);
	return wrong;
}

/* Take a vring's call. */
const char *vhu_set_vring_call(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring = ring_of(backend, talk->request, VHU_FIELD_vring_fd_index);
	const char *wrong;

	if (!ring)
		return no_such_ring;
	if (ring->call >= 0 && talk->request->fds == 1 &&
	    vhu_defect_due(&backend->defects, VHU_DEFECT_OLD_CALL, NULL)) {
		close(vhu_message_take(talk->request, 0));
		return NULL;
	}
	wrong = take_fd(backend, talk->request, &ring->call);
	/* A call may have gone to the old descriptor, which the driver reads no longer. */
	if (!wrong && ring->started && ring->call >= 0)
		vhu_call(backend, ring);
	return wrong;
}

/* Take a vring's error descriptor. */
const char *vhu_set_vring_err(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring = ring_of(backend, talk->request, VHU_FIELD_vring_fd_index);

	return ring ? take_fd(backend, talk->request, &ring->err) : no_such_ring;
}

/* Enable or disable a vring. */
const char *vhu_set_vring_enable(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring =
	    ring_of(backend, talk->request, VHU_FIELD_vring_enable_index);
	uint64_t enable = vhu_message_get(talk->request, VHU_FIELD_vring_enable_enable);

	if (!ring)
		return no_such_ring;
	if (enable > 1)
		return "enabled is 0 or 1";
	ring->enabled = enable;
	/* Kicks that came while it was disabled were not looked at. */
	if (!vhu_defect_due(&backend->defects, VHU_DEFECT_NO_LOOK, NULL))
		vhu_work(backend, ring);
	return NULL;
}

/* Take an in-band kick. */
const char *vhu_vring_kick(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_vring *ring =
	    ring_of(backend, talk->request, VHU_FIELD_vring_index_index);

	if (!ring)
		return no_such_ring;
	if (ring->broken)
		return "the vring is broken";
	return vhu_start(backend, ring);
}
