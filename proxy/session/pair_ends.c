/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two endpoints of a pair, as they are opened. */
#include "proxy/session/pair_ends.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* Check that one side does not connect to where the other listens: each session would begin one
 * more. Returns 0; -ELOOP with a line in @error. */
static int ends_loop(const struct vhu_endpoint both[2], char error[VHU_ENDPOINT_ERROR])
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		const struct vhu_endpoint *end = &both[side], *other = &both[!side];
		struct stat st;

		if (!end->made || other->kind != VHU_ENDPOINT_CONNECT || stat(other->path, &st) ||
		    st.st_dev != end->device || st.st_ino != end->inode)
			continue;
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: FRONT and BACK are the same socket",
			 other->path);
		return -ELOOP;
	}
	return 0;
}

int vhu_pair_ends_open(struct vhu_endpoint end[2], struct vhu_socket_perms *perms,
		       void (*say)(void *context, const char *line), void *context,
		       char error[VHU_ENDPOINT_ERROR])
{
	int code;

	for (enum vhu_side side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (end[!side].kind == VHU_ENDPOINT_CONNECT)
			vhu_socket_perms_read(perms, end[!side].path);
		code = vhu_endpoint_open(&end[side], perms, error);
		vhu_socket_perms_free(perms);
		if (code) {
			if (side == VHU_BACK)
				vhu_endpoint_close(&end[VHU_FRONT]);
			return code;
		}
		if (*error)
			say(context, error);
	}
	code = ends_loop(end, error);
	if (code) {
		vhu_endpoint_close(&end[VHU_FRONT]);
		vhu_endpoint_close(&end[VHU_BACK]);
	}
	return code;
}
