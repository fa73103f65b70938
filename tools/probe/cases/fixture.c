/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a case sees: a back-end to talk to, memory and rings. */
#include "tools/probe/cases/fixture.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>

/* Protocol features that cases use. */
#define USED                                                                                       \
	(VHU_PROBE_BIT(MQ) | VHU_PROBE_BIT(LOG_SHMFD) | VHU_PROBE_BIT(REPLY_ACK) |                 \
	 VHU_PROBE_BIT(CONFIG) | VHU_PROBE_BIT(RESET_DEVICE) | VHU_PROBE_BIT(STATUS) |             \
	 VHU_PROBE_BIT(DEVICE_STATE))

/* So long nothing may come. */
#define QUIET_MS 50

/* Write a result, unless one was written before: what failed first says most. */
static void say(struct vhu_fixture *fixture, enum vhu_probe_result result, const char *format,
		va_list arguments)
{
	if (fixture->verdict->result != VHU_PROBE_PASSED)
		return;
	fixture->verdict->result = result;
	vsnprintf(fixture->verdict->text, sizeof(fixture->verdict->text), format, arguments);
}

bool vhu_fixture_fail_as(struct vhu_fixture *fixture, enum vhu_probe_kind kind, const char *format,
			 ...)
{
	va_list arguments;

	if (fixture->verdict->result == VHU_PROBE_PASSED)
		fixture->verdict->kind = kind;
	va_start(arguments, format);
	say(fixture, VHU_PROBE_FAILED, format, arguments);
	va_end(arguments);
	return false;
}

bool vhu_fixture_fail(struct vhu_fixture *fixture, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(fixture, VHU_PROBE_FAILED, format, arguments);
	va_end(arguments);
	return false;
}

bool vhu_fixture_skip(struct vhu_fixture *fixture, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(fixture, VHU_PROBE_NOT_APPLICABLE, format, arguments);
	va_end(arguments);
	return false;
}

bool vhu_fixture_note(struct vhu_fixture *fixture, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(fixture, VHU_PROBE_PASSED, format, arguments);
	va_end(arguments);
	return true;
}

bool vhu_fixture_fail_connection(struct vhu_fixture *fixture)
{
	return vhu_fixture_fail(fixture, "%s", fixture->connection->why);
}

int vhu_fixture_open(struct vhu_fixture *fixture, struct vhu_probe *probe,
		     struct vhu_probe_verdict *verdict)
{
	uint32_t device = probe->specs.device.value;
	int error;

	*fixture = (struct vhu_fixture){
	    .facts = probe,
	    .connection = &probe->connection,
	    .verdict = verdict,
	    .device = device,
	    .ring = {{.kick = -1, .call = -1}, {.kick = -1, .call = -1}},
	    .rings = device == VIRTIO_ID_NET || (device != VIRTIO_ID_RNG && probe->has_queue_num &&
						 probe->queue_num > 1)
			 ? 2
			 : 1,
	};
	fixture->has_request = vhu_probe_request_known(device, &fixture->request_ring) &&
			       fixture->request_ring < fixture->rings;
	if (!fixture->has_request)
		fixture->request_ring = 0;
	error = vhu_probe_memory_open(&fixture->memory);
	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX && !error; i++)
		error = vhu_probe_ring_open(&fixture->ring[i], &fixture->memory, i);
	return error;
}

void vhu_fixture_close(struct vhu_fixture *fixture)
{
	vhu_probe_disconnect(fixture->connection);
	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX; i++)
		vhu_probe_ring_close(&fixture->ring[i]);
	vhu_probe_memory_close(&fixture->memory);
}

bool vhu_fixture_connect(struct vhu_fixture *fixture)
{
	return !vhu_probe_connect(fixture->connection) || vhu_fixture_fail_connection(fixture);
}

bool vhu_fixture_set(struct vhu_fixture *fixture, const struct vhu_message_buf *message)
{
	return vhu_probe_set(fixture->connection, message) == 0 ||
	       vhu_fixture_fail_connection(fixture);
}

bool vhu_fixture_ask(struct vhu_fixture *fixture, enum vhu_message_id id, enum vhu_field_id field,
		     uint64_t *value)
{
	struct vhu_message_buf message, reply;

	vhu_message_begin(&message, id, VHU_LAYOUT_none);
	if (vhu_probe_ask(fixture->connection, &message, &reply))
		return vhu_fixture_fail_connection(fixture);
	*value = vhu_message_get(&reply, field);
	vhu_message_drop(&reply);
	return true;
}

