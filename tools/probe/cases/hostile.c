/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases of what no front-end should send. The back-end may refuse it, close the connection or take
 * it; that it lives is looked at after each.
 */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "tools/probe/cases/cases.h"

/* An id, a ring and a place that nothing has. */
#define NOBODY_S_ID 0x7ffffff0u
#define FAR_RING    0x00ffffffu
#define NOWHERE     UINT64_C(0x123400000000)

void vhu_case_abrupt_close(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;

	if (!vhu_fixture_start(fixture, 0))
		return;
	vhu_probe_ring_submit(&fixture->ring[fixture->request_ring], fixture->device);
	vhu_message_begin(&message, VHU_MSG_GET_VRING_BASE, VHU_LAYOUT_vring_index);
	vhu_message_put(&message, VHU_FIELD_vring_index_index, fixture->request_ring);
	if (vhu_probe_send(fixture->connection, &message))
		vhu_fixture_fail_connection(fixture);
	vhu_probe_disconnect(fixture->connection);
}

void vhu_case_half_header(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;

	if (!vhu_fixture_connect(fixture))
		return;
	vhu_message_begin(&message, VHU_MSG_GET_FEATURES, VHU_LAYOUT_none);
	vhu_message_write(&message);
	if (vhu_probe_send_bytes(fixture->connection, message.bytes, VHU_HEADER_SIZE / 2))
		vhu_fixture_fail_connection(fixture);
	vhu_probe_record(fixture->connection, message.bytes, VHU_HEADER_SIZE / 2);
	vhu_probe_disconnect(fixture->connection);
}

void vhu_case_size_huge(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;
	uint8_t bytes[VHU_HEADER_SIZE];

	if (!vhu_fixture_connect(fixture))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_FEATURES, VHU_LAYOUT_none);
	message.header.size = UINT32_MAX;
	vhu_header_write(bytes, message.header, vhu_host_is_big_endian());
	if (vhu_probe_send_bytes(fixture->connection, bytes, sizeof(bytes))) {
		vhu_fixture_fail_connection(fixture);
		return;
	}
	vhu_probe_record(fixture->connection, bytes, sizeof(bytes));
	vhu_fixture_stands(fixture, true);
}

void vhu_case_size_short(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;

	if (!vhu_fixture_greet(fixture, 0))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	message.header.size /= 2;
	if (vhu_probe_send(fixture->connection, &message))
		vhu_fixture_fail_connection(fixture);
	else
		vhu_fixture_stands(fixture, false);
}

void vhu_case_unknown_id(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;

	if (!vhu_fixture_greet(fixture, 0))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_OWNER, VHU_LAYOUT_none);
	message.header.request = NOBODY_S_ID;
	if (vhu_probe_send(fixture->connection, &message))
		vhu_fixture_fail_connection(fixture);
	else
		vhu_fixture_stands(fixture, false);
}

/* Set the size of a vring that does not exist. */
static void set_beyond(struct vhu_fixture *fixture, uint32_t ring)
{
	struct vhu_message_buf message;
	bool accepted;

	if (!vhu_fixture_greet(fixture, 0))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	vhu_message_put(&message, VHU_FIELD_vring_size_index, ring);
	vhu_message_put(&message, VHU_FIELD_vring_size_num, VHU_PROBE_RING_SIZE);
	if (!vhu_fixture_provoke(fixture, &message, &accepted))
		return;
	if (accepted)
		vhu_fixture_fail_as(fixture, VHU_PROBE_ACCEPTS,
				    "acknowledges that vring %u has a size", ring);
	else
		vhu_fixture_stands(fixture, false);
}

void vhu_case_index_beyond(struct vhu_fixture *fixture)
{
	const struct vhu_probe *facts = fixture->facts;
	uint64_t rings = facts->queue_num;

	if (!facts->has_queue_num) {
		vhu_fixture_skip(fixture, "it does not say how many rings it has");
		return;
	}
	/* "Multiple queue support": network devices tell pairs, and may have one ring more. */
	if (fixture->device == VIRTIO_ID_NET || !fixture->device)
		rings = 2 * rings + 1;
	set_beyond(fixture, (uint32_t)rings);
}

void vhu_case_index_far(struct vhu_fixture *fixture)
{
	set_beyond(fixture, FAR_RING);
}

