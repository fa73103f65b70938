/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases of how messages are asked and answered, and of the configuration space. */
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <string.h>

#include "tools/probe/cases/cases.h"

#include "lib/util/util.h"

/* Long enough for a back-end to look at what it has got. */
#define PAUSE_MS 50

void vhu_case_get_early(struct vhu_fixture *fixture)
{
	uint64_t offered;

	if (!vhu_fixture_connect(fixture) ||
	    !vhu_fixture_ask(fixture, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features,
			     &offered) ||
	    !vhu_fixture_ask(fixture, VHU_MSG_GET_PROTOCOL_FEATURES,
			     VHU_FIELD_protocol_features_protocol_features, &offered))
		return;
	if (offered != fixture->facts->protocol_features)
		vhu_fixture_fail(fixture, "protocol features are 0x%llx, they were 0x%llx",
				 (unsigned long long)offered,
				 (unsigned long long)fixture->facts->protocol_features);
}

void vhu_case_pipelined(struct vhu_fixture *fixture)
{
	static const enum vhu_message_id both[] = {VHU_MSG_GET_FEATURES,
						   VHU_MSG_GET_PROTOCOL_FEATURES};
	unsigned kinds = fixture->facts->features & VHU_PROBE_PF_BIT ? 2 : 1;
	uint8_t bytes[4 * VHU_HEADER_SIZE];
	struct vhu_message_buf asked[4], reply;

	if (!vhu_fixture_connect(fixture))
		return;
	for (unsigned i = 0; i < 4; i++) {
		vhu_message_begin(&asked[i], both[i % kinds], VHU_LAYOUT_none);
		vhu_header_write(bytes + i * VHU_HEADER_SIZE, asked[i].header,
				 vhu_host_is_big_endian());
	}
	if (vhu_probe_send_bytes(fixture->connection, bytes, sizeof(bytes))) {
		vhu_fixture_fail_connection(fixture);
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		vhu_probe_record(fixture->connection, bytes + i * VHU_HEADER_SIZE, VHU_HEADER_SIZE);
	for (unsigned i = 0; i < 4; i++) {
		if (vhu_probe_answer(fixture->connection, &asked[i], &reply)) {
			vhu_fixture_fail_connection(fixture);
			return;
		}
		vhu_message_drop(&reply);
	}
}

void vhu_case_header_apart(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;
	size_t size;

	if (!vhu_fixture_greet(fixture, 0))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	vhu_message_put(&message, VHU_FIELD_vring_size_num, VHU_PROBE_RING_SIZE);
	size = vhu_message_write(&message);
	if (vhu_probe_send_bytes(fixture->connection, message.head, VHU_HEADER_SIZE)) {
		vhu_fixture_fail_connection(fixture);
		return;
	}
	poll(NULL, 0, PAUSE_MS);
	if (vhu_probe_send_bytes(fixture->connection, message.payload, size - VHU_HEADER_SIZE)) {
		vhu_fixture_fail_connection(fixture);
		return;
	}
	vhu_probe_record(fixture->connection, message.bytes, size);
	vhu_fixture_ask(fixture, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features, &(uint64_t){0});
}

void vhu_case_need_reply_get(struct vhu_fixture *fixture)
{
	/* A second answer to one would be taken for the next one's. */
	static const enum vhu_message_id questions[] = {
	    VHU_MSG_GET_FEATURES, VHU_MSG_GET_PROTOCOL_FEATURES, VHU_MSG_GET_FEATURES,
	    VHU_MSG_GET_PROTOCOL_FEATURES};
	struct vhu_message_buf message, reply;

	if (!vhu_fixture_greet(fixture, 0))
		return;
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(questions); i++) {
		vhu_message_begin(&message, questions[i], VHU_LAYOUT_none);
		message.header.flags |= VHU_FLAG_NEED_REPLY;
		if (vhu_probe_ask(fixture->connection, &message, &reply)) {
			vhu_fixture_fail_connection(fixture);
			return;
		}
		vhu_message_drop(&reply);
	}
	vhu_fixture_quiet(fixture);
}