bool vhu_fixture_set_status(struct vhu_fixture *fixture, uint64_t status)
{
	struct vhu_message_buf message;

	if (!vhu_probe_has(fixture->connection, VHU_PF_STATUS))
		return true;
	vhu_message_begin(&message, VHU_MSG_SET_STATUS, VHU_LAYOUT_status);
	vhu_message_put(&message, VHU_FIELD_status_status, status);
	return vhu_fixture_set(fixture, &message);
}

bool vhu_fixture_set_features(struct vhu_fixture *fixture, uint64_t features)
{
	struct vhu_message_buf message;

	vhu_message_begin(&message, VHU_MSG_SET_FEATURES, VHU_LAYOUT_features);
	vhu_message_put(&message, VHU_FIELD_features_features, features);
	return vhu_fixture_set(fixture, &message);
}

/* Take the protocol features that cases use. */
static bool negotiate(struct vhu_fixture *fixture)
{
	struct vhu_context *negotiated = &fixture->connection->negotiated;
	struct vhu_message_buf message;

	if (!vhu_fixture_ask(fixture, VHU_MSG_GET_PROTOCOL_FEATURES,
			     VHU_FIELD_protocol_features_protocol_features, &fixture->offered))
		return false;
	negotiated->protocol_features =
	    fixture->offered & USED & ~(fixture->no_acks ? VHU_PROBE_BIT(REPLY_ACK) : 0);
	negotiated->has_protocol_features = true;
	negotiated->dialect = fixture->facts->found_dialect;
	vhu_message_begin(&message, VHU_MSG_SET_PROTOCOL_FEATURES, VHU_LAYOUT_protocol_features);
	vhu_message_put(&message, VHU_FIELD_protocol_features_protocol_features,
			negotiated->protocol_features);
	return !vhu_probe_send(fixture->connection, &message) ||
	       vhu_fixture_fail_connection(fixture);
}

/* Set features as a driver does, with the status before and after. */
static bool take_features(struct vhu_fixture *fixture)
{
	const uint64_t driver = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	return vhu_fixture_set_status(fixture, driver) &&
	       vhu_fixture_set_features(fixture, fixture->features) &&
	       vhu_fixture_set_status(fixture, driver | VIRTIO_CONFIG_S_FEATURES_OK);
}

bool vhu_fixture_greet(struct vhu_fixture *fixture, uint64_t extra)
{
	const uint64_t version_1 = UINT64_C(1) << VIRTIO_F_VERSION_1;
	struct vhu_message_buf owner;
	uint64_t offered = 0;

	vhu_message_begin(&owner, VHU_MSG_SET_OWNER, VHU_LAYOUT_none);
	if (!vhu_fixture_connect(fixture) ||
	    !vhu_fixture_ask(fixture, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features, &offered))
		return false;
	fixture->features = offered & (version_1 | VHU_PROBE_PF_BIT | extra);
	if ((offered & VHU_PROBE_PF_BIT) && !negotiate(fixture))
		return false;
	return vhu_fixture_set(fixture, &owner) && take_features(fixture);
}

bool vhu_fixture_share(struct vhu_fixture *fixture)
{
	const struct vhu_field *region = &vhu_fields[VHU_FIELD_mem_table_region];
	struct vhu_message_buf message;

	vhu_message_begin(&message, VHU_MSG_SET_MEM_TABLE, VHU_LAYOUT_mem_table);
	message.header.size = region->offset + region->size;
	vhu_message_put(&message, VHU_FIELD_mem_table_regions, 1);
	vhu_message_put_at(&message, VHU_FIELD_region_guest_address, region->offset,
			   VHU_PROBE_GUEST);
	vhu_message_put_at(&message, VHU_FIELD_region_size, region->offset, VHU_PROBE_MEMORY_SIZE);
	vhu_message_put_at(&message, VHU_FIELD_region_user_address, region->offset, VHU_PROBE_USER);
	message.fd[message.fds++] = fixture->memory.fd;
	return vhu_fixture_set(fixture, &message);
}

