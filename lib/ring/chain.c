/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chain of descriptors of a request. */
#include "lib/ring/chain.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>

#include "lib/protocol/field.h"
#include "lib/protocol/line.h"
#include "lib/ring/internal.h"

/* A descriptor of either format; @next: split, if its flags say so. */
struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next, id;
};

/* What reading a chain needs. */
struct chain_reader {
	const struct vhu_ring_memory *memory;
	const struct vhu_ring_snapshot *snapshot;
	struct vhu_ring_chain *chain;
};

/* Return a descriptor of a copied table. */
static struct descriptor descriptor_of(const struct chain_reader *reader, const uint8_t *table,
				       uint32_t row)
{
	const bool big = reader->snapshot->big_endian, packed = reader->snapshot->packed;
	const unsigned flags = packed ? VHU_ROW_PACKED_FLAGS : VHU_ROW_SPLIT_FLAGS;
	const unsigned other = packed ? VHU_ROW_PACKED_ID : VHU_ROW_SPLIT_NEXT;
	uint16_t value = (uint16_t)vhu_ring_row_field(table, row, other, 2, big);

	return (struct descriptor){
	    .address = vhu_ring_row_field(table, row, VHU_ROW_ADDRESS, 8, big),
	    .length = (uint32_t)vhu_ring_row_field(table, row, VHU_ROW_LENGTH, 4, big),
	    .flags = (uint16_t)vhu_ring_row_field(table, row, flags, 2, big),
	    .next = value,
	    .id = value,
	};
}

/* Note the first fault of a chain. Returns false, so that the caller ends. */
static bool fault(const struct chain_reader *reader, enum vhu_ring_fault what, uint32_t row,
		  uint64_t address)
{
	struct vhu_ring_chain *chain = reader->chain;

	if (chain->fault == VHU_RING_FAULT_NONE) {
		chain->fault = what;
		chain->fault_row = row;
		chain->fault_address = address;
	}
	return false;
}

/* Add a buffer to a chain. */
static void add_buffer(const struct chain_reader *reader, const struct descriptor *descriptor,
		       uint32_t row, bool indirect)
{
	struct vhu_ring_chain *chain = reader->chain;
	int error = vhu_ring_memory_holds(reader->memory, reader->snapshot->buffer_space,
					  descriptor->address, descriptor->length);

	if (chain->buffers < VHU_RING_BUFFERS_MAX)
		chain->buffer[chain->buffers] = (struct vhu_ring_buffer){
		    .address = descriptor->address,
		    .size = descriptor->length,
		    .flags = descriptor->flags,
		    .indirect = indirect,
		    .mapped = !error,
		    .untranslated = error == -ENXIO,
		};
	chain->buffers++;
	if (descriptor->flags & VRING_DESC_F_WRITE)
		chain->writable += descriptor->length;
	else
		chain->readable += descriptor->length;
	/* An IOVA without a translation is no fault: the back-end asks for one when it gets there.
	 */
	if (error == -EFAULT)
		fault(reader, VHU_RING_FAULT_UNMAPPED, row, descriptor->address);
}

/* Add the buffers of an indirect table that was copied: linked rows in a split ring, all of them in
 * a packed one. */
static void add_rows(const struct chain_reader *reader, const uint8_t *table, uint32_t rows)
{
	struct descriptor inner;
	uint32_t row = 0;

	for (uint32_t step = 0; step < rows; step++) {
		if (row >= rows) {
			fault(reader, VHU_RING_FAULT_OUTSIDE_TABLE, row, 0);
			return;
		}
		inner = descriptor_of(reader, table, row);
		if (inner.flags & VRING_DESC_F_INDIRECT) {
			fault(reader, VHU_RING_FAULT_INDIRECT, row, inner.address);
			return;
		}
		add_buffer(reader, &inner, row, true);
		if (!reader->snapshot->packed && !(inner.flags & VRING_DESC_F_NEXT))
			return;
		row = reader->snapshot->packed ? row + 1 : inner.next;
	}
	if (!reader->snapshot->packed)
		fault(reader, VHU_RING_FAULT_LOOP, row, 0);
}

