/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message's payload made of words. What fields there are and where, the table alone knows. */
#include "tests/rules/payload.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/protocol/walk.h"

#define NESTED_MAX 16
#define TEXT_MAX   4096

/* A structure that is being filled in. */
struct frame {
	const struct vhu_layout *layout;
	uint32_t base;              /* where it begins in the payload */
	bool named[VHU_FIELDS];     /* by a word */
	unsigned count[VHU_FIELDS]; /* elements of an array so far */
};

static bool fill_words(struct payload *payload, struct frame *frame, char *const *word,
		       unsigned words);

/* Say what is wrong. Returns false. */
static bool __attribute__((format(printf, 2, 3)))
wrong(struct payload *payload, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(payload->error, sizeof(payload->error), format, arguments);
	va_end(arguments);
	return false;
}

/* Return whether two names are the same: letters in any case, "_", "-" and blanks alike. */
static bool same(const char *a, size_t length, const char *b)
{
	for (; length && *b; a++, b++, length--) {
		bool gap_a = strchr("_- ", *a), gap_b = strchr("_- ", *b);

		if (gap_a != gap_b || (!gap_a && strncasecmp(a, b, 1)))
			return false;
	}
	return !length && !*b;
}

const struct vhu_name *payload_name(enum vhu_names_id names, const char *name, uint32_t device)
{
	const struct vhu_name *found = NULL;
	const char *dot = strchr(name, '.');

	if (dot) {
		char of[32];

		device = 0;
		snprintf(of, sizeof(of), "%.*s", (int)(dot - name), name);
		for (unsigned i = 0; i < vhu_names_count; i++)
			if (vhu_names[i].set == VHU_NAMES_virtio_device &&
			    !strcasecmp(vhu_names[i].name, of))
				device = (uint32_t)vhu_names[i].value;
		name = device ? dot + 1 : name;
	}
	for (unsigned i = 0; i < vhu_names_count; i++) {
		const struct vhu_name *at = &vhu_names[i];

		if (at->set != names || (at->device && at->device != device))
			continue;
		if (same(name, strlen(name), at->name) || same(name, strlen(name), at->older))
			found = found && found->device ? found : at;
	}
	return found;
}

bool payload_number(const char *text, enum vhu_names_id names, uint32_t device, uint64_t *value)
{
	*value = 0;
	while (*text) {
		char part[128];
		size_t length = strcspn(text, "|");
		const struct vhu_name *name;
		char *end;

		snprintf(part, sizeof(part), "%.*s", (int)length, text);
		text += length + (text[length] == '|');
		if (isdigit((unsigned char)part[0]))
			*value |= strtoull(part, &end, 0);
		else if (part[0] == '-')
			*value |= (uint64_t)strtoll(part, &end, 0);
		else if ((name = payload_name(names, part, device))) {
			*value |=
			    vhu_name_sets[names].bits ? UINT64_C(1) << name->value : name->value;
			continue;
		} else
			return false;
		if (*end)
			return false;
	}
	return true;
}

int payload_hex(const char *text, uint8_t *to, uint32_t size)
{
	uint32_t digits = 0;

	for (; *text; text++) {
		static const char hex[] = "0123456789abcdef";
		const char *digit = strchr(hex, tolower((unsigned char)*text));

		if (strchr(":-", *text))
			continue;
		if (!digit || digits / 2 >= size)
			return -1;
		to[digits / 2] = (uint8_t)((digits % 2 ? to[digits / 2] << 4 : 0) | (digit - hex));
		digits++;
	}
	return digits % 2 ? -1 : (int)(digits / 2);
}

/* Return the last part of a field's path. */
static const char *last_part(const struct vhu_field *field)
{
	const char *dot = strrchr(field->path, '.');

	return dot ? dot + 1 : field->path;
}

/* Find a field of a layout by its name. Returns VHU_FIELDS for an unknown name. */
static enum vhu_field_id field_find(const struct vhu_layout *layout, const char *key, size_t length)
{
	for (unsigned f = layout->first; f < layout->first + layout->fields; f++) {
		const struct vhu_field *field = &vhu_fields[f];

		if (field->kind != VHU_PADDING &&
		    (same(key, length, last_part(field)) || same(key, length, field->path) ||
		     (field->brief && *field->brief && same(key, length, field->brief))))
			return f;
	}
	return VHU_FIELDS;
}