bool vhu_fixture_set_fd(struct vhu_fixture *fixture, enum vhu_message_id id, unsigned i, int fd)
{
	struct vhu_message_buf message;

	vhu_message_begin(&message, id, VHU_LAYOUT_vring_fd);
	vhu_message_put(&message, VHU_FIELD_vring_fd_index, i);
	vhu_message_put(&message, VHU_FIELD_vring_fd_nofd, fd < 0);
	if (fd >= 0)
		message.fd[message.fds++] = fd;
	return vhu_fixture_set(fixture, &message);
}

bool vhu_fixture_set_addresses(struct vhu_fixture *fixture, unsigned i, uint64_t user,
			       uint32_t flags)
{
	const struct vhu_probe_areas areas = vhu_probe_ring_areas(&fixture->ring[i]);
	struct vhu_message_buf message;

	vhu_message_begin(&message, VHU_MSG_SET_VRING_ADDR, VHU_LAYOUT_vring_addr);
	vhu_message_put(&message, VHU_FIELD_vring_addr_index, i);
	vhu_message_put(&message, VHU_FIELD_vring_addr_flags, flags);
	vhu_message_put(&message, VHU_FIELD_vring_addr_descriptor, user + areas.descriptor);
	vhu_message_put(&message, VHU_FIELD_vring_addr_available, user + areas.available);
	vhu_message_put(&message, VHU_FIELD_vring_addr_used, user + areas.used);
	/* Where writes to the used area are logged, "Migration". */
	vhu_message_put(&message, VHU_FIELD_vring_addr_log, VHU_PROBE_GUEST + areas.used);
	return vhu_fixture_set(fixture, &message);
}

/* Send a message of a ring and a number. */
static bool set_number(struct vhu_fixture *fixture, enum vhu_message_id id, unsigned i,
		       uint32_t number)
{
	struct vhu_message_buf message;

	vhu_message_begin(&message, id, VHU_LAYOUT_vring_index);
	vhu_message_put(&message, VHU_FIELD_vring_index_index, i);
	vhu_message_put(&message, VHU_FIELD_vring_index_num, number);
	return vhu_fixture_set(fixture, &message);
}

bool vhu_fixture_set_up(struct vhu_fixture *fixture, unsigned i, uint32_t base)
{
	return set_number(fixture, VHU_MSG_SET_VRING_NUM, i, VHU_PROBE_RING_SIZE) &&
	       set_number(fixture, VHU_MSG_SET_VRING_BASE, i, base) &&
	       vhu_fixture_set_addresses(fixture, i, VHU_PROBE_USER, 0) &&
	       vhu_fixture_set_fd(fixture, VHU_MSG_SET_VRING_CALL, i, fixture->ring[i].call) &&
	       vhu_fixture_set_fd(fixture, VHU_MSG_SET_VRING_KICK, i, fixture->ring[i].kick);
}

bool vhu_fixture_enable(struct vhu_fixture *fixture, unsigned i, bool enable)
{
	/* Without bit 30 rings are enabled from the start. */
	return !(fixture->features & VHU_PROBE_PF_BIT) ||
	       set_number(fixture, VHU_MSG_SET_VRING_ENABLE, i, enable);
}

/* Set up and enable all rings, and say that the driver is ready. */
static bool drive(struct vhu_fixture *fixture)
{
	bool good = true;

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_set_up(fixture, i, 0);
	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_enable(fixture, i, true);
	return good && vhu_fixture_set_status(
			   fixture, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
					VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

bool vhu_fixture_drive(struct vhu_fixture *fixture)
{
	return take_features(fixture) && drive(fixture);
}

bool vhu_fixture_start(struct vhu_fixture *fixture, uint64_t extra)
{
	return vhu_fixture_greet(fixture, extra) && vhu_fixture_share(fixture) && drive(fixture);
}

bool vhu_fixture_ring_anew(struct vhu_fixture *fixture, unsigned i)
{
	vhu_probe_ring_close(&fixture->ring[i]);
	return !vhu_probe_ring_open(&fixture->ring[i], &fixture->memory, i) ||
	       vhu_fixture_skip(fixture, "no eventfds here: %s", strerror(errno));
}

bool vhu_fixture_memory_anew(struct vhu_fixture *fixture)
{
	int error;

	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX; i++)
		vhu_probe_ring_close(&fixture->ring[i]);
	vhu_probe_memory_close(&fixture->memory);
	error = vhu_probe_memory_open(&fixture->memory);
	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX && !error; i++)
		error = vhu_probe_ring_open(&fixture->ring[i], &fixture->memory, i);
	return !error || vhu_fixture_skip(fixture, "no memory here: %s", strerror(-error));
}

