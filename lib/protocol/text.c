/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payloads and values as text for people. */
#include "lib/protocol/text.h"

#include <inttypes.h>

#include "lib/protocol/line.h"

/* As many bytes of a field without structure are shown; more are counted. */
#define BYTES_SHOWN 64

/* Add an integer in the base that its field is shown in. */
static void add_number(struct vhu_line *text, const struct vhu_field *field, uint64_t value)
{
	if (field->kind == VHU_INT)
		vhu_line_printf(text, "%" PRId64, (int64_t)value);
	else if (field->show == VHU_HEX)
		vhu_line_hex(text, value);
	else if (field->show == VHU_BOOL)
		vhu_line_add(text, value ? "yes" : "no");
	else
		vhu_line_decimal(text, value);
}

/* Devices that are named as those that an unknown bit may be of; there may be more. */
#define CANDIDATES 3

/* Return the name that a virtio feature has for a device of @device, by its id; NULL for none. */
static const char *feature_of(uint32_t device, unsigned bit)
{
	for (unsigned i = 0; i < vhu_names_count; i++)
		if (vhu_names[i].set == VHU_NAMES_virtio_features && vhu_names[i].value == bit &&
		    (vhu_names[i].device == device || !vhu_names[i].device))
			return vhu_names[i].name;
	return NULL;
}

/* Return whether all virtio features of a set have a name for a device. */
static bool has_features(uint32_t device, uint64_t features)
{
	for (; features; features &= features - 1)
		if (!feature_of(device, (unsigned)__builtin_ctzll(features)))
			return false;
	return true;
}

/* Add a bit of @value that has no name. While it is not known which device this is, add the names
 * that it has for those devices that may be it. */
static void add_unknown_bit(struct vhu_line *text, enum vhu_names_id set, uint64_t value,
			    unsigned bit, const struct vhu_context *context)
{
	unsigned found = 0;

	vhu_line_printf(text, "bit %u", bit);
	if (set != VHU_NAMES_virtio_features || context->device)
		return;
	for (unsigned i = 0; i < vhu_names_count; i++) {
		uint32_t device = vhu_names[i].device;

		if (vhu_names[i].set != set || vhu_names[i].value != bit || !device ||
		    !has_features(device, value))
			continue;
		if (found == CANDIDATES)
			vhu_line_add(text, ", ...");
		else if (found < CANDIDATES)
			vhu_line_printf(text, "%s%s %s", found ? ", " : " (",
					vhu_device_name(device), vhu_names[i].name);
		found++;
	}
	if (found)
		vhu_line_add(text, ")");
}

/* Add the names of the bits set in @value. */
static void add_bits(struct vhu_line *text, enum vhu_names_id set, uint64_t value,
		     const struct vhu_context *context)
{
	const char *between = "";

	for (unsigned bit = 0; bit < 64; bit++) {
		const struct vhu_name *name;

		if (!(value >> bit & 1))
			continue;
		name = vhu_name_find(set, bit, context);
		vhu_line_add(text, between);
		if (name)
			vhu_line_add(text, name->name);
		else
			add_unknown_bit(text, set, value, bit, context);
		between = ", ";
	}
}

int vhu_bits_text(enum vhu_names_id set, uint64_t value, const struct vhu_context *context,
		  char *to, size_t size)
{
	struct vhu_line text = vhu_line_in(to, size);

	add_bits(&text, set, value, context);
	return (int)text.length;
}

/* Add bytes in hexadecimal, @between each two, as many as are shown. */
static void add_bytes(struct vhu_line *text, const uint8_t *bytes, uint32_t size,
		      const char *between)
{
	uint32_t shown = size < BYTES_SHOWN ? size : BYTES_SHOWN;

	for (uint32_t i = 0; i < shown; i++)
		vhu_line_printf(text, "%s%02x", i ? between : "", bytes[i]);
	if (shown < size)
		vhu_line_printf(text, "... (%" PRIu32 " bytes)", size);
}