/* Find a field of a device's configuration space by its path; VHU_FIELDS for an unknown path. */
static enum vhu_field_id config_find(const char *key, size_t length)
{
	for (unsigned f = 0; f < VHU_FIELDS; f++)
		if (!strncmp(vhu_fields[f].path, "config.", 7) &&
		    strchr(vhu_fields[f].path + 7, '.') && same(key, length, vhu_fields[f].path))
			return f;
	return VHU_FIELDS;
}

/* Return whether a layout has all fields that words name. */
static bool has_fields(const struct vhu_layout *layout, char *const *word, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		size_t length = strcspn(word[i], "=");

		if (field_find(layout, word[i], length) == VHU_FIELDS &&
		    config_find(word[i], length) == VHU_FIELDS)
			return false;
	}
	return true;
}

/* Make the payload reach to @end. Returns whether there is room. */
static bool reach(struct payload *payload, uint64_t end)
{
	if (end > PAYLOAD_MAX)
		return wrong(payload, "the payload has no room for %llu bytes",
			     (unsigned long long)end);
	payload->size = end > payload->size ? (uint32_t)end : payload->size;
	return true;
}

/* Put an integer field in its place, with what else its bytes hold. */
static bool put(struct payload *payload, const struct vhu_field *field, uint32_t base,
		uint64_t value)
{
	uint8_t *at = payload->bytes + base + field->offset;

	if (!reach(payload, base + field->offset + field->size))
		return false;
	vhu_field_write(at, field, payload->big_endian, value);
	return true;
}

/* Fill in a structure from "{field=value,...}". */
static bool fill_nested(struct payload *payload, const struct vhu_field *field, uint32_t base,
			const char *text)
{
	struct frame *frame = calloc(1, sizeof(*frame));
	char copy[TEXT_MAX], *word[NESTED_MAX], *at = copy;
	unsigned words = 0;
	size_t length = strlen(text);
	bool good = frame && length > 1 && length < sizeof(copy) && text[0] == '{' &&
		    text[length - 1] == '}';

	if (!good) {
		free(frame);
		return wrong(payload, "%s is {FIELD=VALUE,...}", last_part(field));
	}
	snprintf(copy, sizeof(copy), "%.*s", (int)length - 2, text + 1);
	while (*at && words < NESTED_MAX) {
		word[words++] = at;
		at += strcspn(at, ",");
		if (*at)
			*at++ = '\0';
	}
	frame->layout = &vhu_layouts[field->layout];
	frame->base = base;
	good = reach(payload, (uint64_t)base + frame->layout->size) &&
	       fill_words(payload, frame, word, words);
	free(frame);
	return good;
}

/* Fill in one field from its text. */
static bool fill_field(struct payload *payload, struct frame *frame, enum vhu_field_id id,
		       const char *text)
{
	const struct vhu_field *field = &vhu_fields[id];
	uint64_t at = frame->base + field->offset, value;
	uint8_t bytes[TEXT_MAX];
	int size;

	switch (field->kind) {
	case VHU_UINT:
	case VHU_INT:
	case VHU_LE:
		if (!payload_number(text, field->names, payload->device, &value))
			return wrong(payload, "%s has no value \"%s\"", last_part(field), text);
		return put(payload, field, frame->base, value);
	case VHU_STRUCT:
		return fill_nested(payload, field, (uint32_t)at, text);
	case VHU_ARRAY:
		return fill_nested(payload, field,
				   (uint32_t)(at + frame->count[id]++ * (uint64_t)field->size),
				   text);
	default:
		size = field->kind == VHU_TEXT ? snprintf((char *)bytes, sizeof(bytes), "%s", text)
					       : payload_hex(text, bytes, sizeof(bytes));
		if (size < 0 || (field->size && (uint32_t)size > field->size))
			return wrong(payload, "%s are not its bytes: \"%s\"", last_part(field),
				     text);
		if (!reach(payload, at + (uint64_t)size))
			return false;
		memcpy(payload->bytes + at, bytes, (size_t)size);
		return true;
	}
}

