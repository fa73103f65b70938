/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proxy: what its parts share. */
#include "proxy/proxy.h"

#include <stdarg.h>
#include <stdio.h>

void vhu_proxy_say(const struct vhu_proxy *proxy, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (!proxy->say)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	proxy->say(line);
}

const char *vhu_side_name(enum vhu_side side)
{
	return side == VHU_FRONT ? "front-end" : "back-end";
}
