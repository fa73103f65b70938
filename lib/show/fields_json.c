/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields as JSON. docs/json/payload.json, which payload_schema.c makes, lists them. */
#include "lib/show/fields_json.h"

#include <stdio.h>

#include "lib/protocol/text.h"

/* The longest text of a field, with its end. */
#define TEXT_MAX 1024

void vhu_show_names_json(struct vhu_json *json, const char *key, enum vhu_names_id set,
			 uint64_t value, const struct vhu_context *context)
{
	char unknown[16];

	vhu_json_array(json, key);
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct vhu_name *name;

		if (!(value >> bit & 1))
			continue;
		name = vhu_name_find(set, bit, context);
		snprintf(unknown, sizeof(unknown), "bit %u", bit);
		vhu_json_string(json, NULL, name ? name->name : unknown);
	}
	vhu_json_array_end(json);
}

/* Write the name of a value or the names of its bits, under the field's key with a suffix. */
static void put_names(struct vhu_json *json, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const bool bits = vhu_name_sets[field->names].bits;
	const struct vhu_name *name;
	char key[64];

	snprintf(key, sizeof(key), "%s_%s", vhu_field_key(field), bits ? "names" : "name");
	if (bits) {
		vhu_show_names_json(json, key, field->names, item->value, context);
		return;
	}
	name = vhu_name_find(field->names, item->value, context);
	if (name)
		vhu_json_string(json, key, name->name);
}

/* Write a field's value as the text that people read. */
static void put_text(struct vhu_json *json, const struct vhu_item *item,
		     const struct vhu_context *context)
{
	char text[TEXT_MAX];

	if (item->field->kind == VHU_TEXT)
		snprintf(text, sizeof(text), "%.*s", (int)item->size, (const char *)item->bytes);
	else
		vhu_value_text(item, context, text, sizeof(text));
	vhu_json_string(json, vhu_field_key(item->field), text);
}

void vhu_show_field_json(struct vhu_json *json, const struct vhu_item *item,
			 const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const char *key = vhu_field_key(field);

	if (field->show == VHU_SECRET) {
		put_text(json, item, context);
		return;
	}
	switch (field->kind) {
	case VHU_UINT:
	case VHU_LE:
		if (field->show == VHU_BOOL)
			vhu_json_bool(json, key, item->value);
		else
			vhu_json_unsigned(json, key, item->value);
		break;
	case VHU_INT:
		vhu_json_signed(json, key, (int64_t)item->value);
		break;
	case VHU_MAC:
	case VHU_UUID:
	case VHU_TEXT:
		put_text(json, item, context);
		break;
	case VHU_PADDING:
		if (!item->value)
			break;
		/* fall through */
	default:
		vhu_json_bytes(json, key, item->bytes, item->size);
		break;
	}
	if (field->names != VHU_NAMES_none)
		put_names(json, item, context);
}

/* Write the bytes that a walk could not have, or had no field for. */
static void put_rest(struct vhu_json *json, const struct vhu_item *item)
{
	if (item->what == VHU_ITEM_MISSING)
		vhu_json_unsigned(json, "missing", item->size);
	else if (item->what == VHU_ITEM_CUT)
		vhu_json_unsigned(json, "cut", item->size);
	else
		vhu_json_bytes(json, "left_over", item->bytes, item->size);
}

/* Open a structure. */
static void open_structure(struct vhu_json *json, const struct vhu_item *item)
{
	if (item->field->kind == VHU_CONFIG) {
		vhu_json_object(json, "fields");
		return;
	}
	if (item->index == 0)
		vhu_json_array(json, vhu_field_key(item->field));
	vhu_json_object(json, NULL);
}

bool vhu_show_is_virtio(const struct vhu_layout *layout)
{
	/* Messages have the sender's byte order, virtio's structures their own. */
	for (unsigned i = 0; i < layout->fields; i++)
		if (vhu_fields[layout->first + i].kind == VHU_LE)
			return true;
	return false;
}

/* Elements of a list stand one after the other in the walk; it ends with the first step after an
 * element that opens no further one. */
void vhu_show_payload_json(struct vhu_json *json, const char *key, const struct vhu_layout *layout,
			   const struct vhu_payload *payload, const struct vhu_context *context)
{
	const bool virtio = vhu_show_is_virtio(layout);
	bool after_element = false;
	struct vhu_walk walk;
	struct vhu_item item;

	vhu_json_object(json, key);
	if (virtio)
		vhu_json_object(json, "fields");
	vhu_walk_start(&walk, layout, payload, context);
	while (vhu_walk_next(&walk, &item)) {
		const bool opens = item.what == VHU_ITEM_OPEN, closes = item.what == VHU_ITEM_CLOSE;

		if (after_element && !(opens && item.index))
			vhu_json_array_end(json);
		after_element = closes && item.field->kind != VHU_CONFIG;
		if (item.what == VHU_ITEM_VALUE)
			vhu_show_field_json(json, &item, context);
		else if (opens)
			open_structure(json, &item);
		else if (closes)
			vhu_json_object_end(json);
		else
			put_rest(json, &item);
	}
	if (after_element)
		vhu_json_array_end(json);
	if (virtio)
		vhu_json_object_end(json);
	vhu_json_object_end(json);
}
