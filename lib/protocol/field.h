/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integers, headers and single fields, read from and written to the bytes of a message. */
#ifndef VHU_PROTOCOL_FIELD_H
#define VHU_PROTOCOL_FIELD_H

#include "lib/protocol/protocol.h"

struct vhu_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* payload bytes that follow */
};

/* Read a header from its 12 bytes, sent in the byte order told. Returns it. */
struct vhu_header vhu_header_read(const uint8_t bytes[VHU_HEADER_SIZE], bool big_endian);

/* Write a header as 12 bytes in the byte order told. */
void vhu_header_write(uint8_t bytes[VHU_HEADER_SIZE], struct vhu_header header, bool big_endian);

/* Read an integer of 1, 2, 4 or 8 bytes in the byte order told. Returns its value. */
uint64_t vhu_integer_read(const uint8_t *bytes, unsigned size, bool big_endian);

/* Write an integer of 1, 2, 4 or 8 bytes in the byte order told; what does not fit is left out. */
void vhu_integer_write(uint8_t *bytes, unsigned size, bool big_endian, uint64_t value);

/* Return whether this machine is big endian: the byte order of peers on it. */
bool vhu_host_is_big_endian(void);

/*
 * Read one integer field of a payload without walking.
 * @base: where its layout begins in the payload (0 but for elements of arrays).
 * Returns whether the payload holds it; *@value then is what VHU_ITEM_VALUE has.
 */
bool vhu_field_read(const struct vhu_payload *payload, enum vhu_field_id field, uint32_t base,
		    uint64_t *value);

/*
 * Write an integer field to @bytes, its own, field->size of them. Other fields that share these
 * bytes stay.
 */
void vhu_field_write(uint8_t *bytes, const struct vhu_field *field, bool big_endian,
		     uint64_t value);

/* Return a field's key in JSON: the last part of its path. */
const char *vhu_field_key(const struct vhu_field *field);

/* Return whether a field of this kind holds an integer. */
static inline bool vhu_kind_is_integer(enum vhu_kind kind)
{
	return kind == VHU_UINT || kind == VHU_INT || kind == VHU_LE;
}

/* Return the value of an integer field that lies at @bytes: its mask's part, shifted down;
 * VHU_INT is sign-extended. */
uint64_t vhu_field_value(const struct vhu_field *field, const uint8_t *bytes, bool big_endian);

#endif
