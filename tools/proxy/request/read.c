/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole of what is asked of vhu proxy. */
#include "tools/proxy/request/read.h"

#include <getopt.h>
#include <string.h>

#include "tools/proxy/request/config.h"

/* Find COMMAND, which comes after "--". Returns how many arguments come before. */
static int read_child(struct vhu_proxy_request *request, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		request->child = &argv[i + 1];
		return i;
	}
	return argc;
}

int vhu_proxy_request_read(const struct vhu_command *command, struct vhu_proxy_request *request,
			   int argc, char **argv, char error[VHU_REQUEST_ERROR])
{
	const char *argument;
	int key, wrong;

	*error = '\0';
	argc = read_child(request, argc, argv);
	/* Read from the beginning, also the second time. */
	if (request->running)
		optind = 0;
	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		wrong = vhu_proxy_request_take(request, key, argument, error);
		if (!wrong && key == VHU_PROXY_CONFIG)
			wrong = vhu_proxy_config_take(command, request, argument, error);
		if (wrong)
			return VHU_EXIT_USAGE;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? key : VHU_EXIT_USAGE;
	return vhu_proxy_request_end(request, argc - optind, argv + optind, error) ? VHU_EXIT_USAGE
										   : VHU_EXIT_DONE;
}
