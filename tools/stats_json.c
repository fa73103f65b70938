/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics as lines of JSON. docs/vhu-stats.1 lists the keys. */
#include <stdio.h>

#include "lib/cli/json.h"
#include "tools/stats.h"

/* Write who is at one side. */
static void put_peer(struct vhu_json *json, const char *key, const struct vhu_stats_peer *peer)
{
	vhu_json_object(json, key);
	if (peer->known) {
		vhu_json_unsigned(json, "pid", peer->pid);
		vhu_json_string(json, "comm", peer->comm);
	}
	vhu_json_string(json, "path", peer->path);
	vhu_json_object_end(json);
}

/* Write how much there is, and when it was. */
static void put_counts(struct vhu_json *json, const struct vhu_stats *stats)
{
	vhu_json_unsigned(json, "begin_ns", stats->begin_ns);
	vhu_json_unsigned(json, "duration_ns", stats->end_ns - stats->begin_ns);
	vhu_json_object(json, "messages");
	vhu_json_unsigned(json, "front_end", stats->from[0]);
	vhu_json_unsigned(json, "back_end", stats->from[1]);
	vhu_json_unsigned(json, "unknown", stats->unknown);
	vhu_json_object_end(json);
	vhu_json_object(json, "findings");
	for (int i = VHU_SEVERITIES - 1; i >= 0; i--)
		vhu_json_unsigned(json, vhu_severity_name((enum vhu_severity)i), stats->found[i]);
	vhu_json_object_end(json);
}

/* Write the parts of the set-up. */
static void put_setup(struct vhu_json *json, const struct vhu_stats *stats)
{
	const struct vhu_stats_setup *setup = &stats->setup;

	vhu_json_object(json, "setup");
	for (unsigned i = 0; i < VHU_PHASES; i++) {
		const struct vhu_stats_phase *phase = &setup->phase[i];

		if (!phase->first)
			continue;
		vhu_json_object(json, vhu_stats_phase_name((enum vhu_stats_phase_id)i));
		vhu_json_unsigned(json, "begin_ns", phase->begin_ns - stats->begin_ns);
		vhu_json_unsigned(json, "duration_ns", phase->end_ns - phase->begin_ns);
		vhu_json_unsigned(json, "waiting_ns", phase->waiting_ns);
		vhu_json_unsigned(json, "first", phase->first);
		vhu_json_unsigned(json, "last", phase->last);
		vhu_json_object_end(json);
	}
	if (setup->first_kick) {
		vhu_json_object(json, "first_kick");
		vhu_json_unsigned(json, "begin_ns", setup->first_kick_ns - stats->begin_ns);
		vhu_json_unsigned(json, "number", setup->first_kick);
		vhu_json_object_end(json);
	}
	vhu_json_object_end(json);
}

/* Write how often each message passed, and how long its answers took. */
static void put_messages(struct vhu_json *json, const struct vhu_stats *stats)
{
	vhu_json_array(json, "by_message");
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		const struct vhu_histogram *delay = stats->delay[i];

		if (!stats->requests[i] && !stats->replies[i])
			continue;
		vhu_json_object(json, NULL);
		vhu_json_string(json, "channel", vhu_channel_name(vhu_messages[i].channel));
		vhu_json_string(json, "message", vhu_messages[i].name);
		vhu_json_unsigned(json, "requests", stats->requests[i]);
		vhu_json_unsigned(json, "replies", stats->replies[i]);
		if (delay) {
			vhu_json_object(json, "reply_ns");
			vhu_json_unsigned(json, "min", delay->least);
			vhu_json_unsigned(json, "mean", vhu_histogram_mean(delay));
			vhu_json_unsigned(json, "p50", vhu_histogram_quantile(delay, 500));
			vhu_json_unsigned(json, "p90", vhu_histogram_quantile(delay, 900));
			vhu_json_unsigned(json, "p99", vhu_histogram_quantile(delay, 990));
			vhu_json_unsigned(json, "max", delay->greatest);
			vhu_json_object_end(json);
		}
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
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

/* Write what is known of a session as it ended. */
static void put_state(struct vhu_json *json, const struct vhu_stats *stats,
		      const struct vhu_state *state)
{
	const char *device = vhu_device_name(state->context.device);

	put_peer(json, "front_end", &stats->peer[0]);
	put_peer(json, "back_end", &stats->peer[1]);
	if (state->context.device)
		vhu_json_unsigned(json, "device_id", state->context.device);
	if (state->context.device && device)
		vhu_json_string(json, "device", device);
	vhu_json_string(json, "dialect", vhu_dialect_name(state->context.dialect));
	vhu_json_bool(json, "closed", stats->closed);
	if (stats->closed)
		vhu_json_string(json, "reason", stats->reason);
	put_setup(json, stats);
	put_features(json, "virtio_features", VHU_NAMES_virtio_features, &state->features,
		     &state->context);
	put_features(json, "protocol_features", VHU_NAMES_protocol_features,
		     &state->protocol_features, &state->context);
	put_told(json, "queues", state->queue_num, state->queue_num_by);
	put_vrings(json, state);
	put_memory(json, state);
}

void vhu_stats_json(const struct vhu_stats *stats, const struct vhu_state *state)
{
	struct vhu_json json = {.to = stdout};

	vhu_json_object(&json, NULL);
	if (state)
		vhu_json_unsigned(&json, "session", state->id);
	else
		vhu_json_unsigned(&json, "sessions", stats->sessions);
	put_counts(&json, stats);
	put_messages(&json, stats);
	if (state)
		put_state(&json, stats, state);
	vhu_json_object_end(&json);
	putchar('\n');
}
