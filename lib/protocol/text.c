/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payloads and values as text for people. */
#include "lib/protocol/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* As many bytes of a field without structure are shown; more are counted. */
#define BYTES_SHOWN 64

/* A text as it grows: how long it would be, and as much of it as there is room for. */
struct text {
	char *to;
	size_t size, length;
};

/* Add to a text what printf would print. */
static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
	size_t at = text->length < text->size ? text->length : text->size;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->size ? text->to + at : NULL, text->size - at, format, arguments);
	va_end(arguments);
	text->length += length > 0 ? (size_t)length : 0;
}

/* Begin a text in the room given. */
static struct text text_in(char *to, size_t size)
{
	if (size)
		to[0] = '\0';
	return (struct text){to, size, 0};
}

/* Add an integer in the base that its field is shown in. */
static void add_number(struct text *text, const struct vhu_field *field, uint64_t value)
{
	if (field->kind == VHU_INT)
		add(text, "%" PRId64, (int64_t)value);
	else if (field->show == VHU_HEX)
		add(text, "0x%" PRIx64, value);
	else if (field->show == VHU_BOOL)
		add(text, "%s", value ? "yes" : "no");
	else
		add(text, "%" PRIu64, value);
}

/* Add the names of the bits set in @value. */
static void add_bits(struct text *text, enum vhu_names_id set, uint64_t value,
		     const struct vhu_context *context)
{
	const char *between = "";

	for (unsigned bit = 0; bit < 64; bit++) {
		const struct vhu_name *name;

		if (!(value >> bit & 1))
			continue;
		name = vhu_name_find(set, bit, context);
		if (name)
			add(text, "%s%s", between, name->name);
		else
			add(text, "%sbit %u", between, bit);
		between = ", ";
	}
}

int vhu_bits_text(enum vhu_names_id set, uint64_t value, const struct vhu_context *context,
		  char *to, size_t size)
{
	struct text text = text_in(to, size);

	add_bits(&text, set, value, context);
	return (int)text.length;
}

/* Add bytes in hexadecimal, @between each two, as many as are shown. */
static void add_bytes(struct text *text, const uint8_t *bytes, uint32_t size, const char *between)
{
	uint32_t shown = size < BYTES_SHOWN ? size : BYTES_SHOWN;

	for (uint32_t i = 0; i < shown; i++)
		add(text, "%s%02x", i ? between : "", bytes[i]);
	if (shown < size)
		add(text, "... (%" PRIu32 " bytes)", size);
}

/* Add a UUID as RFC 9562 writes it. */
static void add_uuid(struct text *text, const uint8_t *bytes)
{
	for (unsigned i = 0; i < 16; i++)
		add(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}

/* Add a text that a peer sent, without what a terminal would act on. */
static void add_foreign_text(struct text *text, const uint8_t *bytes, uint32_t size)
{
	add(text, "\"");
	for (uint32_t i = 0; i < size && bytes[i]; i++) {
		if (bytes[i] < ' ' || bytes[i] > '~' || bytes[i] == '"' || bytes[i] == '\\')
			add(text, "\\x%02x", bytes[i]);
		else
			add(text, "%c", bytes[i]);
	}
	add(text, "\"");
}

/* Add a value with a name for it or for its bits. */
static void add_named(struct text *text, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const struct vhu_name *name;

	if (vhu_name_sets[field->names].bits) {
		add_number(text, field, item->value);
		if (!item->value)
			return;
		add(text, " (");
		add_bits(text, field->names, item->value, context);
		add(text, ")");
		return;
	}
	name = vhu_name_find(field->names, item->value, context);
	if (name)
		add(text, "%s (", name->name);
	add_number(text, field, item->value);
	if (name)
		add(text, ")");
}

int vhu_value_text(const struct vhu_item *item, const struct vhu_context *context, char *to,
		   size_t size)
{
	const struct vhu_field *field = item->field;
	struct text text = text_in(to, size);

	if (field->show == VHU_SECRET) {
		add(&text, "(key material, %" PRIu32 " bytes)", item->size);
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
		add_foreign_text(&text, item->bytes, item->size);
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

/* Add a value as the one-line form has it: a name alone where there is one, bits as a number. */
static void add_brief(struct text *text, const struct vhu_item *item,
		      const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const struct vhu_name *name = NULL;
	const char *space = *field->brief ? " " : "";
	char value[64];

	if (field->show == VHU_BOOL) {
		if (item->value)
			add(text, "%s%s", text->length ? ", " : "", field->brief);
		return;
	}
	if (field->names != VHU_NAMES_none && !vhu_name_sets[field->names].bits)
		name = vhu_name_find(field->names, item->value, context);
	add(text, "%s%s%s", text->length ? ", " : "", field->brief, space);
	if (name) {
		add(text, "%s", name->name);
	} else if (field->kind == VHU_UINT || field->kind == VHU_INT || field->kind == VHU_LE) {
		add_number(text, field, item->value);
	} else {
		vhu_value_text(item, context, value, sizeof(value));
		add(text, "%s", value);
	}
}

int vhu_brief_text(const struct vhu_layout *layout, const struct vhu_payload *payload,
		   const struct vhu_context *context, char *to, size_t size)
{
	struct text text = text_in(to, size);
	struct vhu_walk walk;
	struct vhu_item item;
	bool in_list = false;

	vhu_walk_start(&walk, layout, payload, context);
	while (vhu_walk_next(&walk, &item)) {
		/* Elements of an array would make a long line: their count has been told. */
		if (item.element)
			in_list = item.what == VHU_ITEM_OPEN;
		if (item.what == VHU_ITEM_VALUE && item.field->brief && !in_list)
			add_brief(&text, &item, context);
		else if (item.what == VHU_ITEM_MISSING)
			add(&text, "%s%" PRIu32 " bytes missing", text.length ? ", " : "", item.size);
		else if (item.what == VHU_ITEM_LEFT_OVER)
			add(&text, "%s%" PRIu32 " bytes left over", text.length ? ", " : "", item.size);
	}
	return (int)text.length;
}
