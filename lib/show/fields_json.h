/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of lib/protocol as JSON: a key is the last part of a field's path. */
#ifndef VHU_SHOW_FIELDS_JSON_H
#define VHU_SHOW_FIELDS_JSON_H

#include "lib/protocol/walk.h"
#include "lib/util/json.h"

/* Write the names of the bits that are set in @value as an array; unknown ones as "bit 12". */
void vhu_show_names_json(struct vhu_json *json, const char *key, enum vhu_names_id set,
			 uint64_t value, const struct vhu_context *context);

/* Write what a step of a walk found, VHU_ITEM_VALUE, and the names that its value has. */
void vhu_show_field_json(struct vhu_json *json, const struct vhu_item *item,
			 const struct vhu_context *context);

/* Write a payload as an object. A structure in it is a list, as it is where a message has several.
 * Fields that have the kernel's names, those of virtio's structures, are in an object "fields". */
void vhu_show_payload_json(struct vhu_json *json, const char *key, const struct vhu_layout *layout,
			   const struct vhu_payload *payload, const struct vhu_context *context);

/* Return whether a layout is one of virtio's structures, whose fields have the kernel's names. */
bool vhu_show_is_virtio(const struct vhu_layout *layout);

#endif
