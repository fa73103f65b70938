/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sink that writes a capture: in a file, in a series of files, or to whoever reads a pipe.
 *
 * Theory of operation
 *
 * What cannot be written is counted, and said; the recorder goes on without it. The reader of a
 * pipe is waited for a moment; one that is stuck does not hold up the sessions: until it reads on,
 * records are lost. When a record can be written again, one that says how many were lost goes
 * before it, and what made the sessions that are open what they are by then (prologue.h).
 *
 * A series goes on with its next file when a record comes and the file at hand has what one is to
 * have; so no file is without records. The next one begins with the same records
 * of the past, in one piece, and only when they are in it the file before is done with: whenever
 * the recorder is killed, all that passed is in one or the other. Where the next file cannot be
 * begun the one at hand grows, and it is tried again from time to time.
 *
 * Ownership: a capture owns its files and its writer from opening to closing. The past is the
 * caller's, which records pass into after they were given to the capture; a caller that keeps none
 * leaves it to the capture.
 */
#ifndef VHU_RECORDING_FILE_H
#define VHU_RECORDING_FILE_H

#include "lib/capture/pcapng/pcapng.h"
#include "lib/recording/prologue.h"
#include "lib/recording/series.h"

#define VHU_CAPTURE_FILE_PATIENCE_MS 250
/* What is asked for of a pipe: room for some thousand records. */
#define VHU_CAPTURE_FILE_PIPE        (1 << 20)

/* When a series goes on with its next file; 0: not for that reason. */
struct vhu_capture_file_limits {
	uint64_t bytes;       /* that the file has, without what it began with */
	uint64_t records;     /* of what passed while it was written */
	uint64_t duration_ns; /* since it was begun */
	uint64_t interval_ns; /* at each multiple of this since 1970 */
	unsigned files;       /* how many are kept; 0 all */
	uint64_t disk;        /* bytes of all that are kept; 0 any number; takes `bytes` */
};

/* By how much a file may be larger than `bytes`, beside what it began with: its last record. */
#define VHU_CAPTURE_FILE_OVER (1u << 20)

struct vhu_capture_file_options {
	const char *path;    /* "-": standard output; must outlive the capture */
	uint32_t snaplen;    /* for the writer */
	const char *comment; /* for the writer; must outlive the capture */
	const struct vhu_capture_file_limits *limits; /* NULL: one file */
	bool reader_may_leave;                        /* of a pipe: that is not said */
	struct vhu_prologue *prologue; /* which records pass into last; NULL: its own */
	void (*say)(const char *line); /* tell the person a line without its end; NULL: nothing */
	int ends; /* the wait for the reader of a named pipe, as vhu_capture_file_await_reader has
		     it */
	const char *goes_on; /* what goes on while records are lost, as "forwarding" */
};

struct vhu_capture_file {
	struct vhu_capture_file_options options;
	struct vhu_capture_file_limits limits;
	struct vhu_prologue *prologue;
	bool keeps_prologue; /* it is its own */

	/* The file at hand. */
	int fd;
	struct vhu_pcapng_writer *writer;
	const char *name;  /* for people */
	uint64_t begun_ns; /* by vhu_now_ns */
	uint64_t until_ns; /* of records' times: the next file is for what comes later */
	uint64_t head;     /* bytes that it began with */
	uint64_t before;   /* records of all files before it */

	bool series;
	struct vhu_series files;
	bool stays;        /* the next file cannot be begun: that was said */
	uint64_t again_ns; /* when the next file may be tried for; by vhu_now_ns */

	bool pipe;
	bool stuck; /* the pipe's reader was waited for in vain, and has not read since */

	struct vhu_pcapng_counts counts; /* of all files that have ended */
	uint64_t bytes, ended;           /* of these; how many they are */
	/* What was lost since a record was written. */
	struct {
		uint64_t records, from_ns, to_ns;
		int error;
		bool said;
	} gap;
	uint64_t said_ns; /* when it was said last that records are lost */
};

/*
 * If @path is a named pipe without a reader, say so and wait for a reader.
 * @ends: a descriptor that can be read from once that is to end, whenever it happened; 0: a signal
 * while it waits ends it, and nothing else.
 * @held: gets a descriptor that keeps the pipe open, for the caller to close once the capture is
 * open; -1 where @path is no named pipe.
 * Returns 0 or -errno; -EINTR where that was ended.
 */
int vhu_capture_file_await_reader(const char *path, void (*say)(const char *line), int ends,
				  int *held);

/*
 * Begin a capture in a new file, or in place of what the file held; or the first file of a series.
 * Returns 0 or -errno.
 */
int vhu_capture_file_open(struct vhu_capture_file *capture,
			  const struct vhu_capture_file_options *options);

/* Write a record: what sinks do, @context being the capture. */
void vhu_capture_file_take(void *context, const struct vhu_record *record);

/* Let a series go by other limits from now on, its file at hand too. */
void vhu_capture_file_limit(struct vhu_capture_file *capture,
			    const struct vhu_capture_file_limits *limits);

/* Go on with the next file of a series now. Returns 0; -EINVAL of what is no series; -errno. */
int vhu_capture_file_next(struct vhu_capture_file *capture);

/* Say where the capture is: a name, or the names of the first and the last file of a series.
 * Returns what snprintf would. */
int vhu_capture_file_where(const struct vhu_capture_file *capture, char *to, size_t size);

/* End the capture; where it is cannot be asked any more. Returns what was written and lost. */
struct vhu_pcapng_counts vhu_capture_file_close(struct vhu_capture_file *capture);

#endif
