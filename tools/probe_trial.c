/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a case sees: a back-end to talk to, memory and rings. */
#include "tools/probe_trial.h"

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
static void say(struct vhu_trial *trial, enum vhu_probe_result result, const char *format,
		va_list arguments)
{
	if (trial->verdict->result != VHU_PROBE_PASSED)
		return;
	trial->verdict->result = result;
	vsnprintf(trial->verdict->text, sizeof(trial->verdict->text), format, arguments);
}

bool vhu_trial_fail(struct vhu_trial *trial, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(trial, VHU_PROBE_FAILED, format, arguments);
	va_end(arguments);
	return false;
}

bool vhu_trial_skip(struct vhu_trial *trial, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(trial, VHU_PROBE_NOT_APPLICABLE, format, arguments);
	va_end(arguments);
	return false;
}

bool vhu_trial_note(struct vhu_trial *trial, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(trial, VHU_PROBE_PASSED, format, arguments);
	va_end(arguments);
	return true;
}

bool vhu_trial_fail_wire(struct vhu_trial *trial)
{
	return vhu_trial_fail(trial, "%s", trial->wire->why);
}

int vhu_trial_open(struct vhu_trial *trial, struct vhu_probe *probe,
		   struct vhu_probe_verdict *verdict)
{
	uint32_t device = probe->specs.device.value;
	int error;

	*trial = (struct vhu_trial){
	    .facts = probe,
	    .wire = &probe->wire,
	    .verdict = verdict,
	    .device = device,
	    .ring = {{.kick = -1, .call = -1}, {.kick = -1, .call = -1}},
	    .rings = device == VIRTIO_ID_NET || (device != VIRTIO_ID_RNG && probe->has_queue_num &&
						 probe->queue_num > 1)
			 ? 2
			 : 1,
	};
	trial->has_request = vhu_probe_request_known(device, &trial->request_ring) &&
			     trial->request_ring < trial->rings;
	if (!trial->has_request)
		trial->request_ring = 0;
	error = vhu_probe_memory_open(&trial->memory);
	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX && !error; i++)
		error = vhu_probe_ring_open(&trial->ring[i], &trial->memory, i);
	return error;
}

void vhu_trial_close(struct vhu_trial *trial)
{
	vhu_probe_disconnect(trial->wire);
	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX; i++)
		vhu_probe_ring_close(&trial->ring[i]);
	vhu_probe_memory_close(&trial->memory);
}

bool vhu_trial_connect(struct vhu_trial *trial)
{
	return !vhu_probe_connect(trial->wire) || vhu_trial_fail_wire(trial);
}

bool vhu_trial_set(struct vhu_trial *trial, const struct vhu_probe_message *message)
{
	return vhu_probe_set(trial->wire, message) == 0 || vhu_trial_fail_wire(trial);
}

bool vhu_trial_ask(struct vhu_trial *trial, enum vhu_message_id id, enum vhu_field_id field,
		   uint64_t *value)
{
	struct vhu_probe_message message, reply;

	vhu_probe_begin(&message, id, VHU_LAYOUT_none);
	if (vhu_probe_ask(trial->wire, &message, &reply))
		return vhu_trial_fail_wire(trial);
	*value = vhu_probe_get(&reply, field);
	vhu_probe_drop(&reply);
	return true;
}

bool vhu_trial_set_status(struct vhu_trial *trial, uint64_t status)
{
	struct vhu_probe_message message;

	if (!vhu_probe_has(trial->wire, VHU_PF_STATUS))
		return true;
	vhu_probe_begin(&message, VHU_MSG_SET_STATUS, VHU_LAYOUT_status);
	vhu_probe_put(&message, VHU_FIELD_status_status, status);
	return vhu_trial_set(trial, &message);
}

bool vhu_trial_set_features(struct vhu_trial *trial, uint64_t features)
{
	struct vhu_probe_message message;

	vhu_probe_begin(&message, VHU_MSG_SET_FEATURES, VHU_LAYOUT_features);
	vhu_probe_put(&message, VHU_FIELD_features_features, features);
	return vhu_trial_set(trial, &message);
}

