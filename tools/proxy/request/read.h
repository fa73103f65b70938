/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole of what is asked of vhu proxy: its command line, with the configurations that it names.
 */
#ifndef VHU_TOOLS_PROXY_REQUEST_READ_H
#define VHU_TOOLS_PROXY_REQUEST_READ_H

#include "lib/cli/options.h"
#include "tools/proxy/request/request.h"

/*
 * Read the command line of the sub-command, and the configurations that it names.
 * @request: zero but for `running`. @error: gets a line on what is wrong, "" where it was said.
 * Returns VHU_EXIT_DONE, VHU_EXIT_USAGE, or VHU_OPTIONS_HELP where help was asked for.
 */
int vhu_proxy_request_read(const struct vhu_command *command, struct vhu_proxy_request *request,
			   int argc, char **argv, char error[VHU_REQUEST_ERROR]);

#endif
