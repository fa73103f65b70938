/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a command that records about its files: -b, as in dumpcap, and
 * --flight-recorder. */
#ifndef VHU_TOOLS_RECORDING_FILES_H
#define VHU_TOOLS_RECORDING_FILES_H

#include "lib/recording/file.h"

struct vhu_recording_files {
	bool any;  /* -b was given */
	bool ends; /* and says when a file ends */
	struct vhu_capture_file_limits limits;
	size_t flight_bytes; /* of the flight recorder; 0: none */
};

/* Take -b NAME:VALUE. @error: room for VHU_REQUEST_ERROR bytes, gets a line on what is wrong.
 * Returns 0 or -EINVAL. */
int vhu_recording_files_take(struct vhu_recording_files *files, const char *argument, char *error);

/* Take --flight-recorder. @argument: NULL for the usual size. Returns as vhu_recording_files_take
 * does.
 */
int vhu_recording_files_take_flight(struct vhu_recording_files *files, const char *argument,
				    char *error);

/* Take --max-disk. Returns as vhu_recording_files_take does. */
int vhu_recording_files_take_disk(struct vhu_recording_files *files, const char *argument,
				  char *error);

/* See whether all that was asked for goes together with -w @path (NULL: without). Returns as
 * vhu_recording_files_take does. */
int vhu_recording_files_end(struct vhu_recording_files *files, const char *path, char *error);

#endif
