/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to a running proxy's control socket. */
#include "tools/ctl/meet.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int vhu_control_meet(const char *socket, FILE **proxy, char error[VHU_ENDPOINT_ERROR])
{
	struct vhu_endpoint end;
	int fd;

	if (vhu_endpoint_parse(&end, socket, VHU_ENDPOINT_CONNECT, error))
		return -EINVAL;
	if (end.kind != VHU_ENDPOINT_CONNECT) {
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: not the path of a socket", socket);
		return -EINVAL;
	}
	fd = vhu_endpoint_connect(&end, error);
	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFL, 0);
	*proxy = fdopen(fd, "r+");
	if (*proxy)
		return 0;
	close(fd);
	snprintf(error, VHU_ENDPOINT_ERROR, "out of memory");
	return -ENOMEM;
}
