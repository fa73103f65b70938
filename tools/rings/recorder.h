/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of vrings as a capture.
 *
 * The capture begins with the records that made the sessions what they are, as far as the source
 * has them, so that it can be read alone. Sessions keep the numbers that they have in the source:
 * merged with its capture the snapshots are those of its sessions.
 *
 * Ownership: a recorder owns its file and its prologue.
 */
#ifndef VHU_TOOLS_RINGS_RECORDER_H
#define VHU_TOOLS_RINGS_RECORDER_H

#include "lib/recording/file.h"
#include "tools/rings/target/target.h"

struct vhu_rings_recorder {
	const struct vhu_command *command;
	const char *path; /* "-": standard output; NULL: nothing is written */
	char comment[1024];
	struct vhu_prologue *prologue; /* NULL once it is written */
	struct vhu_capture_file file;
	bool open;
	uint64_t *session; /* those that the capture has by now; owned */
	unsigned sessions;
};

/* Begin to record. @path: of the capture, which the first snapshots make; NULL: nothing is written.
 */
void vhu_rings_recorder_open(struct vhu_rings_recorder *recorder, const struct vhu_command *command,
			     const char *path, int argc, char **argv);

/* Return a prologue to take all records of the sessions, in place of the one before; NULL: none is
 * needed. */
struct vhu_prologue *vhu_rings_recorder_prologue(struct vhu_rings_recorder *recorder);

/* Write a snapshot of each target. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong
 * said. */
int vhu_rings_recorder_write(struct vhu_rings_recorder *recorder,
			     const struct vhu_rings_targets *targets);

/* End the capture. Returns as vhu_rings_recorder_write does: records may have been lost. */
int vhu_rings_recorder_close(struct vhu_rings_recorder *recorder);

#endif
