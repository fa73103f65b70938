/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints payload.json: the JSON Schema of payloads, made of the table of lib/protocol, for the
 * other schemas to refer to. Built and run with the project, and installed with the others.
 */
#include <stdio.h>
#include <string.h>

#include "lib/show/fields_json.h"
#include "lib/util/util.h"

/* More keys than any object has. */
#define KEYS_MAX 1024

/* The fields whose keys an object has that is being written. */
struct vhu_schema_keys {
	const struct vhu_field *field[KEYS_MAX], *names_of[KEYS_MAX];
	unsigned fields, named;
};

static struct vhu_json json;
static bool failed;

/* Return what a field is in JSON, as a word. */
static const char *type_of(const struct vhu_field *field)
{
	switch (field->kind) {
	case VHU_UINT:
	case VHU_LE:
	case VHU_INT:
		return field->show == VHU_BOOL ? "boolean" : "number";
	case VHU_STRUCT:
	case VHU_ARRAY:
		return "array";
	default:
		return "string";
	}
}

/* Note the key of a field. Returns whether the object contains it already; then both must have one
 * type. */
static bool has_key(struct vhu_schema_keys *keys, const struct vhu_field *field)
{
	for (unsigned i = 0; i < keys->fields; i++) {
		const struct vhu_field *other = keys->field[i];

		if (strcmp(vhu_field_key(other), vhu_field_key(field)) != 0)
			continue;
		if (strcmp(type_of(other), type_of(field)) == 0)
			return true;
		fprintf(stderr, "%s is a JSON %s and %s a JSON %s: rename one\n", field->path,
			type_of(field), other->path, type_of(other));
		failed = true;
		return true;
	}
	if (keys->fields < KEYS_MAX)
		keys->field[keys->fields++] = field;
	return false;
}

/* Begin an object that has no keys but those that follow. */
static void open_object(const char *key)
{
	vhu_json_object(&json, key);
	vhu_json_string(&json, "type", "object");
	vhu_json_bool(&json, "additionalProperties", false);
	vhu_json_object(&json, "properties");
}

/* End it. */
static void close_object(void)
{
	vhu_json_object_end(&json);
	vhu_json_object_end(&json);
}

/* Write a key of a type. */
static void put_type(const char *key, const char *type, const char *description)
{
	vhu_json_object(&json, key);
	if (description)
		vhu_json_string(&json, "description", description);
	vhu_json_string(&json, "type", type);
	vhu_json_object_end(&json);
}

/* Write a key that refers to common.json. */
static void put_reference(const char *key, const char *what, const char *description)
{
	char to[64];

	snprintf(to, sizeof(to), "common.json#/$defs/%s", what);
	vhu_json_object(&json, key);
	if (description)
		vhu_json_string(&json, "description", description);
	vhu_json_string(&json, "$ref", to);
	vhu_json_object_end(&json);
}

static void put_layout(struct vhu_schema_keys *keys, const struct vhu_layout *layout);

/* Write a list of structures: of all those that lists of this key have. */
static void put_list(const struct vhu_field *field)
{
	const char *key = vhu_field_key(field);
	struct vhu_schema_keys keys = {0};

	vhu_json_object(&json, key);
	vhu_json_string(&json, "description", field->label);
	vhu_json_string(&json, "type", "array");
	open_object("items");
	for (unsigned i = 0; i < VHU_FIELDS; i++)
		if (!strcmp(vhu_field_key(&vhu_fields[i]), key) &&
		    !strcmp(type_of(&vhu_fields[i]), "array"))
			put_layout(&keys, &vhu_layouts[vhu_fields[i].layout]);
	close_object();
	vhu_json_object_end(&json);
}

/* Return whether the object has the keys of the names of a field's values, which it has from now
 * on. */
static bool has_names(struct vhu_schema_keys *keys, const struct vhu_field *field)
{
	for (unsigned i = 0; i < keys->named; i++) {
		const struct vhu_field *other = keys->names_of[i];

		if (!strcmp(vhu_field_key(other), vhu_field_key(field)) &&
		    vhu_name_sets[other->names].bits == vhu_name_sets[field->names].bits)
			return true;
	}
	if (keys->named < KEYS_MAX)
		keys->names_of[keys->named++] = field;
	return false;
}

