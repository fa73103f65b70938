/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The work: requests are taken from rings, done by the device, and given back.
 *
 * A request is done when it is taken. It is given back at once, or, where the device is to seem
 * slow, when its time has come; until then it waits in the ring's `done`.
 */
#include "samples/backend/work.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "lib/util/util.h"
#include "samples/backend/call.h"
#include "samples/backend/usdt.h"
#include "samples/common/clock.h"

/* Give a request back to the driver. */
static void give(struct vhu_backend *backend, struct vhu_device_vring *ring, struct vhu_done done)
{
	if (vhu_defect_due(&backend->defects, VHU_DEFECT_BAD_ID, NULL))
		done.id = (uint16_t)(ring->num - 1 - done.id);
	ring->format->push(ring, &done);
	VHU_USDT_PUSH(ring->index, done.id, done.written);
}

/* Call, if the driver wants it, for what was given back. */
static void announce(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	bool wanted = ring->owes_call;

	if (ring->unannounced > 0) {
		wanted |= ring->format->wants_call(ring);
		wanted |= vhu_defect_due(&backend->defects, VHU_DEFECT_EXTRA_CALL, NULL) != NULL;
	}
	ring->unannounced = 0;
	ring->owes_call = false;
	if (wanted)
		vhu_call(backend, ring);
}

/* Have the device do the request at hand, and log what it wrote. Returns how many bytes. */
static uint32_t execute(struct vhu_backend *backend)
{
	struct vhu_chain *chain = &backend->chain;
	struct vhu_run writable;
	uint32_t written;

	if (!backend->log.on)
		return backend->device->request(backend->device, chain);
	/* The device may take the chain apart. */
	writable = chain->in;
	written = backend->device->request(backend->device, chain);
	for (int i = 0; i < writable.parts; i++)
		vhu_log_written(&backend->log, &backend->memory, writable.part[i].iov_base,
				writable.part[i].iov_len);
	return written;
}

/* Take the next request of a ring, do it, and give it back or put it aside. Returns as pop does. */
static int work_once(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	struct vhu_chain *chain = &backend->chain;
	struct vhu_done done;
	int got;

	/* More than the ring holds is under way: it cannot be, whatever its memory says. */
	if (ring->done_count == ring->num)
		return -EOVERFLOW;
	got = ring->format->pop(ring, chain);
	if (got <= 0)
		return got;
	VHU_USDT_POP(ring->index, chain->id);
	done = (struct vhu_done){
	    .id = chain->id,
	    .descriptors = chain->descriptors,
	    .entry = chain->entry,
	    .written = execute(backend),
	};
	if (backend->delay == 0) {
		give(backend, ring, done);
		return got;
	}
	done.due = vhu_now_ns() + backend->delay;
	if (vhu_defect_due(&backend->defects, VHU_DEFECT_REORDER, NULL))
		done.due += 2 * backend->delay;
	ring->done[ring->done_count++] = done;
	return got;
}

/* Return what a ring's memory says that cannot be. */
static const char *what_is_wrong(int error)
{
	switch (-error) {
	case EFAULT:
		return "a buffer is not in guest memory";
	case EOVERFLOW:
		return "more is available than the vring holds";
	case ERANGE:
		return "an available head is beyond the vring's size";
	case E2BIG:
		return "a request has too many buffers";
	case EPROTO:
		return "a chain of descriptors is malformed";
	default:
		return strerror(-error);
	}
}

void vhu_work_give_up(struct vhu_backend *backend, struct vhu_device_vring *ring, const char *why)
{
	vhu_fail(backend->command, "vring %u: %s: given up until it is set up again", ring->index,
		 why);
	ring->broken = true;
	/* Not a byte more is written to it: its memory may be gone. */
	ring->done_count = 0;
	ring->unannounced = 0;
	backend->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	vhu_call_error(backend, ring);
}

/* Ask to be kicked for the next request. Returns whether one has come meanwhile. */
static bool arm(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	return !vhu_defect_due(&backend->defects, VHU_DEFECT_STALE_EVENT, NULL) &&
	       ring->format->arm(ring);
}

void vhu_work(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	/* A driver that never stops must not keep us from the other rings and from messages. */
	uint32_t budget = ring->num;
	int got = 0;

	ring->again = false;
	if (!vhu_device_vring_runs(ring))
		return;
	do {
		while (budget > 0 && (got = work_once(backend, ring)) > 0)
			budget--;
	} while (got == 0 && arm(backend, ring));
	announce(backend, ring);
	ring->again = got > 0;
	if (got < 0)
		vhu_work_give_up(backend, ring, what_is_wrong(got));
}

/* Give back what is due by @now. Returns when the next one is, or VHU_CLOCK_NEVER. */
static uint64_t give_due(struct vhu_backend *backend, struct vhu_device_vring *ring, uint64_t now)
{
	uint64_t next = VHU_CLOCK_NEVER;
	uint32_t left = 0;

	for (uint32_t i = 0; i < ring->done_count; i++) {
		struct vhu_done done = ring->done[i];

		if (done.due <= now) {
			give(backend, ring, done);
			continue;
		}
		ring->done[left++] = done;
		next = done.due < next ? done.due : next;
	}
	ring->done_count = left;
	if (ring->unannounced > 0)
		announce(backend, ring);
	return next;
}

uint64_t vhu_work_due(struct vhu_backend *backend, struct vhu_device_vring *ring, uint64_t now)
{
	uint64_t next = give_due(backend, ring, now);

	if (ring->call_due <= now)
		vhu_call_now(backend, ring);
	return next < ring->call_due ? next : ring->call_due;
}

void vhu_work_drain(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	if (!ring->started)
		return;
	/* What a predecessor had taken is in flight too. */
	while (!ring->broken && ring->resubmitted < ring->resubmits) {
		int got = work_once(backend, ring);

		if (got < 0)
			vhu_work_give_up(backend, ring, what_is_wrong(got));
	}
	give_due(backend, ring, VHU_CLOCK_NEVER);
	announce(backend, ring);
	if (ring->call_due != VHU_CLOCK_NEVER)
		vhu_call_now(backend, ring);
}
