/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mask: features and configuration bytes that are not to be seen. */
#include "proxy/fault/mask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/protocol/text.h"
#include "proxy/fault/value.h"

/* What can be masked. */
static const struct {
	const char *name;
	enum vhu_names_id names; /* of its bits */
} kind[] = {
    {"virtio", VHU_NAMES_virtio_features},
    {"protocol", VHU_NAMES_protocol_features},
    {"config", VHU_NAMES_none},
};
enum { KIND_VIRTIO, KIND_PROTOCOL, KIND_CONFIG, KINDS };

/* Read OFFSET=BYTE. Returns 0, or -EINVAL with what is wrong in @what. */
static int read_config(struct vhu_mask *mask, struct vhu_word word, char *what, size_t size)
{
	const char *equals = memchr(word.at, '=', word.size);
	struct vhu_word offset = {word.at, equals ? (size_t)(equals - word.at) : 0};
	struct vhu_word byte = {word.at + offset.size + 1, word.size - offset.size - 1};
	uint64_t at, value;

	if (!equals || !vhu_word_number(offset, &at) || at > UINT32_MAX ||
	    !vhu_word_number(byte, &value) || value > UINT8_MAX) {
		snprintf(what, size, "config wants OFFSET=BYTE, the byte at most 255");
		return -EINVAL;
	}
	if (mask->configs == VHU_MASK_CONFIGS_MAX) {
		snprintf(what, size, "more than %d bytes of config", VHU_MASK_CONFIGS_MAX);
		return -EINVAL;
	}
	mask->config[mask->configs].offset = (uint32_t)at;
	mask->config[mask->configs++].byte = (uint8_t)value;
	return 0;
}

/* Read a feature's name or number, or a set in hexadecimal. Returns as read_config does. */
static int read_bits(enum vhu_names_id names, struct vhu_word word, uint64_t *bits, char *what,
		     size_t size)
{
	const bool set = word.size > 1 && word.at[0] == '0' && (word.at[1] | 0x20) == 'x';
	uint64_t value;

	if (!set && vhu_word_number(word, &value)) {
		if (value > 63) {
			snprintf(what, size, "%" PRIu64 " is no bit: they are 0 to 63", value);
			return -EINVAL;
		}
		*bits |= UINT64_C(1) << value;
		return 0;
	}
	if (vhu_fault_value_read(names, word, &value, what, size))
		return -EINVAL;
	*bits |= value;
	return 0;
}

/*
 * Read one thing to mask.
 * @of: what kind the one before it was, KINDS none; becomes this one's.
 * Returns as read_config does, with where it is wrong in *@at.
 */
static int read_item(struct vhu_mask *mask, struct vhu_word word, unsigned *of, const char **at,
		     char *what, size_t size)
{
	const char *colon = memchr(word.at, ':', word.size);
	struct vhu_word name = {word.at, colon ? (size_t)(colon - word.at) : 0};
	unsigned found = colon ? KINDS : *of;

	for (unsigned i = 0; colon && i < KINDS; i++)
		if (vhu_word_is(name, kind[i].name))
			found = i;
	if (found == KINDS && !colon && word.size > 1 && word.at[1] == 'x')
		found = KIND_VIRTIO;
	*at = word.at;
	if (found == KINDS) {
		snprintf(what, size,
			 "%.*s: mask what? virtio:, protocol: or config:", (int)word.size, word.at);
		return -EINVAL;
	}
	*of = found;
	if (colon) {
		word.at += name.size + 1;
		word.size -= name.size + 1;
		*at = word.at;
	}
	if (found == KIND_CONFIG)
		return read_config(mask, word, what, size);
	return read_bits(kind[found].names, word,
			 found == KIND_VIRTIO ? &mask->virtio : &mask->protocol, what, size);
}

/* Return whether a layout, or one inside of it, has what is masked. */
static bool layout_has(const struct vhu_mask *mask, const struct vhu_layout *layout)
{
	for (unsigned i = 0; i < layout->fields; i++) {
		const struct vhu_field *field = &vhu_fields[layout->first + i];

		if ((field->names == VHU_NAMES_virtio_features && mask->virtio) ||
		    (field->names == VHU_NAMES_protocol_features && mask->protocol) ||
		    (field->kind == VHU_CONFIG && mask->configs) ||
		    ((field->kind == VHU_STRUCT || field->kind == VHU_ARRAY) &&
		     layout_has(mask, &vhu_layouts[field->layout])))
			return true;
	}
	return false;
}

