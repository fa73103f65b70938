/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values for the golden captures' fields. */
#include "tests/golden/fill.h"

#include <stdio.h>
#include <string.h>

#include "lib/protocol/protocol.h"

/* The virtio device whose configuration space fills VHU_CONFIG fields. */
#define BLOCK 2

void vhu_fill_integer(uint8_t *to, unsigned size, uint64_t value, bool big_endian)
{
	for (unsigned i = 0; i < size; i++)
		to[i] |= (uint8_t)(value >> 8 * (big_endian ? size - 1 - i : i));
}

/* Return the number of elements or bytes that field @id announces; 0 if it announces none. */
static uint64_t count_of(enum vhu_field_id id)
{
	if (id == VHU_FIELD_config_size)
		return vhu_config_layout(BLOCK)->size;
	for (unsigned f = 0; f < VHU_FIELDS; f++)
		if (vhu_fields[f].kind == VHU_ARRAY && vhu_fields[f].counted_by == id)
			return VHU_FILL_ELEMENTS;
	return 0;
}

/* Return all bits of @set that have a name on every device; or its first value with a name. */
static uint64_t named_value(enum vhu_names_id set)
{
	uint64_t bits = 0;

	for (unsigned i = 0; set != VHU_NAMES_none && i < vhu_names_count; i++) {
		const struct vhu_name *name = &vhu_names[i];

		if (name->set != set || name->device)
			continue;
		if (!vhu_name_sets[set].bits)
			return name->value;
		bits |= UINT64_C(1) << name->value;
	}
	return bits;
}

/* Return a value for field number @place of a layout: a value that has a name, or one that differs
 * from the other fields' values. */
static uint64_t value_for(enum vhu_field_id id, unsigned place, unsigned fds)
{
	const struct vhu_field *field = &vhu_fields[id];
	uint64_t named;

	if (count_of(id))
		return count_of(id);
	if (id == VHU_FIELD_config_offset || !strcmp(field->path, "reserved"))
		return 0;
	if (id == VHU_FIELD_crypto_asym_op_code)
		return VHU_CRYPTO_SERVICE_AKCIPHER << 8;
	if (field->show == VHU_BOOL)
		return fds == 0;
	named = named_value(field->names);
	if (named || (field->names != VHU_NAMES_none && !vhu_name_sets[field->names].bits))
		return named;
	return field->show == VHU_HEX ? 0x1000 * (uint64_t)(place + 1) : place + 1;
}

/* Fill in bytes, text and the like. Returns by how many bytes the payload grows beyond its
 * layout's size. */
static uint32_t fill_bytes(const struct vhu_field *field, uint8_t *at)
{
	uint32_t size = field->size ? field->size : 5;

	switch (field->kind) {
	case VHU_TEXT:
		snprintf((char *)at, field->size, "golden");
		return 0;
	case VHU_BYTES:
		for (uint32_t i = 0; i < size; i++)
			at[i] = field->show == VHU_SECRET ? 0 : (uint8_t)i;
		return size - field->size;
	case VHU_MAC:
	case VHU_UUID:
		for (uint32_t i = 0; i < field->size; i++)
			at[i] = (uint8_t)(0x50 + i);
		return 0;
	default:
		return 0;
	}
}

uint32_t vhu_fill_payload(const struct vhu_layout *layout, unsigned fds, bool big_endian,
			  uint8_t *to)
{
	uint32_t size = layout->size;

	for (unsigned f = layout->first; f < layout->first + layout->fields; f++) {
		const struct vhu_field *field = &vhu_fields[f];
		uint8_t *at = to + field->offset;
		uint64_t value;

		switch (field->kind) {
		case VHU_UINT:
		case VHU_INT:
		case VHU_LE:
			value = value_for(f, f - layout->first, fds);
			if (field->mask)
				value = value << __builtin_ctzll(field->mask) & field->mask;
			vhu_fill_integer(at, field->size, value,
					 field->kind != VHU_LE && big_endian);
			break;
		case VHU_STRUCT:
			vhu_fill_payload(&vhu_layouts[field->layout], fds, big_endian, at);
			break;
		case VHU_ARRAY:
			for (unsigned i = 0; i < VHU_FILL_ELEMENTS; i++)
				vhu_fill_payload(&vhu_layouts[field->layout], fds, big_endian,
						 at + i * field->size);
			if (size < field->offset + VHU_FILL_ELEMENTS * field->size)
				size = field->offset + VHU_FILL_ELEMENTS * field->size;
			break;
		case VHU_CONFIG:
			size += vhu_fill_payload(vhu_config_layout(BLOCK), fds, big_endian, at);
			break;
		default:
			size += fill_bytes(field, at);
			break;
		}
	}
	return size;
}

void vhu_fill_fds(struct vhu_fd_info *fd, unsigned fds)
{
	for (unsigned i = 0; i < fds; i++) {
		enum vhu_fd_kind kind = 1 + i % (VHU_FD_KINDS - 1);

		fd[i] = (struct vhu_fd_info){
		    .kind = kind,
		    .has = VHU_FD_HAS_INODE,
		    .inode = 100 + i,
		    .device = 0x1d,
		    .flags = 02,
		};
		if (kind != VHU_FD_EVENTFD) {
			fd[i].name = "/memfd:golden";
			fd[i].size = 0x100000;
			fd[i].has |= VHU_FD_HAS_SIZE;
		} else {
			fd[i].eventfd_id = 7 + i;
			fd[i].has |= VHU_FD_HAS_EVENTFD | VHU_FD_HAS_COUNT | VHU_FD_HAS_SEMAPHORE;
		}
	}
}