/* Fill in a field of a device's configuration space, where the window on it shows it. */
static bool fill_config(struct payload *payload, const struct frame *frame, enum vhu_field_id id,
			const char *text)
{
	const struct vhu_field *space = &vhu_fields[VHU_FIELD_config_space];
	const struct vhu_payload whole = {payload->bytes, payload->size, payload->size,
					  payload->big_endian};
	uint64_t from = 0, value;

	if (frame->layout != &vhu_layouts[VHU_LAYOUT_config])
		return wrong(payload, "%s is a field of configuration", vhu_fields[id].path);
	vhu_field_read(&whole, VHU_FIELD_config_offset, 0, &from);
	if (from > vhu_fields[id].offset)
		return wrong(payload, "%s is not in the window", vhu_fields[id].path);
	if (!payload_number(text, vhu_fields[id].names, payload->device, &value))
		return wrong(payload, "%s has no value \"%s\"", vhu_fields[id].path, text);
	return put(payload, &vhu_fields[id], space->offset - (uint32_t)from, value);
}

/* Fill in what words name. */
static bool fill_words(struct payload *payload, struct frame *frame, char *const *word,
		       unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		size_t length = strcspn(word[i], "=");
		enum vhu_field_id id = field_find(frame->layout, word[i], length);
		enum vhu_field_id config =
		    id == VHU_FIELDS ? config_find(word[i], length) : VHU_FIELDS;

		if (!word[i][length] || (id == VHU_FIELDS && config == VHU_FIELDS))
			return wrong(payload, "\"%s\" names no field of %s", word[i],
				     frame->layout->id);
		if (config != VHU_FIELDS) {
			if (!fill_config(payload, frame, config, word[i] + length + 1))
				return false;
			continue;
		}
		frame->named[id] = true;
		if (!fill_field(payload, frame, id, word[i] + length + 1))
			return false;
	}
	return true;
}

/* Fill in what follows from the rest, unless it was named. @fds: descriptors with the message. */
static bool fill_rest(struct payload *payload, const struct frame *frame, unsigned fds)
{
	const struct vhu_layout *layout = frame->layout;

	for (unsigned f = layout->first; f < layout->first + layout->fields; f++) {
		const struct vhu_field *field = &vhu_fields[f];
		const struct vhu_payload whole = {payload->bytes, payload->size, payload->size,
						  payload->big_endian};
		uint64_t count = 0;

		if (field->show == VHU_BOOL && !frame->named[f] && fds == 0 &&
		    !put(payload, field, frame->base, 1))
			return false;
		if (field->kind == VHU_ARRAY && field->counted_by != VHU_FIELDS &&
		    !frame->named[field->counted_by] &&
		    !put(payload, &vhu_fields[field->counted_by], frame->base, frame->count[f]))
			return false;
		if (field->kind == VHU_CONFIG &&
		    vhu_field_read(&whole, field->counted_by, frame->base, &count) &&
		    !reach(payload, frame->base + field->offset + count))
			return false;
	}
	return true;
}

/* Choose among a message's layouts. Returns NULL where none is called @as, or has all fields. */
static const struct vhu_layout *choose(const struct vhu_message *message, bool reply,
				       const char *as, char *const *word, unsigned words)
{
	const struct vhu_shapes *shapes = &vhu_shapes[message->shape[reply]];

	for (unsigned i = 0; as && i < VHU_LAYOUTS; i++)
		if (!strcmp(vhu_layouts[i].id, as))
			return &vhu_layouts[i];
	for (unsigned i = shapes->shapes; !as && i-- > 0;)
		if (has_fields(&vhu_layouts[shapes->shape[i].layout], word, words))
			return &vhu_layouts[shapes->shape[i].layout];
	return NULL;
}

bool payload_fill(struct payload *payload, const struct vhu_message *message, bool reply,
		  const char *as, char *const *word, unsigned words, unsigned fds)
{
	struct frame *frame = calloc(1, sizeof(*frame));
	bool good;

	memset(payload->bytes, 0, sizeof(payload->bytes));
	payload->size = 0;
	payload->error[0] = '\0';
	if (!frame)
		return wrong(payload, "out of memory");
	frame->layout = choose(message, reply, as, word, words);
	good = frame->layout
		   ? reach(payload, frame->layout->size) &&
			 fill_words(payload, frame, word, words) && fill_rest(payload, frame, fds)
		   : wrong(payload, "%s%s has no layout %s", message->name, reply ? " reply" : "",
			   as ? as : "with all of these fields");
	free(frame);
	return good;
}