/* Take the protocol features that cases use. */
static bool negotiate(struct vhu_trial *trial)
{
	struct vhu_context *negotiated = &trial->wire->negotiated;
	struct vhu_probe_message message;

	if (!vhu_trial_ask(trial, VHU_MSG_GET_PROTOCOL_FEATURES,
			   VHU_FIELD_protocol_features_protocol_features, &trial->offered))
		return false;
	negotiated->protocol_features =
	    trial->offered & USED & ~(trial->no_acks ? VHU_PROBE_BIT(REPLY_ACK) : 0);
	negotiated->has_protocol_features = true;
	negotiated->dialect = trial->facts->found_dialect;
	vhu_probe_begin(&message, VHU_MSG_SET_PROTOCOL_FEATURES, VHU_LAYOUT_protocol_features);
	vhu_probe_put(&message, VHU_FIELD_protocol_features_protocol_features,
		      negotiated->protocol_features);
	return !vhu_probe_send(trial->wire, &message) || vhu_trial_fail_wire(trial);
}

/* Set features as a driver does, with the status before and after. */
static bool take_features(struct vhu_trial *trial)
{
	const uint64_t driver = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	return vhu_trial_set_status(trial, driver) &&
	       vhu_trial_set_features(trial, trial->features) &&
	       vhu_trial_set_status(trial, driver | VIRTIO_CONFIG_S_FEATURES_OK);
}

bool vhu_trial_greet(struct vhu_trial *trial, uint64_t extra)
{
	const uint64_t version_1 = UINT64_C(1) << VIRTIO_F_VERSION_1;
	struct vhu_probe_message owner;
	uint64_t offered = 0;

	vhu_probe_begin(&owner, VHU_MSG_SET_OWNER, VHU_LAYOUT_none);
	if (!vhu_trial_connect(trial) ||
	    !vhu_trial_ask(trial, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features, &offered))
		return false;
	trial->features = offered & (version_1 | VHU_PROBE_PF_BIT | extra);
	if ((offered & VHU_PROBE_PF_BIT) && !negotiate(trial))
		return false;
	return vhu_trial_set(trial, &owner) && take_features(trial);
}

bool vhu_trial_share(struct vhu_trial *trial)
{
	const struct vhu_field *region = &vhu_fields[VHU_FIELD_mem_table_region];
	struct vhu_probe_message message;

	vhu_probe_begin(&message, VHU_MSG_SET_MEM_TABLE, VHU_LAYOUT_mem_table);
	message.header.size = region->offset + region->size;
	vhu_probe_put(&message, VHU_FIELD_mem_table_regions, 1);
	vhu_probe_put_at(&message, VHU_FIELD_region_guest_address, region->offset, VHU_PROBE_GUEST);
	vhu_probe_put_at(&message, VHU_FIELD_region_size, region->offset, VHU_PROBE_MEMORY_SIZE);
	vhu_probe_put_at(&message, VHU_FIELD_region_user_address, region->offset, VHU_PROBE_USER);
	message.fd[message.fds++] = trial->memory.fd;
	return vhu_trial_set(trial, &message);
}

bool vhu_trial_set_fd(struct vhu_trial *trial, enum vhu_message_id id, unsigned i, int fd)
{
	struct vhu_probe_message message;

	vhu_probe_begin(&message, id, VHU_LAYOUT_vring_fd);
	vhu_probe_put(&message, VHU_FIELD_vring_fd_index, i);
	vhu_probe_put(&message, VHU_FIELD_vring_fd_nofd, fd < 0);
	if (fd >= 0)
		message.fd[message.fds++] = fd;
	return vhu_trial_set(trial, &message);
}

