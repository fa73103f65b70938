/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output formats of records: lines, fields, JSON. */
#ifndef VHU_SHOW_DUMP_H
#define VHU_SHOW_DUMP_H

#include <stdio.h>

#include "lib/capture/packets/packets.h"
#include "lib/session/session.h"
#include "lib/util/json.h"

enum vhu_dump_time {
	VHU_TIME_RELATIVE, /* since the capture's first record */
	VHU_TIME_ABSOLUTE, /* of day, with the date where it is not today's */
	VHU_TIME_DELTA,    /* since the record shown before */
	VHU_TIME_EPOCH,    /* since 1970 */
};

/* How to show, and what was seen before. */
struct vhu_dump {
	FILE *to;
	const char *file; /* shown in JSON; NULL: not */
	enum vhu_dump_time time;
	bool fields; /* all fields below the line */
	bool bytes;  /* the message's bytes too */
	bool begun;
	uint64_t first_ns;  /* time of the first record */
	uint64_t before_ns; /* of the record shown before */
};

/* See the first record of a capture, shown or not: times count from it. Others change
 * nothing. Returns whether it is the first. */
bool vhu_dump_begin(struct vhu_dump *dump, const struct vhu_record *record);

/* Show a record as a line, and its fields and bytes where they are asked for. */
void vhu_dump_text(struct vhu_dump *dump, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note);

/* Show a record as one line of JSON. */
void vhu_dump_json(struct vhu_dump *dump, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note);

/* Show what a capture says of itself as one line of JSON. */
void vhu_dump_head_json(struct vhu_dump *dump, const struct vhu_packets_head *head);

/* Write a record as an object under @key. @bytes: the message's bytes too. */
void vhu_show_record_json(struct vhu_json *json, const char *key, const struct vhu_record *record,
			  uint64_t number, const struct vhu_annotation *note, bool bytes);

#endif
