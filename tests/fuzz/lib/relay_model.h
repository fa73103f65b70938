/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a relay is given, and what must come out of it: bytes that follow from their position, and
 * numbered descriptors, each with the byte that it was sent with.
 */
#ifndef VHU_TESTS_RELAY_MODEL_H
#define VHU_TESTS_RELAY_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/capture/record.h"
#include "lib/protocol/field.h"

#define MODEL_MESSAGES 256
#define MODEL_GROUPS   256

struct model_message {
	uint64_t start; /* position of its header */
	struct vhu_header header;
};

/* Descriptors that were sent at once. */
struct model_group {
	uint64_t at; /* the latest byte that they may come with */
	unsigned fds;
};

struct model {
	struct model_message message[MODEL_MESSAGES];
	unsigned messages;
	struct model_group group[MODEL_GROUPS];
	unsigned groups;
	uint64_t sent, received;         /* bytes */
	unsigned fds_sent, fds_received; /* descriptors */
	unsigned group_at, group_taken;  /* the next to be received: group, and of it */
	bool pieces;                     /* a header that is not whole may be sent on */
};

/* Return the position behind message @number. */
uint64_t model_end(const struct model *model, unsigned number);

/* Add a message behind those there are. */
void model_add(struct model *model, struct vhu_header header);

/* Return the message that the byte at @at belongs to, or is to belong to. */
unsigned model_find(const struct model *model, uint64_t at);

/* Write the @size bytes at position @at, all of them of messages that were added, to @to. */
void model_write(const struct model *model, uint64_t at, uint8_t *to, size_t size);

/* Note that @size bytes were sent, @fds descriptors with the first of them. */
void model_sent(struct model *model, size_t size, unsigned fds);

/*
 * Note that one call received @size bytes and @fds descriptors with some of them. The bytes must
 * be those of the model; the descriptors must have come with the byte that they were sent with, or
 * with one before it that whoever reads a header and then its payload receives with the same call.
 */
void model_received(struct model *model, const uint8_t *bytes, size_t size, unsigned fds);

#endif
