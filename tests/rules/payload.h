/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message's payload made of words: "vring=0", "region={size=0x1000,user_address=0x7f0000}". */
#ifndef VHU_TESTS_RULES_PAYLOAD_H
#define VHU_TESTS_RULES_PAYLOAD_H

#include "lib/protocol/protocol.h"

#define PAYLOAD_MAX 80000

struct payload {
	uint8_t bytes[PAYLOAD_MAX];
	uint32_t size;
	bool big_endian;
	uint32_t device; /* whose names are meant where several devices have a name; 0 none */
	char error[160]; /* what is wrong with the words; "" nothing */
};

/*
 * Fill in a payload.
 * @as: id of the layout to use; NULL: the likeliest of the message's that has all fields named.
 * @word: fields with values, as FIELD=VALUE; a field goes by its path ("vring.index"), the path's
 * last part ("index") or what introduces it in the one-line form ("vring"). Values are numbers and
 * names, joined by "|"; hexadecimal digits where the field is bytes. What says how many elements
 * follow, and whether a descriptor does, is filled in unless it is named.
 * Returns whether it could; payload->error says what is wrong.
 */
bool payload_fill(struct payload *payload, const struct vhu_message *message, bool reply,
		  const char *as, char *const *word, unsigned words, unsigned fds);

/*
 * Read a number: decimal, hexadecimal, negative, or names of a set and numbers joined by "|".
 * @device: as in struct payload. Returns whether it could, and *@value.
 */
bool payload_number(const char *text, enum vhu_names_id names, uint32_t device, uint64_t *value);

/* Read hexadecimal digits, with any ":" and "-" between them. Returns how many bytes, -1 where
 * there is something else or more than @size bytes. */
int payload_hex(const char *text, uint8_t *to, uint32_t size);

/* Find a value in a set of names, in any case of letters, "_" standing for blanks and hyphens.
 * @device: as in struct payload; "NET.MQ" names it. Returns it or NULL. */
const struct vhu_name *payload_name(enum vhu_names_id names, const char *name, uint32_t device);

#endif
