/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and rings: made once, and told to each back-end that comes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "samples/frontend/frontend.h"

/* Sizes of what a disk's request has besides its data, and what each buffer is aligned to. */
#define HEAD_SIZE    16
#define BUFFER_ALIGN 512

/* Of an IOTLB message. */
#define IOTLB_READ_WRITE 3
#define IOTLB_UPDATE     2

/* Make the slots of a queue and their buffers. Returns 0 or -ENOMEM. */
static int make_slots(struct vhu_frontend *frontend, struct vhu_queue *queue)
{
	const struct vhu_frontend_options *options = &frontend->options;
	struct vhu_arena *arena = &frontend->arena;

	queue->slot = calloc(options->depth, sizeof(*queue->slot));
	queue->idle = calloc(options->depth, sizeof(*queue->idle));
	if (!queue->slot || !queue->idle)
		return -ENOMEM;
	for (unsigned i = 0; i < options->depth; i++) {
		struct vhu_slot *slot = &queue->slot[i];

		slot->data = vhu_arena_take(arena, VHU_ARENA_BUFFERS, options->size, BUFFER_ALIGN);
		slot->head = vhu_arena_take(arena, VHU_ARENA_BUFFERS, HEAD_SIZE, HEAD_SIZE);
		slot->status = vhu_arena_take(arena, VHU_ARENA_BUFFERS, 1, 1);
		if (!slot->data || !slot->head || !slot->status)
			return -ENOMEM;
		/* The first ones are taken first. */
		queue->idle[queue->idles++] = options->depth - 1 - i;
	}
	return 0;
}

/* Make a queue: its ring, its slots, its eventfds. Returns 0 or -errno. */
static int make_queue(struct vhu_frontend *frontend, struct vhu_queue *queue)
{
	const struct vhu_frontend_options *options = &frontend->options;
	int error;

	queue->vring.format = options->packed ? &vhu_driver_vring_packed : &vhu_driver_vring_split;
	queue->vring.event_idx = options->event_idx;
	queue->vring.indirect = options->indirect;
	error = vhu_driver_vring_open(&queue->vring, &frontend->arena, options->ring_size,
				      options->depth);
	if (!error)
		error = make_slots(frontend, queue);
	if (error || options->poll || options->in_band)
		return error;
	queue->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	queue->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return queue->kick < 0 || queue->call < 0 ? -errno : 0;
}

int vhu_setup(struct vhu_frontend *frontend)
{
	const struct vhu_frontend_options *options = &frontend->options;
	uint64_t rings =
	    options->queues * vhu_driver_vring_size(options->ring_size, options->depth);
	uint64_t buffers = (uint64_t)options->queues * options->depth *
			   (options->size + HEAD_SIZE + 2 * BUFFER_ALIGN);
	int error = vhu_arena_open(&frontend->arena, rings, buffers);

	frontend->arena.iommu = options->iommu;
	for (unsigned i = 0; i < options->queues && !error; i++) {
		frontend->queue[i] = (struct vhu_queue){.index = i, .kick = -1, .call = -1};
		error = make_queue(frontend, &frontend->queue[i]);
	}
	if (error)
		return vhu_say(frontend, "cannot make the vrings and their buffers: %s",
			       strerror(-error));
	return options->log ? vhu_dirty_open(frontend) : 0;
}

void vhu_setup_end(struct vhu_frontend *frontend)
{
	if (!frontend->kind)
		return;
	for (unsigned i = 0; i < frontend->options.queues; i++) {
		struct vhu_queue *queue = &frontend->queue[i];

		vhu_driver_vring_close(&queue->vring);
		free(queue->slot);
		free(queue->idle);
		if (queue->kick > 0)
			close(queue->kick);
		if (queue->call > 0)
			close(queue->call);
	}
	if (frontend->inflight >= 0)
		close(frontend->inflight);
	vhu_dirty_close(frontend);
	vhu_arena_close(&frontend->arena);
}

/* Write a region of the arena at @base of a payload. */
static void put_region(struct vhu_message_buf *message, uint32_t base,
		       const struct vhu_arena_region *region)
{
	vhu_message_put_at(message, VHU_FIELD_region_guest_address, base, region->guest);
	vhu_message_put_at(message, VHU_FIELD_region_size, base, region->size);
	vhu_message_put_at(message, VHU_FIELD_region_user_address, base, (uintptr_t)region->here);
	vhu_message_put_at(message, VHU_FIELD_region_mmap_offset, base, region->offset);
}