/* Add a UUID as RFC 9562 writes it. */
static void add_uuid(struct vhu_line *text, const uint8_t *bytes)
{
	for (unsigned i = 0; i < 16; i++)
		vhu_line_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				bytes[i]);
}

/* Add a value with a name for it or for its bits. */
static void add_named(struct vhu_line *text, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const struct vhu_name *name;

	if (vhu_name_sets[field->names].bits) {
		add_number(text, field, item->value);
		if (!item->value)
			return;
		vhu_line_add(text, " (");
		add_bits(text, field->names, item->value, context);
		vhu_line_add(text, ")");
		return;
	}
	name = vhu_name_find(field->names, item->value, context);
	if (name)
		vhu_line_printf(text, "%s (", name->name);
	add_number(text, field, item->value);
	if (name)
		vhu_line_add(text, ")");
}

int vhu_value_text(const struct vhu_item *item, const struct vhu_context *context, char *to,
		   size_t size)
{
	const struct vhu_field *field = item->field;
	struct vhu_line text = vhu_line_in(to, size);

	if (field->show == VHU_SECRET) {
		vhu_line_printf(&text, "(key material, %" PRIu32 " bytes)", item->size);
		return (int)text.length;
	}
	switch (field->kind) {
	case VHU_UINT:
	case VHU_INT:
	case VHU_LE:
		if (field->names == VHU_NAMES_none)
			add_number(&text, field, item->value);
		else
			add_named(&text, item, context);
		break;
	case VHU_MAC:
		add_bytes(&text, item->bytes, item->size, ":");
		break;
	case VHU_UUID:
		add_uuid(&text, item->bytes);
		break;
	case VHU_TEXT:
		vhu_line_add(&text, "\"");
		vhu_line_foreign(&text, (const char *)item->bytes, item->size, "\"\\");
		vhu_line_add(&text, "\"");
		break;
	case VHU_BYTES:
	case VHU_PADDING:
	case VHU_CONFIG:
		add_bytes(&text, item->bytes, item->size, "");
		break;
	case VHU_STRUCT:
	case VHU_ARRAY:
		break;
	}
	return (int)text.length;
}

/* Add a value for the one-line form: a name alone where there is one, bits as a number. */
static void add_brief(struct vhu_line *text, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const struct vhu_name *name = NULL;
	char value[64];

	if (field->show == VHU_BOOL && !item->value)
		return;
	if (text->length)
		vhu_line_add(text, ", ");
	vhu_line_add(text, field->brief);
	if (field->show == VHU_BOOL)
		return;
	if (*field->brief)
		vhu_line_add(text, " ");
	if (field->names != VHU_NAMES_none && !vhu_name_sets[field->names].bits)
		name = vhu_name_find(field->names, item->value, context);
	if (name) {
		vhu_line_add(text, name->name);
	} else if (field->kind == VHU_UINT || field->kind == VHU_INT || field->kind == VHU_LE) {
		add_number(text, field, item->value);
	} else {
		vhu_value_text(item, context, value, sizeof(value));
		vhu_line_add(text, value);
	}
}

int vhu_brief_text(const struct vhu_layout *layout, const struct vhu_payload *payload,
		   const struct vhu_context *context, char *to, size_t size)
{
	struct vhu_line text = vhu_line_in(to, size);
	struct vhu_walk walk;
	struct vhu_item item;
	bool in_list = false;

	vhu_walk_start(&walk, layout, payload, context);
	while (vhu_walk_next(&walk, &item)) {
		/* Elements of an array would make a long line: their count has been written. */
		if (item.element)
			in_list = item.what == VHU_ITEM_OPEN;
		if (item.what == VHU_ITEM_VALUE && item.field->brief && !in_list)
			add_brief(&text, &item, context);
		else if (item.what == VHU_ITEM_MISSING || item.what == VHU_ITEM_LEFT_OVER)
			vhu_line_printf(&text, "%s%" PRIu32 " bytes %s", text.length ? ", " : "",
					item.size,
					item.what == VHU_ITEM_MISSING ? "missing" : "left over");
	}
	return (int)text.length;
}