/* Add the buffers of the indirect table that a descriptor names. */
static void add_indirect(const struct chain_reader *reader, const struct descriptor *outer,
			 uint32_t row)
{
	uint32_t rows = outer->length / VHU_RING_DESCRIPTOR_SIZE;
	uint8_t *table;
	int error;

	if (rows == 0 || rows > VHU_RING_SIZE_MAX || outer->length % VHU_RING_DESCRIPTOR_SIZE ||
	    outer->flags & VRING_DESC_F_NEXT) {
		fault(reader, VHU_RING_FAULT_INDIRECT, row, outer->address);
		return;
	}
	table = malloc(outer->length);
	if (!table)
		return;
	error = vhu_ring_memory_read(reader->memory, reader->snapshot->buffer_space, outer->address,
				     table, outer->length);
	if (error == -EFAULT)
		fault(reader, VHU_RING_FAULT_UNMAPPED, row, outer->address);
	else if (error)
		fault(reader, VHU_RING_FAULT_UNREADABLE, row, outer->address);
	else
		add_rows(reader, table, rows);
	free(table);
}

/* Add what a descriptor of the ring describes. Returns whether another one follows. */
static bool add_descriptor(const struct chain_reader *reader, const struct descriptor *descriptor,
			   uint32_t row)
{
	reader->chain->descriptors++;
	reader->chain->id = descriptor->id;
	if (descriptor->flags & VRING_DESC_F_INDIRECT) {
		add_indirect(reader, descriptor, row);
		return false;
	}
	add_buffer(reader, descriptor, row, false);
	return descriptor->flags & VRING_DESC_F_NEXT;
}

/* Begin a chain. */
static struct chain_reader begin(const struct vhu_ring_memory *memory,
				 const struct vhu_ring_snapshot *snapshot, uint16_t head,
				 struct vhu_ring_chain *chain)
{
	chain->head = head;
	chain->descriptors = chain->buffers = chain->fault_row = 0;
	chain->readable = chain->writable = chain->fault_address = 0;
	chain->fault = VHU_RING_FAULT_NONE;
	return (struct chain_reader){memory, snapshot, chain};
}

void vhu_ring_chain_split(const struct vhu_ring_memory *memory,
			  const struct vhu_ring_snapshot *snapshot, uint16_t head,
			  struct vhu_ring_chain *chain)
{
	const struct chain_reader reader = begin(memory, snapshot, head, chain);
	struct descriptor descriptor;
	uint32_t row = head;
	bool more = true;

	while (more) {
		if (row >= snapshot->size)
			more = fault(&reader, VHU_RING_FAULT_OUTSIDE_TABLE, row, 0);
		else if (chain->descriptors == snapshot->size)
			more = fault(&reader, VHU_RING_FAULT_LOOP, row, 0);
		if (!more)
			break;
		descriptor = descriptor_of(&reader, snapshot->descriptor, row);
		more = add_descriptor(&reader, &descriptor, row);
		row = descriptor.next;
	}
	chain->id = head;
}

void vhu_ring_chain_packed(const struct vhu_ring_memory *memory,
			   const struct vhu_ring_snapshot *snapshot, uint16_t position,
			   struct vhu_ring_chain *chain)
{
	const uint32_t most = vhu_ring_distance(position, snapshot->available, snapshot->size);
	struct chain_reader reader = begin(memory, snapshot, position & 0x7fff, chain);
	struct descriptor descriptor;
	uint32_t row = position & 0x7fff;
	bool more = row < snapshot->size;

	while (more) {
		descriptor = descriptor_of(&reader, snapshot->descriptor, row);
		more = add_descriptor(&reader, &descriptor, row);
		row = row + 1 < snapshot->size ? row + 1 : 0;
		if (more && chain->descriptors >= most)
			more = fault(&reader, VHU_RING_FAULT_OUTSIDE_TABLE, row, 0);
	}
}

/* Read the chain of a packed ring's request from the descriptors that the in-flight area keeps:
 * used descriptors may have overwritten those of the ring. */
static void chain_saved(const struct vhu_ring_memory *memory,
			const struct vhu_ring_snapshot *snapshot,
			const struct vhu_ring_taken *taken, struct vhu_ring_chain *chain)
{
	/* DescStatePacked: inflight, padding, next, last, num, counter, id, flags, len, addr. */
	enum { NEXT_AT = 2, ID_AT = 16, FLAGS_AT = 18, LENGTH_AT = 20, ADDRESS_AT = 24 };
	const struct chain_reader reader = begin(memory, snapshot, taken->entry, chain);
	const bool big = snapshot->big_endian;
	uint32_t entry = taken->entry;

	for (uint32_t i = 0; i < taken->descriptors; i++) {
		const uint8_t *at;
		struct descriptor descriptor;

		if (entry >= snapshot->size) {
			fault(&reader, VHU_RING_FAULT_OUTSIDE_TABLE, entry, 0);
			return;
		}
		at = snapshot->inflight.row + (size_t)entry * VHU_RING_INFLIGHT_PACKED_ROW;
		descriptor = (struct descriptor){
		    .address = vhu_integer_read(at + ADDRESS_AT, 8, big),
		    .length = (uint32_t)vhu_integer_read(at + LENGTH_AT, 4, big),
		    .flags = (uint16_t)vhu_integer_read(at + FLAGS_AT, 2, big),
		    .id = (uint16_t)vhu_integer_read(at + ID_AT, 2, big),
		};
		if (!add_descriptor(&reader, &descriptor, entry))
			return;
		entry = (uint32_t)vhu_integer_read(at + NEXT_AT, 2, vhu_host_is_big_endian());
	}
}