bool vhu_fixture_wait(struct vhu_fixture *fixture)
{
	struct vhu_probe_ring *ring = &fixture->ring[fixture->request_ring];
	char why[128];

	return !vhu_probe_ring_wait(ring, fixture->device, fixture->connection->timeout_ms, why) ||
	       vhu_fixture_fail(fixture, "%s", why);
}

bool vhu_fixture_serve(struct vhu_fixture *fixture)
{
	if (!fixture->has_request)
		return vhu_fixture_note(fixture,
					"judged by its answers: no request is known for it");
	vhu_probe_ring_submit(&fixture->ring[fixture->request_ring], fixture->device);
	return vhu_fixture_wait(fixture);
}

bool vhu_fixture_stop(struct vhu_fixture *fixture, unsigned i, uint32_t *base)
{
	struct vhu_message_buf message, reply;
	uint32_t index;

	vhu_message_begin(&message, VHU_MSG_GET_VRING_BASE, VHU_LAYOUT_vring_index);
	vhu_message_put(&message, VHU_FIELD_vring_index_index, i);
	if (vhu_probe_ask(fixture->connection, &message, &reply))
		return vhu_fixture_fail_connection(fixture);
	index = (uint32_t)vhu_message_get(&reply, VHU_FIELD_vring_index_index);
	*base = (uint32_t)vhu_message_get(&reply, VHU_FIELD_vring_index_num);
	vhu_message_drop(&reply);
	return index == i ||
	       vhu_fixture_fail(fixture, "asked for the base of vring %u, got that of %u", i,
				index);
}

bool vhu_fixture_config(struct vhu_fixture *fixture, uint32_t offset, uint32_t size,
			struct vhu_message_buf *reply)
{
	const struct vhu_field *space = &vhu_fields[VHU_FIELD_config_space];
	struct vhu_message_buf message;

	vhu_message_begin(&message, VHU_MSG_GET_CONFIG, VHU_LAYOUT_config);
	message.header.size = space->offset + size;
	vhu_message_put(&message, VHU_FIELD_config_offset, offset);
	vhu_message_put(&message, VHU_FIELD_config_size, size);
	if (vhu_probe_ask(fixture->connection, &message, reply))
		return vhu_fixture_fail_connection(fixture);
	vhu_message_drop(reply);
	if (reply->header.size == space->offset + size)
		return true;
	return vhu_fixture_fail(fixture, "%u bytes of configuration at %u were refused", size,
				offset);
}

bool vhu_fixture_provoke(struct vhu_fixture *fixture, struct vhu_message_buf *message,
			 bool *accepted)
{
	int error = vhu_probe_set(fixture->connection, message);

	*accepted = error == 0 && vhu_probe_has(fixture->connection, VHU_PF_REPLY_ACK);
	if (error == 1)
		vhu_fixture_note(fixture, "refuses it");
	else if (error == -EPIPE)
		vhu_fixture_note(fixture, "closes the connection");
	else if (error)
		vhu_fixture_fail_connection(fixture);
	return error >= 0;
}

bool vhu_fixture_quiet(struct vhu_fixture *fixture)
{
	struct pollfd ask = {.fd = fixture->connection->socket, .events = POLLIN};

	return poll(&ask, 1, QUIET_MS) < 1 ||
	       vhu_fixture_fail(fixture, "the back-end sent a message without a request");
}

bool vhu_fixture_stands(struct vhu_fixture *fixture, bool may_wait)
{
	struct vhu_message_buf message, reply;
	int error;

	vhu_message_begin(&message, VHU_MSG_GET_FEATURES, VHU_LAYOUT_none);
	error = vhu_probe_ask(fixture->connection, &message, &reply);
	if (!error) {
		vhu_message_drop(&reply);
		return *fixture->verdict->text || vhu_fixture_note(fixture, "goes on");
	}
	if (error == -EPIPE)
		return vhu_fixture_note(fixture, "closes the connection");
	if (error == -ETIMEDOUT && may_wait)
		return vhu_fixture_note(fixture, "waits for the rest");
	return vhu_fixture_fail_connection(fixture);
}