void vhu_case_base_beyond(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message, reply;
	int error;

	if (!vhu_fixture_greet(fixture, 0))
		return;
	vhu_message_begin(&message, VHU_MSG_GET_VRING_BASE, VHU_LAYOUT_vring_index);
	vhu_message_put(&message, VHU_FIELD_vring_index_index, FAR_RING);
	error = vhu_probe_ask(fixture->connection, &message, &reply);
	/* Whatever it answers will do, or nothing. */
	if (!error)
		vhu_message_drop(&reply);
	vhu_fixture_note(fixture, "%s",
			 !error            ? "answers"
			 : error == -EPIPE ? "closes the connection"
					   : "does not answer");
}

/* Send a memory table of one region, with @fds descriptors, that says it has @regions. */
static void share_wrong(struct vhu_fixture *fixture, uint32_t regions, unsigned fds)
{
	const struct vhu_field *region = &vhu_fields[VHU_FIELD_mem_table_region];
	struct vhu_message_buf message;
	bool accepted;

	if (!vhu_fixture_greet(fixture, 0))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_MEM_TABLE, VHU_LAYOUT_mem_table);
	message.header.size = region->offset + (regions ? region->size : 0);
	vhu_message_put(&message, VHU_FIELD_mem_table_regions, regions);
	if (regions) {
		vhu_message_put_at(&message, VHU_FIELD_region_guest_address, region->offset,
				   VHU_PROBE_GUEST);
		vhu_message_put_at(&message, VHU_FIELD_region_size, region->offset,
				   VHU_PROBE_MEMORY_SIZE);
		vhu_message_put_at(&message, VHU_FIELD_region_user_address, region->offset,
				   VHU_PROBE_USER);
	}
	if (fds)
		message.fd[message.fds++] = fixture->memory.fd;
	if (!vhu_fixture_provoke(fixture, &message, &accepted))
		return;
	if (accepted && regions)
		vhu_fixture_fail_as(fixture, VHU_PROBE_ACCEPTS, "acknowledges it");
	else
		vhu_fixture_stands(fixture, false);
}

void vhu_case_regions_none(struct vhu_fixture *fixture)
{
	share_wrong(fixture, 0, 0);
}

void vhu_case_regions_many(struct vhu_fixture *fixture)
{
	share_wrong(fixture, UINT32_MAX, 1);
}

void vhu_case_region_without_fd(struct vhu_fixture *fixture)
{
	share_wrong(fixture, 1, 0);
}

/* Set up ring 0 with something wrong in it, start it, and kick it. */
static void start_wrong(struct vhu_fixture *fixture, uint32_t size, uint64_t user)
{
	const struct vhu_probe_areas areas = vhu_probe_ring_areas(&fixture->ring[0]);
	struct vhu_message_buf message;
	bool accepted;

	vhu_message_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	vhu_message_put(&message, VHU_FIELD_vring_size_num, size);
	if (!vhu_fixture_greet(fixture, 0) || !vhu_fixture_share(fixture) ||
	    !vhu_fixture_provoke(fixture, &message, &accepted))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_VRING_ADDR, VHU_LAYOUT_vring_addr);
	vhu_message_put(&message, VHU_FIELD_vring_addr_descriptor, user + areas.descriptor);
	vhu_message_put(&message, VHU_FIELD_vring_addr_available, user + areas.available);
	vhu_message_put(&message, VHU_FIELD_vring_addr_used, user + areas.used);
	if (!vhu_fixture_provoke(fixture, &message, &accepted))
		return;
	for (int i = 0; i < 2; i++) {
		vhu_message_begin(&message, i ? VHU_MSG_SET_VRING_CALL : VHU_MSG_SET_VRING_KICK,
				  VHU_LAYOUT_vring_fd);
		message.fd[message.fds++] = i ? fixture->ring[0].call : fixture->ring[0].kick;
		if (!vhu_fixture_provoke(fixture, &message, &accepted))
			return;
	}
	vhu_message_begin(&message, VHU_MSG_SET_VRING_ENABLE, VHU_LAYOUT_vring_enable);
	vhu_message_put(&message, VHU_FIELD_vring_enable_enable, 1);
	if ((fixture->features & VHU_PROBE_PF_BIT) &&
	    !vhu_fixture_provoke(fixture, &message, &accepted))
		return;
	vhu_probe_ring_submit(&fixture->ring[0], VIRTIO_ID_RNG);
	vhu_fixture_stands(fixture, false);
}

void vhu_case_ring_unmapped(struct vhu_fixture *fixture)
{
	start_wrong(fixture, VHU_PROBE_RING_SIZE, NOWHERE);
}

void vhu_case_size_none(struct vhu_fixture *fixture)
{
	start_wrong(fixture, 0, VHU_PROBE_USER);
}