void vhu_ring_chain_taken(const struct vhu_ring_memory *memory,
			  const struct vhu_ring_snapshot *snapshot,
			  const struct vhu_ring_taken *taken, struct vhu_ring_chain *chain)
{
	if (snapshot->packed)
		chain_saved(memory, snapshot, taken, chain);
	else
		vhu_ring_chain_split(memory, snapshot, taken->entry, chain);
}

bool vhu_ring_chain_next(const struct vhu_ring_memory *memory,
			 const struct vhu_ring_snapshot *snapshot, uint32_t *cursor,
			 struct vhu_ring_chain *chain, bool *taken)
{
	const struct vhu_ring_inflight *inflight = &snapshot->inflight;
	uint32_t at;

	if (*cursor < inflight->count) {
		*taken = true;
		vhu_ring_chain_taken(memory, snapshot, &inflight->taken[(*cursor)++], chain);
		return true;
	}
	/* Beyond: `descriptors` of those that wait are what the area has listed. */
	*taken = false;
	at = *cursor - inflight->count + inflight->descriptors;
	if (at >= snapshot->waiting || at >= snapshot->size)
		return false;
	if (snapshot->packed) {
		vhu_ring_chain_packed(memory, snapshot,
				      vhu_ring_advance(snapshot->used, at, snapshot->size), chain);
		*cursor += chain->descriptors ? chain->descriptors : 1;
		return true;
	}
	at += snapshot->used;
	vhu_ring_chain_split(memory, snapshot, snapshot->head[at % snapshot->size], chain);
	++*cursor;
	return true;
}

struct vhu_ring_look vhu_ring_look(const struct vhu_ring_memory *memory,
				   const struct vhu_ring_snapshot *snapshot, unsigned most)
{
	struct vhu_ring_look look = {.input = true};
	struct vhu_ring_chain chain;
	uint32_t cursor = 0;
	bool taken;

	while (look.requests < most &&
	       vhu_ring_chain_next(memory, snapshot, &cursor, &chain, &taken)) {
		look.requests++;
		look.input = look.input && chain.readable == 0 && chain.writable > 0;
		if (chain.fault == VHU_RING_FAULT_NONE)
			continue;
		look.fault = chain.fault;
		look.fault_head = chain.head;
		look.fault_row = chain.fault_row;
		look.fault_address = chain.fault_address;
		break;
	}
	look.input = look.input && look.requests > 0;
	return look;
}

const char *vhu_ring_fault_text(enum vhu_ring_fault fault)
{
	switch (fault) {
	case VHU_RING_FAULT_LOOP:
		return "loops";
	case VHU_RING_FAULT_OUTSIDE_TABLE:
		return "leaves the table of descriptors";
	case VHU_RING_FAULT_UNMAPPED:
		return "points outside guest memory";
	case VHU_RING_FAULT_INDIRECT:
		return "has an invalid indirect table";
	case VHU_RING_FAULT_UNREADABLE:
		return "has an indirect table that cannot be read";
	case VHU_RING_FAULT_NONE:
		break;
	}
	return "is sound";
}

int vhu_ring_flags_text(uint16_t flags, bool packed, char *to, size_t size)
{
	static const struct {
		uint16_t bit;
		bool packed_only;
		const char *name;
	} known[] = {
	    {VRING_DESC_F_NEXT, false, "NEXT"},
	    {VRING_DESC_F_WRITE, false, "WRITE"},
	    {VRING_DESC_F_INDIRECT, false, "INDIRECT"},
	    {1u << VRING_PACKED_DESC_F_AVAIL, true, "AVAIL"},
	    {1u << VRING_PACKED_DESC_F_USED, true, "USED"},
	};
	struct vhu_line line = vhu_line_in(to, size);
	const char *between = "";

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!(flags & known[i].bit) || (known[i].packed_only && !packed))
			continue;
		vhu_line_add(&line, between);
		vhu_line_add(&line, known[i].name);
		flags &= (uint16_t)~known[i].bit;
		between = ", ";
	}
	if (flags) {
		vhu_line_add(&line, between);
		vhu_line_hex(&line, flags);
	}
	return (int)line.length;
}
