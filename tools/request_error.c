/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with an option. */
#include "tools/request_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int vhu_request_wrong(char error[VHU_REQUEST_ERROR], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, VHU_REQUEST_ERROR, format, arguments);
	va_end(arguments);
	return -EINVAL;
}
