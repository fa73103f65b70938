/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integers, headers and single fields, read from and written to the bytes of a message. */
#include "lib/protocol/field.h"

#include <endian.h>
#include <string.h>

/* Integers are copied, not cast: what a peer sent is aligned to nothing. */

uint64_t vhu_integer_read(const uint8_t *bytes, unsigned size, bool big_endian)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case 1:
		return bytes[0];
	case 2:
		memcpy(&u16, bytes, sizeof(u16));
		return big_endian ? be16toh(u16) : le16toh(u16);
	case 4:
		memcpy(&u32, bytes, sizeof(u32));
		return big_endian ? be32toh(u32) : le32toh(u32);
	case 8:
		memcpy(&u64, bytes, sizeof(u64));
		return big_endian ? be64toh(u64) : le64toh(u64);
	}
	return 0;
}

void vhu_integer_write(uint8_t *bytes, unsigned size, bool big_endian, uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * (big_endian ? size - 1 - i : i));
}

struct vhu_header vhu_header_read(const uint8_t bytes[VHU_HEADER_SIZE], bool big_endian)
{
	return (struct vhu_header){
	    .request = (uint32_t)vhu_integer_read(bytes, 4, big_endian),
	    .flags = (uint32_t)vhu_integer_read(bytes + 4, 4, big_endian),
	    .size = (uint32_t)vhu_integer_read(bytes + 8, 4, big_endian),
	};
}

void vhu_header_write(uint8_t bytes[VHU_HEADER_SIZE], struct vhu_header header, bool big_endian)
{
	vhu_integer_write(bytes, 4, big_endian, header.request);
	vhu_integer_write(bytes + 4, 4, big_endian, header.flags);
	vhu_integer_write(bytes + 8, 4, big_endian, header.size);
}

bool vhu_host_is_big_endian(void)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

uint64_t vhu_field_value(const struct vhu_field *field, const uint8_t *bytes, bool big_endian)
{
	uint64_t value = vhu_integer_read(bytes, field->size, big_endian);

	if (field->mask)
		return (value & field->mask) >> __builtin_ctzll(field->mask);
	if (field->kind == VHU_INT && field->size < 8) {
		unsigned shift = 64 - 8 * field->size;

		return (uint64_t)((int64_t)(value << shift) >> shift);
	}
	return value;
}

bool vhu_field_read(const struct vhu_payload *payload, enum vhu_field_id id, uint32_t base,
		    uint64_t *value)
{
	const struct vhu_field *field = &vhu_fields[id];
	uint64_t at = (uint64_t)base + field->offset;

	if (!vhu_kind_is_integer(field->kind) || at + field->size > payload->captured)
		return false;
	*value = vhu_field_value(field, payload->bytes + at,
				 field->kind != VHU_LE && payload->big_endian);
	return true;
}

void vhu_field_write(uint8_t *bytes, const struct vhu_field *field, bool big_endian, uint64_t value)
{
	bool big = field->kind != VHU_LE && big_endian;

	if (field->mask) {
		value = value << __builtin_ctzll(field->mask) & field->mask;
		value |= vhu_integer_read(bytes, field->size, big) & ~field->mask;
	}
	vhu_integer_write(bytes, field->size, big, value);
}

const char *vhu_field_key(const struct vhu_field *field)
{
	const char *dot = strrchr(field->path, '.');

	return dot ? dot + 1 : field->path;
}
