/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario in its file's language: the lines of a conversation, and the expected findings.
 * README.md describes the language.
 */
#ifndef VHU_TESTS_RULES_SCRIPT_H
#define VHU_TESTS_RULES_SCRIPT_H

#include "lib/capture/record.h"
#include "lib/protocol/field.h"

/* What a line expects. */
struct expectation {
	enum expectation_of {
		EXPECT_FINDING, /* `text` is the whole finding, as check prints it */
		EXPECT_NAME,    /* of record `number`, as it passes */
		EXPECT_AGAIN,   /* of record `number`, once all of the capture is known */
	} of;
	uint64_t number;
	char *text;
};

struct script {
	struct expectation *expected;
	unsigned expectations;
	uint32_t device;          /* taken for granted; 0 found out */
	enum vhu_dialect dialect; /* taken for granted; VHU_ANY found out */
	uint64_t records;         /* written */
};

/* Takes a record that a script makes; it lasts until it returns. Returns 0 or -errno. */
typedef int script_sink(void *to, const struct vhu_record *record);

/*
 * Read a scenario and give its records to @sink.
 * @big_endian: the byte order of its peers.
 * Returns whether it could; what is wrong is on standard error, with its line. Free with
 * script_free in either case.
 */
bool script_read(struct script *script, const char *path, bool big_endian, script_sink *sink,
		 void *to);
void script_free(struct script *script);

#endif