void vhu_case_need_reply_set(struct vhu_fixture *fixture)
{
	if (vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture))
		vhu_fixture_quiet(fixture);
}

void vhu_case_without_ack(struct vhu_fixture *fixture)
{
	fixture->no_acks = true;
	if (vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture) &&
	    vhu_fixture_quiet(fixture))
		vhu_fixture_ask(fixture, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features,
				&(uint64_t){0});
}

/* Compare a part of the configuration with the same part of the whole. */
static bool same_part(struct vhu_fixture *fixture, uint32_t offset, uint32_t size)
{
	const struct vhu_field *space = &vhu_fields[VHU_FIELD_config_space];
	const uint8_t *whole = fixture->facts->config.payload + space->offset;
	struct vhu_message_buf reply;

	if (!vhu_fixture_config(fixture, offset, size, &reply))
		return false;
	return !memcmp(reply.payload + space->offset, whole + offset, size) ||
	       vhu_fixture_fail(fixture, "%u bytes at %u are not what they are in the whole", size,
				offset);
}

void vhu_case_config_part(struct vhu_fixture *fixture)
{
	uint32_t size = (uint32_t)vhu_message_get(&fixture->facts->config, VHU_FIELD_config_size);

	if (!fixture->facts->has_config) {
		vhu_fixture_skip(fixture, "it gave no configuration");
		return;
	}
	if (vhu_fixture_greet(fixture, 0) && same_part(fixture, size - 1, 1) &&
	    same_part(fixture, 0, (size + 1) / 2) && same_part(fixture, size / 2, size - size / 2))
		same_part(fixture, 0, size);
}

/* Fields that a driver may write, each one in a configuration space of its own. */
static const struct {
	uint32_t device;
	enum vhu_field_id field;
	uint64_t feature;
} writable[] = {
    {VIRTIO_ID_BLOCK, VHU_FIELD_config_blk_wce, UINT64_C(1) << VIRTIO_BLK_F_CONFIG_WCE},
    {VIRTIO_ID_INPUT, VHU_FIELD_config_input_select, 0},
};

/* Write back what a field holds. */
static void write_back(struct vhu_fixture *fixture, const struct vhu_field *field)
{
	const uint32_t from = vhu_fields[VHU_FIELD_config_space].offset;
	struct vhu_message_buf message;

	vhu_message_begin(&message, VHU_MSG_SET_CONFIG, VHU_LAYOUT_config);
	message.header.size = from + field->size;
	vhu_message_put(&message, VHU_FIELD_config_offset, field->offset);
	vhu_message_put(&message, VHU_FIELD_config_size, field->size);
	memcpy(message.payload + from, fixture->facts->config.payload + from + field->offset,
	       field->size);
	if (vhu_fixture_set(fixture, &message))
		same_part(fixture, field->offset, field->size);
}

void vhu_case_set_config_part(struct vhu_fixture *fixture)
{
	for (size_t i = 0; i < VHU_ARRAY_SIZE(writable); i++) {
		const struct vhu_field *field = &vhu_fields[writable[i].field];

		if (writable[i].device != fixture->device)
			continue;
		if ((fixture->facts->features & writable[i].feature) != writable[i].feature) {
			vhu_fixture_skip(fixture, "%s is not offered to be written", field->label);
			return;
		}
		if (field->offset + field->size >
		    vhu_message_get(&fixture->facts->config, VHU_FIELD_config_size)) {
			vhu_fixture_skip(fixture, "it gave no configuration that has %s",
					 field->label);
			return;
		}
		if (vhu_fixture_greet(fixture, writable[i].feature))
			write_back(fixture, field);
		return;
	}
	vhu_fixture_skip(fixture, "no field of its device is known that a driver writes");
}