/* Find out which messages can hold what is masked. */
static void find_messages(struct vhu_mask *mask)
{
	for (unsigned m = 0; m < VHU_MESSAGES; m++) {
		const struct vhu_message *row = &vhu_messages[m];
		const bool requester = row->channel != VHU_FRONT_END;

		for (unsigned reply = 0; reply < 2; reply++) {
			const struct vhu_shapes *shapes = &vhu_shapes[row->shape[reply]];

			for (unsigned s = 0; s < shapes->shapes; s++)
				if (layout_has(mask, &vhu_layouts[shapes->shape[s].layout]))
					mask->speak[row->channel][requester ^ reply] |=
					    UINT64_C(1) << (row->request & 63);
		}
	}
}

int vhu_mask_add(struct vhu_mask *mask, const char *text, char error[VHU_FAULT_ERROR])
{
	struct vhu_mask more = *mask;
	struct vhu_word word = {text, 0};
	unsigned of = KINDS;
	const char *at;
	char what[256];

	while (true) {
		word.size = strcspn(word.at, ",");
		if (read_item(&more, word, &of, &at, what, sizeof(what))) {
			snprintf(error, VHU_FAULT_ERROR, "column %u: %s", (unsigned)(at - text) + 1,
				 what);
			return -EINVAL;
		}
		if (!word.at[word.size])
			break;
		word.at += word.size + 1;
	}
	find_messages(&more);
	*mask = more;
	return 0;
}

/* Take bits out of the value of a field. @left_out: the names of those that it had. */
static bool mask_bits(const struct vhu_item *item, uint64_t bits, uint8_t *bytes,
		      const struct vhu_context *context, struct vhu_line *text)
{
	char names[160];

	bits &= item->value;
	if (!bits)
		return false;
	vhu_integer_write(bytes + VHU_HEADER_SIZE + item->offset, item->size, item->big_endian,
			  item->value & ~bits);
	vhu_bits_text(item->field->names, bits, context, names, sizeof(names));
	vhu_line_printf(text, "%smask: %s without %s", text->length ? "; " : "", item->field->path,
			names);
	return true;
}

/*
 * Mask bytes of the configuration space: the front-end reads what the mask has for them, and what
 * it writes there is replaced with the back-end's last known value, once that is
 * known.
 * @from: the offset of the first of @item's bytes in the space.
 */
static void mask_config(const struct vhu_mask *mask, struct vhu_mask_memory *memory,
			const struct vhu_item *item, uint64_t from, bool read, uint8_t *bytes,
			struct vhu_line *text)
{
	for (unsigned i = 0; i < mask->configs; i++) {
		const uint32_t offset = mask->config[i].offset;
		uint8_t *byte, before;

		if (offset < from || offset - from >= item->size)
			continue;
		byte = bytes + VHU_HEADER_SIZE + item->offset + (offset - from);
		before = *byte;
		if (read) {
			memory->was[i] = before;
			memory->known |= UINT64_C(1) << i;
			*byte = mask->config[i].byte;
		} else if (memory->known >> i & 1) {
			*byte = memory->was[i];
		}
		if (*byte != before)
			vhu_line_printf(text, "%smask: config byte %" PRIu32 " 0x%02x -> 0x%02x",
					text->length ? "; " : "", offset, before, *byte);
	}
}

bool vhu_mask_apply(const struct vhu_mask *mask, struct vhu_mask_memory *memory,
		    const struct vhu_fault_message *message, uint8_t *bytes, struct vhu_line *text)
{
	static const struct vhu_fault_field any = {.element = -1};
	const bool reply = message->from_back_end == (message->channel == VHU_FRONT_END);
	struct vhu_fault_walk walk;
	struct vhu_item item;
	uint64_t from = 0;
	bool set = false;

	if (!vhu_fault_walk_start(&walk, NULL, message))
		return false;
	while (vhu_fault_walk_next(&walk, &any, &item)) {
		if (item.field->names == VHU_NAMES_virtio_features)
			set |= mask_bits(&item, mask->virtio, bytes, message->context, text);
		else if (item.field->names == VHU_NAMES_protocol_features)
			set |= mask_bits(&item, mask->protocol, bytes, message->context, text);
		else if (item.field == &vhu_fields[VHU_FIELD_config_offset])
			from = item.value;
		/* What is sent with a question is no configuration. */
		else if (item.field->kind == VHU_CONFIG &&
			 (reply || walk.row->reply_rule != VHU_REPLY_ALWAYS))
			mask_config(mask, memory, &item, from, reply, bytes, text);
	}
	return set && !message->from_back_end;
}
