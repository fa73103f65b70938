/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session as JSON. docs/vhu-stats.1 lists the keys. */
#include <stdio.h>

#include "lib/show/state.h"

void vhu_show_peer_json(struct vhu_json *json, const char *key, const struct vhu_peer *peer)
{
	vhu_json_object(json, key);
	if (peer->known) {
		vhu_json_unsigned(json, "pid", peer->pid);
		vhu_json_unsigned(json, "uid", peer->uid);
		vhu_json_unsigned(json, "gid", peer->gid);
		vhu_json_string(json, "comm", peer->comm);
	}
	vhu_json_string(json, "path", peer->path);
	vhu_json_object_end(json);
}

/* Write a number and the message that told it, where one did. */
static void put_told(struct vhu_json *json, const char *key, uint64_t value, uint64_t number)
{
	char by[32];

	if (!number)
		return;
	vhu_json_unsigned(json, key, value);
	snprintf(by, sizeof(by), "%s_by", key);
	vhu_json_unsigned(json, by, number);
}

/* Write the names of features. */
static void put_names(struct vhu_json *json, const char *key, enum vhu_names_id set, uint64_t value,
		      const struct vhu_context *context)
{
	char unknown[16];

	vhu_json_array(json, key);
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct vhu_name *name = vhu_name_find(set, bit, context);

		snprintf(unknown, sizeof(unknown), "bit %u", bit);
		if (value >> bit & 1)
			vhu_json_string(json, NULL, name ? name->name : unknown);
	}
	vhu_json_array_end(json);
}

/* Write a set of features: what was offered and taken. */
static void put_features(struct vhu_json *json, const char *key, enum vhu_names_id set,
			 const struct vhu_feature_set *features, const struct vhu_context *context)
{
	vhu_json_object(json, key);
	put_told(json, "offered", features->offered, features->offered_by);
	if (features->offered_by)
		put_names(json, "offered_names", set, features->offered, context);
	put_told(json, "taken", features->taken, features->taken_by);
	if (features->taken_by)
		put_names(json, "taken_names", set, features->taken, context);
	vhu_json_object_end(json);
}

/* Write what a vring is kicked or called by. */
static void put_vring_fd(struct vhu_json *json, const char *key, const struct vhu_vring_fd *fd)
{
	if (!fd->number)
		return;
	vhu_json_object(json, key);
	vhu_json_unsigned(json, "by", fd->number);
	vhu_json_bool(json, "polling", fd->polling);
	if (!fd->polling)
		vhu_json_string(json, "kind", vhu_fd_kind_name(fd->kind));
	if (fd->has_eventfd)
		vhu_json_unsigned(json, "eventfd_id", fd->eventfd_id);
	vhu_json_object_end(json);
}

/* Write the vrings. */
static void put_vrings(struct vhu_json *json, const struct vhu_state *state)
{
	vhu_json_array(json, "vrings");
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *vring = &state->vring[i];

		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "index", i);
		put_told(json, "size", vring->size, vring->size_by);
		put_told(json, "descriptor", vring->descriptor, vring->addresses_by);
		put_told(json, "available", vring->available, vring->addresses_by);
		put_told(json, "used", vring->used, vring->addresses_by);
		put_told(json, "base", vring->base, vring->base_by);
		put_told(json, "base_got", vring->base_got, vring->base_got_by);
		vhu_json_bool(json, "enabled", vring->enabled);
		if (vring->enabled_by)
			vhu_json_unsigned(json, "enabled_by", vring->enabled_by);
		vhu_json_bool(json, "started", vring->started);
		if (vring->started_by)
			vhu_json_unsigned(json, "started_by", vring->started_by);
		if (vring->stopped_by)
			vhu_json_unsigned(json, "stopped_by", vring->stopped_by);
		put_vring_fd(json, "kick", &vring->fd[VHU_KICK]);
		put_vring_fd(json, "call", &vring->fd[VHU_CALL]);
		put_vring_fd(json, "err", &vring->fd[VHU_ERR]);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write the memory map. */
static void put_memory(struct vhu_json *json, const struct vhu_state *state)
{
	vhu_json_array(json, "memory");
	for (unsigned i = 0; i < state->regions; i++) {
		const struct vhu_region *region = &state->region[i];

		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "guest_address", region->guest_address);
		vhu_json_unsigned(json, "size", region->size);
		vhu_json_unsigned(json, "user_address", region->user_address);
		vhu_json_unsigned(json, "mmap_offset", region->mmap_offset);
		if (region->has_fd)
			vhu_json_string(json, "kind", vhu_fd_kind_name(region->fd.kind));
		if (region->fd.has & VHU_FD_HAS_SIZE)
			vhu_json_unsigned(json, "file_size", region->fd.size);
		vhu_json_unsigned(json, "by", region->number);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

void vhu_show_device_json(struct vhu_json *json, const struct vhu_state *state)
{
	const char *device = vhu_device_name(state->context.device);

	if (state->context.device)
		vhu_json_unsigned(json, "device_id", state->context.device);
	if (state->context.device && device)
		vhu_json_string(json, "device", device);
	vhu_json_string(json, "dialect", vhu_dialect_name(state->context.dialect));
}

void vhu_show_state_json(struct vhu_json *json, const struct vhu_state *state)
{
	put_features(json, "virtio_features", VHU_NAMES_virtio_features, &state->features,
		     &state->context);
	put_features(json, "protocol_features", VHU_NAMES_protocol_features,
		     &state->protocol_features, &state->context);
	put_told(json, "queues", state->queue_num, state->queue_num_by);
	put_vrings(json, state);
	put_memory(json, state);
}