int vhu_share_memory(struct vhu_frontend *frontend)
{
	const struct vhu_field *table = &vhu_fields[VHU_FIELD_mem_table_region];
	const struct vhu_arena *arena = &frontend->arena;
	struct vhu_message_buf request;

	if (vhu_has(frontend, VHU_PF_CONFIGURE_MEM_SLOTS)) {
		for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
			vhu_begin(&request, VHU_MSG_ADD_MEM_REG);
			put_region(&request, vhu_fields[VHU_FIELD_single_region_region].offset,
				   &arena->region[i]);
			request.fd[request.fds++] = arena->fd;
			if (vhu_ask(frontend, VHU_MSG_ADD_MEM_REG, &request))
				return -1;
		}
		return 0;
	}
	vhu_begin(&request, VHU_MSG_SET_MEM_TABLE);
	vhu_message_put(&request, VHU_FIELD_mem_table_regions, VHU_ARENA_REGIONS);
	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
		put_region(&request, table->offset + i * table->size, &arena->region[i]);
		request.header.size += table->size;
		request.fd[request.fds++] = arena->fd;
	}
	return vhu_ask(frontend, VHU_MSG_SET_MEM_TABLE, &request);
}

/* Tell the back-end what IOVAs of a region are, beginning @from bytes behind its first one. */
static int tell_translation(struct vhu_frontend *frontend, const struct vhu_arena_region *region,
			    uint64_t from, uint64_t size)
{
	struct vhu_message_buf request;

	vhu_begin(&request, VHU_MSG_IOTLB_MSG);
	vhu_message_put(&request, VHU_FIELD_iotlb_iova, region->iova + from);
	vhu_message_put(&request, VHU_FIELD_iotlb_user_address, (uintptr_t)region->here + from);
	vhu_message_put(&request, VHU_FIELD_iotlb_size, size);
	vhu_message_put(&request, VHU_FIELD_iotlb_permission, IOTLB_READ_WRITE);
	vhu_message_put(&request, VHU_FIELD_iotlb_type, IOTLB_UPDATE);
	return vhu_ask(frontend, VHU_MSG_IOTLB_MSG, &request);
}

int vhu_share_translations(struct vhu_frontend *frontend)
{
	if (!frontend->options.iommu)
		return 0;
	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
		const struct vhu_arena_region *region = &frontend->arena.region[i];
		/* In two pieces: one update need not be a whole region. */
		uint64_t half = region->size / 2 & ~(uint64_t)0xfff;

		if ((half && tell_translation(frontend, region, 0, half)) ||
		    tell_translation(frontend, region, half, region->size - half))
			return -1;
	}
	return 0;
}

/* Write what we know of the in-flight area into a request about it. */
static void put_inflight(const struct vhu_frontend *frontend, struct vhu_message_buf *request,
			 enum vhu_message_id id)
{
	vhu_begin(request, id);
	vhu_message_put(request, VHU_FIELD_inflight_mmap_size, frontend->inflight_size);
	vhu_message_put(request, VHU_FIELD_inflight_mmap_offset, frontend->inflight_offset);
	vhu_message_put(request, VHU_FIELD_inflight_num_queues, frontend->options.queues);
	vhu_message_put(request, VHU_FIELD_inflight_queue_size, frontend->options.ring_size);
}

int vhu_share_inflight(struct vhu_frontend *frontend)
{
	struct vhu_message_buf request;

	if (!vhu_has(frontend, VHU_PF_INFLIGHT_SHMFD))
		return 0;
	if (frontend->inflight < 0) {
		put_inflight(frontend, &request, VHU_MSG_GET_INFLIGHT_FD);
		if (vhu_ask(frontend, VHU_MSG_GET_INFLIGHT_FD, &request))
			return -1;
		frontend->inflight = vhu_message_take(&frontend->answer, 0);
		if (frontend->inflight < 0)
			return vhu_say(frontend, "%s: the back-end sent no in-flight area",
				       frontend->options.path);
		frontend->inflight_size =
		    vhu_message_get(&frontend->answer, VHU_FIELD_inflight_mmap_size);
		frontend->inflight_offset =
		    vhu_message_get(&frontend->answer, VHU_FIELD_inflight_mmap_offset);
	}
	put_inflight(frontend, &request, VHU_MSG_SET_INFLIGHT_FD);
	request.fd[request.fds++] = frontend->inflight;
	return vhu_ask(frontend, VHU_MSG_SET_INFLIGHT_FD, &request);
}

int vhu_share_log(struct vhu_frontend *frontend)
{
	struct vhu_message_buf request;

	if (!frontend->options.log)
		return 0;
	if (!vhu_has(frontend, VHU_PF_LOG_SHMFD))
		return vhu_say(frontend, "%s: the back-end does not take a log in shared memory",
			       frontend->options.path);
	vhu_begin(&request, VHU_MSG_SET_LOG_BASE);
	/* This row has two layouts; with LOG_SHMFD it is this one. */
	request.header.size = vhu_layouts[VHU_LAYOUT_log].size;
	vhu_message_put(&request, VHU_FIELD_log_size, frontend->log_size);
	request.fd[request.fds++] = frontend->log_fd;
	return vhu_ask(frontend, VHU_MSG_SET_LOG_BASE, &request);
}

/* Tell a ring's size, and where it stands: where the device has come to, if another one has begun
 * it, since what that has taken is in the in-flight area. */
