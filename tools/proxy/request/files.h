/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of vhu proxy about its files: -b, as dumpcap has it, and --flight-recorder. */
#ifndef VHU_TOOLS_PROXY_REQUEST_FILES_H
#define VHU_TOOLS_PROXY_REQUEST_FILES_H

#include "proxy/capture/file.h"

struct vhu_proxy_files {
	bool any;  /* -b was given */
	bool ends; /* and says when a file ends */
	struct vhu_capture_file_limits limits;
	size_t flight_bytes; /* of the flight recorder; 0: none */
};

/* Take -b NAME:VALUE. @error: room for VHU_PROXY_REQUEST_ERROR bytes, gets a line on what is wrong.
 * Returns 0 or -EINVAL. */
int vhu_proxy_files_take(struct vhu_proxy_files *files, const char *argument, char *error);

/* Take --flight-recorder. @argument: NULL for the usual size. Returns as vhu_proxy_files_take does.
 */
int vhu_proxy_files_take_flight(struct vhu_proxy_files *files, const char *argument, char *error);

/* See whether all that was asked for goes together with -w @path (NULL: without). Returns as
 * vhu_proxy_files_take does. */
int vhu_proxy_files_end(const struct vhu_proxy_files *files, const char *path, char *error);

#endif
