/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures for tests: sample records, files in memory, and a look at a file's blocks. */
#ifndef VHU_TESTS_CAPTURE_SAMPLE_H
#define VHU_TESTS_CAPTURE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/capture/pcapng/pcapng.h"

/* When the first sample was taken: a time whose two halves and nanoseconds all differ. */
#define SAMPLE_TIME_NS 1700000000123456789ull

/* Return the record that opens session @session; it lasts until the next call. */
const struct vhu_record *sample_opened(uint64_t session);
/* Return a message of @size bytes with a memfd and an eventfd, number @number of the session. */
const struct vhu_record *sample_message(uint64_t session, unsigned number, uint32_t size);
/* Return the record that closes session @session. */
const struct vhu_record *sample_closed(uint64_t session);

/* Check that a read record equals @wanted, with @kept bytes of its message. */
void check_sample(const struct vhu_record *is, const struct vhu_record *wanted, uint32_t kept);

/* Make an empty file in memory. Returns its descriptor, for the caller to close. */
int make_file(void);
/* Return a path for opening the file behind @fd again, valid until the next call. */
const char *path_of(int fd);
/* Open the file behind @fd, from its beginning. */
struct vhu_pcapng_reader *open_reader(int fd, bool follow);

/* Write a capture of @messages messages in two sessions to @fd. Returns how many records it has. */
unsigned write_capture(int fd, unsigned messages);
/* Read @reader to its end, and check that it says so. Returns what ended it; *@records is how many
 * there were. */
int read_to_end(struct vhu_pcapng_reader *reader, unsigned *records);
/* Check that opening @path fails with @ret and says @why. */
void check_refused(const char *path, int ret, const char *why);

/* What the blocks of a capture that we wrote amount to. */
struct blocks {
	unsigned sections, interfaces, packets, statistics;
	uint64_t received, dropped; /* by all statistics together */
	size_t end[64];             /* where the first ones end */
	unsigned all;
};

/* Check that the file behind @fd is whole blocks from its beginning to its end, and count them. */
struct blocks count_blocks(int fd);

#endif