static int tell_size_and_base(struct vhu_frontend *frontend, const struct vhu_queue *queue)
{
	const struct vhu_driver_vring *vring = &queue->vring;
	struct vhu_message_buf request;

	vhu_begin(&request, VHU_MSG_SET_VRING_NUM);
	vhu_message_put(&request, VHU_FIELD_vring_size_index, queue->index);
	vhu_message_put(&request, VHU_FIELD_vring_size_num, vring->num);
	if (vhu_ask(frontend, VHU_MSG_SET_VRING_NUM, &request))
		return -1;
	vhu_begin(&request, VHU_MSG_SET_VRING_BASE);
	vhu_message_put(&request, VHU_FIELD_vring_base_split_index, queue->index);
	if (frontend->options.packed) {
		vhu_message_put(&request, VHU_FIELD_vring_base_packed_avail, vring->used_index);
		vhu_message_put(&request, VHU_FIELD_vring_base_packed_avail_wrap, vring->used_wrap);
		vhu_message_put(&request, VHU_FIELD_vring_base_packed_used, vring->used_index);
		vhu_message_put(&request, VHU_FIELD_vring_base_packed_used_wrap, vring->used_wrap);
	} else {
		vhu_message_put(&request, VHU_FIELD_vring_base_split_avail, vring->used_index);
	}
	return vhu_ask(frontend, VHU_MSG_SET_VRING_BASE, &request);
}

/* Return what SET_VRING_ADDR calls an address of ours. */
static uint64_t ring_address(const struct vhu_frontend *frontend, uint64_t user)
{
	const struct vhu_arena *arena = &frontend->arena;

	return arena->iommu ? vhu_arena_device(arena, (void *)(uintptr_t)user) : user;
}

/* Tell a ring's addresses. */
static int tell_addresses(struct vhu_frontend *frontend, const struct vhu_queue *queue)
{
	struct vhu_driver_vring_areas areas = vhu_driver_vring_areas(&queue->vring);
	struct vhu_message_buf request;

	vhu_begin(&request, VHU_MSG_SET_VRING_ADDR);
	vhu_message_put(&request, VHU_FIELD_vring_addr_index, queue->index);
	vhu_message_put(&request, VHU_FIELD_vring_addr_descriptor,
			ring_address(frontend, areas.descriptor));
	vhu_message_put(&request, VHU_FIELD_vring_addr_available,
			ring_address(frontend, areas.available));
	vhu_message_put(&request, VHU_FIELD_vring_addr_used, ring_address(frontend, areas.used));
	if (frontend->options.log) {
		/* Bit 0 of the flags: log what is written to the used ring, too. */
		vhu_message_put(&request, VHU_FIELD_vring_addr_flags, 1);
		vhu_message_put(&request, VHU_FIELD_vring_addr_log,
				vhu_arena_guest(&frontend->arena, (void *)(uintptr_t)areas.used));
	}
	return vhu_ask(frontend, VHU_MSG_SET_VRING_ADDR, &request);
}

/* Give a vring a descriptor, or -1 for none. */
static int tell_fd(struct vhu_frontend *frontend, enum vhu_message_id id,
		   const struct vhu_queue *queue, int fd)
{
	struct vhu_message_buf request;

	vhu_begin(&request, id);
	vhu_message_put(&request, VHU_FIELD_vring_fd_index, queue->index);
	vhu_message_put(&request, VHU_FIELD_vring_fd_nofd, fd < 0);
	if (fd >= 0)
		request.fd[request.fds++] = fd;
	return vhu_ask(frontend, id, &request);
}

/* Enable a ring, where that is needed. */
static int enable(struct vhu_frontend *frontend, const struct vhu_queue *queue)
{
	struct vhu_message_buf request;

	if (!(frontend->negotiated.features >> VHU_F_PROTOCOL_FEATURES & 1))
		return 0;
	vhu_begin(&request, VHU_MSG_SET_VRING_ENABLE);
	vhu_message_put(&request, VHU_FIELD_vring_enable_index, queue->index);
	vhu_message_put(&request, VHU_FIELD_vring_enable_enable, 1);
	return vhu_ask(frontend, VHU_MSG_SET_VRING_ENABLE, &request);
}

int vhu_start_rings(struct vhu_frontend *frontend)
{
	for (unsigned i = 0; i < frontend->options.queues; i++) {
		struct vhu_queue *queue = &frontend->queue[i];

		if (tell_size_and_base(frontend, queue) || tell_addresses(frontend, queue))
			return -1;
		/* In-band, the first kick starts the ring and calls need no descriptor. */
		if (!frontend->options.in_band &&
		    (tell_fd(frontend, VHU_MSG_SET_VRING_CALL, queue, queue->call) ||
		     tell_fd(frontend, VHU_MSG_SET_VRING_KICK, queue, queue->kick)))
			return -1;
	}
	for (unsigned i = 0; i < frontend->options.queues; i++)
		if (enable(frontend, &frontend->queue[i]))
			return -1;
	return 0;
}
