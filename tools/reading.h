/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture that is read from its beginning to its end, each record with its note. A file is read
 * twice, for what tells a session's dialect and device comes after messages that depend on them; a
 * pipe and a file that is followed are read once.
 */
#ifndef VHU_TOOLS_READING_H
#define VHU_TOOLS_READING_H

#include "lib/capture/pcapng/pcapng.h"
#include "lib/cli/options.h"
#include "lib/session/session.h"

/* What to take for granted of all sessions. */
struct vhu_reading_choice {
	enum vhu_dialect dialect; /* VHU_ANY: find out */
	uint32_t device;          /* 0: find out */
	uint64_t late_ns;         /* a reply is late after this; 0: the library's default */
};

struct vhu_reading {
	const struct vhu_command *command; /* for its name in errors */
	/* The files of the capture are the first of @paths and those that it says it goes on in, if
	 * they come next. "-": standard input. */
	char *const *paths;
	int count;
	bool follow; /* the last of them; see the reader of captures */
	struct vhu_reading_choice choice;

	/*
	 * See one record, or the end of a session that the capture does not close: @record is NULL
	 * then, and note->state tells which. Returns 0; -errno ends the reading.
	 */
	int (*see)(void *with, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note);
	void *with;
	/*
	 * See requests of a session that have waited for too long, while there is no more to read:
	 * at the end of a file that is followed and still being written, or of a pipe that brings
	 * records when they are new. note->state tells whose they are, and the reading goes on.
	 * @now_ns: until when they have waited. NULL: do not look for them.
	 */
	void (*hung)(void *with, uint64_t now_ns, const struct vhu_annotation *note);

	/* What the capture's first file says of itself, from its first record on; how much was
	 * dropped in the whole capture is known only of a file that is read twice. */
	struct vhu_packets_head head;

	int files;                              /* of the capture, as far as known */
	char error[VHU_PCAPNG_ERROR_SIZE + 64]; /* what is wrong with the capture; "" nothing */
	/* Told when the ends of sessions are shown that the capture does not close: the present, if
	 * the capture is still being written, else 0. */
	uint64_t now_ns;
};

/* Return whether captures are shown while they are written: some file is a pipe or followed. */
bool vhu_reading_at_once(char *const *paths, int count, bool follow);

/*
 * Look whether the captures at @paths can be read one after the other. Returns VHU_EXIT_DONE, or
 * VHU_EXIT_USAGE with what is wrong said.
 */
int vhu_reading_look_over(const struct vhu_command *command, char *const *paths, int count);

/* Say that the captures at @paths have no session @session. Returns VHU_EXIT_FAILED. */
int vhu_no_session(const struct vhu_command *command, char *const *paths, int count,
		   uint64_t session);

/*
 * Read a capture through. Whatever is wrong is said on stderr and in reading->error.
 * Returns VHU_EXIT_DONE, also where a signal ended it, or VHU_EXIT_FAILED.
 */
int vhu_reading_run(struct vhu_reading *reading);

/*
 * Let SIGINT and SIGTERM end the reading of a file that is followed. A pipe is read on until its
 * writer ends, which the same Ctrl-C tells to, and a second signal ends the program.
 */
void vhu_reading_signals(bool follow);

#endif
