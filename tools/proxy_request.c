/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of vhu proxy: options and arguments. */
#include "tools/proxy_request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/capture/pcapng.h"
#include "lib/cli/options.h"

int vhu_proxy_request_wrong(char error[VHU_PROXY_REQUEST_ERROR], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, VHU_PROXY_REQUEST_ERROR, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Add a pair to those asked for. Returns as vhu_proxy_request_take does. */
static int request_pair(struct vhu_proxy_request *request, const char *front, const char *back,
			char *error)
{
	struct vhu_proxy_request_pair *more =
	    reallocarray(request->pair, request->pairs + 1, sizeof(*more));

	if (!more) {
		vhu_proxy_request_wrong(error, "out of memory");
		return -ENOMEM;
	}
	request->pair = more;
	more[request->pairs++] = (struct vhu_proxy_request_pair){.end = {front, back}};
	return 0;
}

/* Take --snaplen. Returns as vhu_proxy_request_take does. */
static int request_snaplen(struct vhu_proxy_request *request, const char *argument, char *error)
{
	uint64_t number;

	if (vhu_number_parse(argument, 1, VHU_PCAPNG_SNAPLEN_DEFAULT, &number))
		return vhu_proxy_request_wrong(error, "%s: not a snap length from 1 to %d",
					       argument, VHU_PCAPNG_SNAPLEN_DEFAULT);
	request->snaplen = (uint32_t)number;
	return 0;
}

int vhu_proxy_request_take(struct vhu_proxy_request *request, int key, const char *argument,
			   char error[VHU_PROXY_REQUEST_ERROR])
{
	switch (key) {
	case 'w':
		request->file = argument;
		break;
	case 'v':
		request->verbose = true;
		break;
	case 'q':
		request->quiet = true;
		break;
	case 's':
		return request_snaplen(request, argument, error);
	case VHU_PROXY_WITH_KEYS:
		request->with_keys = true;
		break;
	}
	return 0;
}

int vhu_proxy_request_end(struct vhu_proxy_request *request, int argc, char **argv,
			  char error[VHU_PROXY_REQUEST_ERROR])
{
	if (argc < 2)
		return vhu_proxy_request_wrong(error, "which %s?",
					       argc ? "BACK" : "FRONT and BACK");
	if (argc > 2)
		return vhu_proxy_request_wrong(error, "%s: FRONT and BACK are two", argv[2]);
	if (request->file && !strcmp(request->file, "-") && isatty(STDOUT_FILENO))
		return vhu_proxy_request_wrong(
		    error, "a capture is not for terminals: pipe it or name a file");
	return request_pair(request, argv[0], argv[1], error);
}

void vhu_proxy_request_free(struct vhu_proxy_request *request)
{
	free(request->pair);
	request->pair = NULL;
	request->pairs = 0;
}