bool vhu_trial_set_addresses(struct vhu_trial *trial, unsigned i, uint64_t user, uint32_t flags)
{
	const struct vhu_probe_areas areas = vhu_probe_ring_areas(&trial->ring[i]);
	struct vhu_probe_message message;

	vhu_probe_begin(&message, VHU_MSG_SET_VRING_ADDR, VHU_LAYOUT_vring_addr);
	vhu_probe_put(&message, VHU_FIELD_vring_addr_index, i);
	vhu_probe_put(&message, VHU_FIELD_vring_addr_flags, flags);
	vhu_probe_put(&message, VHU_FIELD_vring_addr_descriptor, user + areas.descriptor);
	vhu_probe_put(&message, VHU_FIELD_vring_addr_available, user + areas.available);
	vhu_probe_put(&message, VHU_FIELD_vring_addr_used, user + areas.used);
	/* Where writes to the used area are logged, "Migration". */
	vhu_probe_put(&message, VHU_FIELD_vring_addr_log, VHU_PROBE_GUEST + areas.used);
	return vhu_trial_set(trial, &message);
}

/* Send a message of a ring and a number. */
static bool set_number(struct vhu_trial *trial, enum vhu_message_id id, unsigned i, uint32_t number)
{
	struct vhu_probe_message message;

	vhu_probe_begin(&message, id, VHU_LAYOUT_vring_index);
	vhu_probe_put(&message, VHU_FIELD_vring_index_index, i);
	vhu_probe_put(&message, VHU_FIELD_vring_index_num, number);
	return vhu_trial_set(trial, &message);
}

bool vhu_trial_set_up(struct vhu_trial *trial, unsigned i, uint32_t base)
{
	return set_number(trial, VHU_MSG_SET_VRING_NUM, i, VHU_PROBE_RING_SIZE) &&
	       set_number(trial, VHU_MSG_SET_VRING_BASE, i, base) &&
	       vhu_trial_set_addresses(trial, i, VHU_PROBE_USER, 0) &&
	       vhu_trial_set_fd(trial, VHU_MSG_SET_VRING_CALL, i, trial->ring[i].call) &&
	       vhu_trial_set_fd(trial, VHU_MSG_SET_VRING_KICK, i, trial->ring[i].kick);
}

bool vhu_trial_enable(struct vhu_trial *trial, unsigned i, bool enable)
{
	/* Without bit 30 rings are enabled from the start. */
	return !(trial->features & VHU_PROBE_PF_BIT) ||
	       set_number(trial, VHU_MSG_SET_VRING_ENABLE, i, enable);
}

