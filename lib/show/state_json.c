/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session as JSON. docs/json/common.json lists the keys. */
#include <stdio.h>

#include "lib/show/fields_json.h"
#include "lib/show/state.h"
#include "lib/util/util.h"

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

/* Write the number of the message that told a fact, where one did. */
static void put_by(struct vhu_json *json, const char *key, const struct vhu_told *told)
{
	char by[48];

	if (!told->by)
		return;
	snprintf(by, sizeof(by), "%s_by", key);
	vhu_json_unsigned(json, by, told->by);
}

/* Write the value of a fact, in its form; of none without a key. */
static void put_value(struct vhu_json *json, enum vhu_form form, const char *key,
		      const struct vhu_told *told)
{
	if (!*key)
		return;
	switch (form) {
	case VHU_FORM_EVENT:
		if (told->by)
			vhu_json_unsigned(json, key, told->by);
		break;
	case VHU_FORM_FLAG:
	case VHU_FORM_RUNS:
		vhu_json_bool(json, key, told->value);
		break;
	default:
		if (told->by)
			vhu_json_unsigned(json, key, told->value);
		break;
	}
}

/* Write a fact, and the message that stated it. */
static void put_told(struct vhu_json *json, enum vhu_form form, const char *key,
		     const struct vhu_told *told)
{
	put_value(json, form, key, told);
	if (*key && form != VHU_FORM_EVENT)
		put_by(json, key, told);
}

/* Write bits that one side told, with their names. */
static void put_bits(struct vhu_json *json, const char *key, const char *names,
		     enum vhu_names_id set, const struct vhu_told *told,
		     const struct vhu_context *context)
{
	put_told(json, VHU_FORM_BITS, key, told);
	if (told->by)
		vhu_show_names_json(json, names, set, told->value, context);
}