/* Write the keys of the names that a field's values have. */
static void put_names(struct vhu_schema_keys *keys, const struct vhu_field *field)
{
	char key[64];

	if (field->names == VHU_NAMES_none || has_names(keys, field))
		return;
	if (vhu_name_sets[field->names].bits) {
		snprintf(key, sizeof(key), "%s_names", vhu_field_key(field));
		put_reference(key, "names", NULL);
	} else {
		snprintf(key, sizeof(key), "%s_name", vhu_field_key(field));
		put_type(key, "string", NULL);
	}
}

/* Write a field as vhu_show_field_json shows it. */
static void put_field(const struct vhu_field *field)
{
	const char *key = vhu_field_key(field);

	switch (field->kind) {
	case VHU_UINT:
	case VHU_LE:
		if (field->show == VHU_BOOL)
			put_type(key, "boolean", field->label);
		else if (vhu_json_is_exact(key))
			put_reference(key, "digits", field->label);
		else
			put_type(key, "integer", field->label);
		break;
	case VHU_INT:
		put_type(key, "integer", field->label);
		break;
	case VHU_STRUCT:
	case VHU_ARRAY:
		put_list(field);
		break;
	case VHU_MAC:
	case VHU_UUID:
	case VHU_TEXT:
		put_type(key, "string", field->label);
		break;
	case VHU_CONFIG:
		put_reference(key, "bytes", field->label);
		vhu_json_object(&json, "fields");
		vhu_json_string(&json, "$ref", "#/$defs/fields");
		vhu_json_object_end(&json);
		break;
	default:
		if (field->show == VHU_SECRET)
			put_type(key, "string", field->label);
		else
			put_reference(key, "bytes", field->label);
		break;
	}
}

/* Write a layout's fields, but for the keys that are there already. */
static void put_layout(struct vhu_schema_keys *keys, const struct vhu_layout *layout)
{
	for (unsigned i = 0; i < layout->fields; i++) {
		const struct vhu_field *field = &vhu_fields[layout->first + i];

		if (!has_key(keys, field))
			put_field(field);
		put_names(keys, field);
	}
}

/* Return whether a message has payloads of a layout. */
static bool is_payload(enum vhu_layout_id layout)
{
	for (unsigned i = 0; i < VHU_SHAPE_SETS; i++)
		for (unsigned j = 0; j < vhu_shapes[i].shapes; j++)
			if (vhu_shapes[i].shape[j].layout == layout)
				return true;
	return layout == VHU_LAYOUT_refusal;
}

/* Write what a walk says of bytes that it could not have, or had no field for. */
static void put_rest(void)
{
	put_type("missing", "integer", "bytes that the layout has and that were not sent");
	put_type("cut", "integer", "bytes that were sent and that the capture does not hold");
	put_reference("left_over", "bytes", "bytes that the layout has no field for");
}

/* Write the payloads of all messages as one object, whose keys are those of any of them. */
static void put_payloads(void)
{
	struct vhu_schema_keys keys = {0};

	open_object("payload");
	for (unsigned i = 0; i < VHU_LAYOUTS; i++)
		if (is_payload((enum vhu_layout_id)i) && !vhu_show_is_virtio(&vhu_layouts[i]))
			put_layout(&keys, &vhu_layouts[i]);
	put_rest();
	close_object();
}

/* Write the fields of virtio's structures as one object. @requests: headers of requests, else what
 * is in messages. */
static void put_virtio(const char *name, bool requests)
{
	struct vhu_schema_keys keys = {0};

	open_object(name);
	for (unsigned i = 0; i < VHU_LAYOUTS; i++) {
		const struct vhu_layout *layout = &vhu_layouts[i];
		const bool request = !strncmp(layout->id, "request_", 8);

		if (request == requests && vhu_show_is_virtio(layout))
			put_layout(&keys, layout);
	}
	put_rest();
	close_object();
}

int main(void)
{
	json.to = stdout;
	vhu_json_object(&json, NULL);
	vhu_json_string(&json, "$schema", "https://json-schema.org/draft/2020-12/schema");
	vhu_json_string(&json, "title", "Payloads of messages, and virtio's structures in them");
	vhu_json_object(&json, "$defs");
	put_payloads();
	put_virtio("fields", false);
	put_virtio("header_fields", true);
	vhu_json_object_end(&json);
	vhu_json_object_end(&json);
	putchar('\n');
	return failed || fflush(stdout) || ferror(stdout);
}
