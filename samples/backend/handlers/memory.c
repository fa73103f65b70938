/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that share memory: the guest's, the migration's log, the in-flight area. */
#include <errno.h>
#include <string.h>

#include "samples/backend/handlers/handlers.h"
#include "samples/backend/work.h"

/* "Multiple memory regions": a table has at most so many. */
#define REGIONS_MAX 8

/* Kinds of IOTLB messages that front-ends send. */
enum { IOTLB_UPDATE = 2, IOTLB_INVALIDATE = 3 };

/* Let all rings find their areas again after memory has changed. */
static void remap_rings(struct vhu_backend *backend)
{
	for (unsigned i = 0; i < backend->device->queues; i++) {
		struct vhu_device_vring *ring = &backend->ring[i];

		if (!ring->broken && vhu_device_vring_remap(ring))
			vhu_work_give_up(backend, ring, "its memory was taken away");
	}
}

/* Read the region whose layout begins at @base. */
static struct vhu_device_region region_at(const struct vhu_message_buf *request, uint32_t base)
{
	return (struct vhu_device_region){
	    .guest = vhu_message_get_at(request, VHU_FIELD_region_guest_address, base),
	    .size = vhu_message_get_at(request, VHU_FIELD_region_size, base),
	    .user = vhu_message_get_at(request, VHU_FIELD_region_user_address, base),
	};
}

/* Map the region whose layout begins at @base, from descriptor @n. Returns NULL or what is wrong.
 */
static const char *add_region(struct vhu_backend *backend, const struct vhu_message_buf *request,
			      uint32_t base, unsigned n)
{
	struct vhu_device_region region = region_at(request, base);
	uint64_t offset = vhu_message_get_at(request, VHU_FIELD_region_mmap_offset, base);
	int error = vhu_memory_add(&backend->memory, &region, offset, request->fd[n]);

	switch (error) {
	case 0:
		return NULL;
	case -ENOSPC:
		return "there are too many regions";
	case -EEXIST:
		return "a region overlaps another";
	case -EINVAL:
		return "a region is empty or larger than its file";
	default:
		return "a region cannot be mapped";
	}
}

/* Map all of the memory again. */
const char *vhu_set_mem_table(struct vhu_backend *backend, struct vhu_talk *talk)
{
	const struct vhu_field *rows = &vhu_fields[VHU_FIELD_mem_table_region];
	uint64_t regions = vhu_message_get(talk->request, VHU_FIELD_mem_table_regions);
	const char *wrong = NULL;

	if (regions == 0 || regions > REGIONS_MAX)
		return "a table has 1 to 8 regions";
	vhu_memory_clear(&backend->memory);
	for (unsigned i = 0; i < regions && !wrong; i++)
		wrong = add_region(backend, talk->request, rows->offset + i * rows->size, i);
	remap_rings(backend);
	return wrong;
}

/* Tell how many regions there may be. */
const char *vhu_get_max_mem_slots(struct vhu_backend *backend, struct vhu_talk *talk)
{
	(void)backend;
	vhu_message_put(talk->reply, VHU_FIELD_mem_slots_mem_slots, VHU_MEMORY_SLOTS);
	return NULL;
}

/* Map one region more. */
const char *vhu_add_mem_reg(struct vhu_backend *backend, struct vhu_talk *talk)
{
	return add_region(backend, talk->request, vhu_fields[VHU_FIELD_single_region_region].offset,
			  0);
}

/* Unmap one region. */
const char *vhu_rem_mem_reg(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_device_region region =
	    region_at(talk->request, vhu_fields[VHU_FIELD_single_region_region].offset);

	if (vhu_memory_remove(&backend->memory, &region))
		return "there is no such region";
	remap_rings(backend);
	return NULL;
}

/* Take what a virtual IOMMU translates, or no longer does. Nothing asks for a translation that is
 * missing: the front-end sends those of all vrings and buffers before it uses them. */