/* Write a set of features: what was offered and acked. */
static void put_features(struct vhu_json *json, const char *key, enum vhu_field_id field,
			 const struct vhu_feature_set *features, const struct vhu_context *context)
{
	enum vhu_names_id set = vhu_fields[field].names;

	vhu_json_object(json, key);
	put_bits(json, "offered", "offered_names", set, &features->offered, context);
	put_bits(json, "acked", "acked_names", set, &features->acked, context);
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

/* Write the keys of what no message told of a vring. */
static void put_not_seen(struct vhu_json *json, const struct vhu_vring *vring)
{
	vhu_json_array(json, "not_seen");
#define VHU_VRING_SHOWN(member, repeat, form, json_key, ...)                                       \
	if (*(json_key) && !vring->member.by && !vring->member.value)                              \
		vhu_json_string(json, NULL, json_key);
#define VHU_VRING_FD(role, json_key, ...)                                                          \
	if (!vring->fd[VHU_##role].number)                                                         \
		vhu_json_string(json, NULL, json_key);
#include "lib/session/state/state.def"
	vhu_json_array_end(json);
}

void vhu_show_vrings_json(struct vhu_json *json, const struct vhu_state *state)
{
	vhu_json_array(json, "vrings");
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *vring = &state->vring[i];

		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "vring", i);
#define VHU_VRING_SHOWN(member, repeat, form, json_key, ...)                                       \
	if (!state->begun_before || vring->member.by || vring->member.value)                       \
		put_told(json, VHU_FORM_##form, json_key, &vring->member);
#define VHU_VRING_FD(role, json_key, ...) put_vring_fd(json, json_key, &vring->fd[VHU_##role]);
#include "lib/session/state/state.def"
		if (state->begun_before)
			put_not_seen(json, vring);
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
#define VHU_REGION_SHOWN(member, ...) vhu_json_unsigned(json, #member, region->member);
#include "lib/session/state/state.def"
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
#define VHU_FEATURES(member, title, key, field, ...)                                               \
	put_features(json, key, VHU_FIELD_##field, &state->member, &state->context);
#define VHU_SESSION_SHOWN(member, repeat, form, key, ...)                                          \
	put_told(json, VHU_FORM_##form, key, &state->member);
#include "lib/session/state/state.def"
	vhu_show_vrings_json(json, state);
	put_memory(json, state);
	if (!state->begun_before)
		return;
	vhu_json_array(json, "not_seen");
#define VHU_FEATURES(member, title, key, ...)                                                      \
	if (!state->member.offered.by && !state->member.acked.by)                                  \
		vhu_json_string(json, NULL, key);
#include "lib/session/state/state.def"
	if (!state->vrings)
		vhu_json_string(json, NULL, "vrings");
	if (!state->regions)
		vhu_json_string(json, NULL, "memory");
	vhu_json_array_end(json);
}

/* Return whether record @number told anything of a vring. */
static bool vring_changes(const struct vhu_vring *vring, uint64_t number)
{
	bool changes = false;

#define VHU_VRING_SHOWN(member, repeat, form, json_key, ...)                                       \
	changes |= *(json_key) && vring->member.by == number;
#define VHU_VRING_FD(role, ...) changes |= vring->fd[VHU_##role].number == number;
#include "lib/session/state/state.def"
	return changes;
}

/* Return whether record @number told anything that vhu_show_changes_json shows. */
static bool state_changes(const struct vhu_state *state, uint64_t number)
{
	bool changes =
	    state->memory.by == number || state->device.by == number || state->dialect.by == number;

#define VHU_FEATURES(member, ...)                                                                  \
	changes |= state->member.offered.by == number || state->member.acked.by == number;
#define VHU_SESSION_SHOWN(member, repeat, form, key, ...)                                          \
	changes |= *(key) && state->member.by == number;
#include "lib/session/state/state.def"
	for (unsigned i = 0; i < state->vrings; i++)
		changes |= vring_changes(&state->vring[i], number);
	return changes;
}

/* Write what record @number told of a vring. */
static void put_vring_changes(struct vhu_json *json, const struct vhu_vring *vring, unsigned index,
			      uint64_t number)
{
	vhu_json_object(json, NULL);
	vhu_json_unsigned(json, "vring", index);
#define VHU_VRING_SHOWN(member, repeat, form, json_key, ...)                                       \
	if (vring->member.by == number)                                                            \
		put_value(json, VHU_FORM_##form, json_key, &vring->member);
#define VHU_VRING_FD(role, json_key, ...)                                                          \
	if (vring->fd[VHU_##role].number == number)                                                \
		put_vring_fd(json, json_key, &vring->fd[VHU_##role]);
#include "lib/session/state/state.def"
	/* Its `started` still has what started it. */
	if (vring->stopped.by == number && vring->started.by != number)
		vhu_json_bool(json, "started", vring->started.value);
	vhu_json_object_end(json);
}

/* Write the vrings that record @number changed. */
static void put_vrings_changes(struct vhu_json *json, const struct vhu_state *state,
			       uint64_t number)
{
	unsigned written = 0;

	for (unsigned i = 0; i < state->vrings; i++) {
		if (!vring_changes(&state->vring[i], number))
			continue;
		if (!written++)
			vhu_json_array(json, "vrings");
		put_vring_changes(json, &state->vring[i], i, number);
	}
	if (written)
		vhu_json_array_end(json);
}

/* Write what record @number told of features. */
static void put_feature_changes(struct vhu_json *json, const char *key, enum vhu_field_id field,
				const struct vhu_feature_set *features,
				const struct vhu_context *context, uint64_t number)
{
	const struct {
		const char *key, *names;
		const struct vhu_told *told;
	} row[] = {{"offered", "offered_names", &features->offered},
		   {"acked", "acked_names", &features->acked}};

	if (features->offered.by != number && features->acked.by != number)
		return;
	vhu_json_object(json, key);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		if (row[i].told->by != number)
			continue;
		vhu_json_unsigned(json, row[i].key, row[i].told->value);
		vhu_show_names_json(json, row[i].names, vhu_fields[field].names, row[i].told->value,
				    context);
	}
	vhu_json_object_end(json);
}

void vhu_show_changes_json(struct vhu_json *json, const char *key, const struct vhu_state *state,
			   uint64_t number)
{
	if (!state_changes(state, number))
		return;
	vhu_json_object(json, key);
	if (state->device.by == number || state->dialect.by == number)
		vhu_show_device_json(json, state);
#define VHU_FEATURES(member, title, json_key, field, ...)                                          \
	put_feature_changes(json, json_key, VHU_FIELD_##field, &state->member, &state->context,    \
			    number);
#define VHU_SESSION_SHOWN(member, repeat, form, json_key, ...)                                     \
	if (state->member.by == number)                                                            \
		put_value(json, VHU_FORM_##form, json_key, &state->member);
#include "lib/session/state/state.def"
	put_vrings_changes(json, state, number);
	if (state->memory.by == number)
		put_memory(json, state);
	vhu_json_object_end(json);
}