/* Set up and enable all rings, and say that the driver is ready. */
static bool drive(struct vhu_trial *trial)
{
	bool good = true;

	for (unsigned i = 0; good && i < trial->rings; i++)
		good = vhu_trial_set_up(trial, i, 0);
	for (unsigned i = 0; good && i < trial->rings; i++)
		good = vhu_trial_enable(trial, i, true);
	return good && vhu_trial_set_status(
			   trial, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				      VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

bool vhu_trial_drive(struct vhu_trial *trial)
{
	return take_features(trial) && drive(trial);
}

bool vhu_trial_start(struct vhu_trial *trial, uint64_t extra)
{
	return vhu_trial_greet(trial, extra) && vhu_trial_share(trial) && drive(trial);
}

bool vhu_trial_ring_anew(struct vhu_trial *trial, unsigned i)
{
	vhu_probe_ring_close(&trial->ring[i]);
	return !vhu_probe_ring_open(&trial->ring[i], &trial->memory, i) ||
	       vhu_trial_skip(trial, "no eventfds here: %s", strerror(errno));
}

bool vhu_trial_memory_anew(struct vhu_trial *trial)
{
	int error;

	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX; i++)
		vhu_probe_ring_close(&trial->ring[i]);
	vhu_probe_memory_close(&trial->memory);
	error = vhu_probe_memory_open(&trial->memory);
	for (unsigned i = 0; i < VHU_PROBE_RINGS_MAX && !error; i++)
		error = vhu_probe_ring_open(&trial->ring[i], &trial->memory, i);
	return !error || vhu_trial_skip(trial, "no memory here: %s", strerror(-error));
}

bool vhu_trial_serve(struct vhu_trial *trial)
{
	struct vhu_probe_ring *ring = &trial->ring[trial->request_ring];
	char why[128];

	if (!trial->has_request)
		return vhu_trial_note(trial, "judged by its answers: no request is known for it");
	vhu_probe_ring_submit(ring, trial->device);
	return !vhu_probe_ring_wait(ring, trial->device, trial->wire->timeout_ms, why) ||
	       vhu_trial_fail(trial, "%s", why);
}

bool vhu_trial_stop(struct vhu_trial *trial, unsigned i, uint32_t *base)
{
	struct vhu_probe_message message, reply;
	uint32_t index;

	vhu_probe_begin(&message, VHU_MSG_GET_VRING_BASE, VHU_LAYOUT_vring_index);
	vhu_probe_put(&message, VHU_FIELD_vring_index_index, i);
	if (vhu_probe_ask(trial->wire, &message, &reply))
		return vhu_trial_fail_wire(trial);
	index = (uint32_t)vhu_probe_get(&reply, VHU_FIELD_vring_index_index);
	*base = (uint32_t)vhu_probe_get(&reply, VHU_FIELD_vring_index_num);
	vhu_probe_drop(&reply);
	return index == i ||
	       vhu_trial_fail(trial, "asked for the base of vring %u, was told that of %u", i,
			      index);
}

bool vhu_trial_config(struct vhu_trial *trial, uint32_t offset, uint32_t size,
		      struct vhu_probe_message *reply)
{
	const struct vhu_field *space = &vhu_fields[VHU_FIELD_config_space];
	struct vhu_probe_message message;

	vhu_probe_begin(&message, VHU_MSG_GET_CONFIG, VHU_LAYOUT_config);
	message.header.size = space->offset + size;
	vhu_probe_put(&message, VHU_FIELD_config_offset, offset);
	vhu_probe_put(&message, VHU_FIELD_config_size, size);
	if (vhu_probe_ask(trial->wire, &message, reply))
		return vhu_trial_fail_wire(trial);
	vhu_probe_drop(reply);
	if (reply->header.size == space->offset + size)
		return true;
	return vhu_trial_fail(trial, "%u bytes of configuration at %u were refused", size, offset);
}

bool vhu_trial_provoke(struct vhu_trial *trial, const struct vhu_probe_message *message,
		       bool *accepted)
{
	int error = vhu_probe_set(trial->wire, message);

	*accepted = error == 0 && vhu_probe_has(trial->wire, VHU_PF_REPLY_ACK);
	if (error == 1)
		vhu_trial_note(trial, "refuses it");
	else if (error == -EPIPE)
		vhu_trial_note(trial, "closes the connection");
	else if (error)
		vhu_trial_fail_wire(trial);
	return error >= 0;
}

bool vhu_trial_quiet(struct vhu_trial *trial)
{
	struct pollfd ask = {.fd = trial->wire->socket, .events = POLLIN};

	return poll(&ask, 1, QUIET_MS) < 1 ||
	       vhu_trial_fail(trial, "something came that nobody asked for");
}

bool vhu_trial_stands(struct vhu_trial *trial, bool may_wait)
{
	struct vhu_probe_message message, reply;
	int error;

	vhu_probe_begin(&message, VHU_MSG_GET_FEATURES, VHU_LAYOUT_none);
	error = vhu_probe_ask(trial->wire, &message, &reply);
	if (!error) {
		vhu_probe_drop(&reply);
		return *trial->verdict->text || vhu_trial_note(trial, "goes on");
	}
	if (error == -EPIPE)
		return vhu_trial_note(trial, "closes the connection");
	if (error == -ETIMEDOUT && may_wait)
		return vhu_trial_note(trial, "waits for the rest");
	return vhu_trial_fail_wire(trial);
}