const char *vhu_iotlb_msg(struct vhu_backend *backend, struct vhu_talk *talk)
{
	const struct vhu_device_translation told = {
	    .iova = vhu_message_get(talk->request, VHU_FIELD_iotlb_iova),
	    .user = vhu_message_get(talk->request, VHU_FIELD_iotlb_user_address),
	    .size = vhu_message_get(talk->request, VHU_FIELD_iotlb_size),
	};

	switch (vhu_message_get(talk->request, VHU_FIELD_iotlb_type)) {
	case IOTLB_UPDATE:
		if (vhu_memory_translate(&backend->memory, &told))
			return "a translation is empty, or one too many";
		break;
	case IOTLB_INVALIDATE:
		vhu_memory_forget(&backend->memory, told.iova, told.size);
		break;
	default:
		return "a front-end sends updates and invalidations";
	}
	remap_rings(backend);
	return NULL;
}

/* Map the log of a migration. */
const char *vhu_set_log_base(struct vhu_backend *backend, struct vhu_talk *talk)
{
	uint64_t offset = vhu_message_get(talk->request, VHU_FIELD_log_offset);
	uint64_t size = vhu_message_get(talk->request, VHU_FIELD_log_size);

	/* Without LOG_SHMFD it is an address in a process that is not ours. */
	if (!vhu_backend_has_protocol(backend, VHU_PF_LOG_SHMFD) || talk->request->fds == 0)
		return "the log is not shared";
	if (vhu_log_set(&backend->log, talk->request->fd[0], offset, size))
		return "the log cannot be mapped";
	return NULL;
}

/* Take the descriptor to signal after the log has changed; no known front-end waits for it. */
const char *vhu_set_log_fd(struct vhu_backend *backend, struct vhu_talk *talk)
{
	(void)backend, (void)talk;
	return NULL;
}

/* Return whether a ring is started: it then uses the in-flight area. */
static bool any_started(const struct vhu_backend *backend)
{
	for (unsigned i = 0; i < backend->device->queues; i++)
		if (backend->ring[i].started)
			return true;
	return false;
}

/* Read a front-end's description of its in-flight area. */
static struct vhu_inflight_told told_by(const struct vhu_message_buf *request)
{
	return (struct vhu_inflight_told){
	    .offset = vhu_message_get(request, VHU_FIELD_inflight_mmap_offset),
	    .size = vhu_message_get(request, VHU_FIELD_inflight_mmap_size),
	    .queues = (uint16_t)vhu_message_get(request, VHU_FIELD_inflight_num_queues),
	    .queue_size = (uint16_t)vhu_message_get(request, VHU_FIELD_inflight_queue_size),
	};
}

/* Make an in-flight area, use it, and hand it to the front-end to keep. */
const char *vhu_get_inflight_fd(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_inflight_told told = told_by(talk->request);
	bool packed = vhu_backend_has(backend, VHU_F_RING_PACKED);
	int fd;

	if (any_started(backend))
		return "a vring is started";
	if (told.queues == 0 || told.queues > backend->device->queues || told.queue_size == 0 ||
	    told.queue_size > VHU_VRING_SIZE_MAX)
		return "there are no such vrings";
	told.offset = 0;
	told.size = vhu_inflight_size(told.queues, told.queue_size, packed);
	fd = vhu_inflight_create(told.size);
	if (fd < 0)
		return "there is no memory for it";
	talk->reply->fd[talk->reply->fds++] = fd;
	if (vhu_inflight_set(&backend->inflight, fd, &told))
		return "it cannot be mapped";
	vhu_message_put(talk->reply, VHU_FIELD_inflight_mmap_size, told.size);
	vhu_message_put(talk->reply, VHU_FIELD_inflight_num_queues, told.queues);
	vhu_message_put(talk->reply, VHU_FIELD_inflight_queue_size, told.queue_size);
	return NULL;
}

/* Use the in-flight area that the front-end has kept. */
const char *vhu_set_inflight_fd(struct vhu_backend *backend, struct vhu_talk *talk)
{
	struct vhu_inflight_told told = told_by(talk->request);

	if (any_started(backend))
		return "a vring is started";
	if (vhu_inflight_set(&backend->inflight, talk->request->fd[0], &told))
		return "the in-flight area is too small or cannot be mapped";
	return NULL;
}
