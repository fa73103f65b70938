/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target's input as a stream of records. Each is a byte of type, direction and marks, a byte
 * of channel, session, number of descriptors and whether it is a repetition, and two bytes of the
 * length of the message that follows and the time until it.
 */
#ifndef VHU_TESTS_FUZZ_STREAM_H
#define VHU_TESTS_FUZZ_STREAM_H

#include "lib/capture/record.h"

#define STREAM_FDS_MAX  3
/* Sessions are numbered from 0, which means no session, to one less. */
#define STREAM_SESSIONS 8

struct fuzz_stream {
	const uint8_t *data;
	size_t size;
	uint64_t number, time_ns;
	struct vhu_fd_info fd[STREAM_FDS_MAX];
};

/* Take the next record. Returns whether there is one; it lasts until the next is taken. */
bool stream_next(struct fuzz_stream *stream, struct vhu_record *record);

#endif
