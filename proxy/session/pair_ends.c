/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two endpoints of a pair, as they are opened. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "proxy/session/pair.h"

/* Check that one side does not connect to where the other listens: each session would begin one
 * more. Returns 0; -ELOOP with a line in @error. */
static int pair_loops(const struct vhu_pair *pair, char error[VHU_ENDPOINT_ERROR])
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		const struct vhu_endpoint *end = &pair->end[side], *other = &pair->end[!side];
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

/*
 * Open the endpoint at @side. A socket that is made stands in for the one that the other side
 * connects to, and has its rights.
 * Returns 0 or -errno with a line in @error.
 */
static int pair_open_end(struct vhu_pair *pair, enum vhu_side side, char error[VHU_ENDPOINT_ERROR])
{
	const struct vhu_endpoint *other = &pair->end[!side];
	int code;

	if (other->kind == VHU_ENDPOINT_CONNECT)
		vhu_socket_perms_read(&pair->rights, other->path);
	code = vhu_endpoint_open(&pair->end[side], &pair->rights, error);
	vhu_socket_perms_free(&pair->rights);
	if (!code && *error)
		vhu_pair_say(pair, "%s", error);
	return code;
}

int vhu_pair_open_ends(struct vhu_pair *pair, char error[VHU_ENDPOINT_ERROR])
{
	int code;

	for (enum vhu_side side = VHU_FRONT; side <= VHU_BACK; side++) {
		code = pair_open_end(pair, side, error);
		if (code) {
			if (side == VHU_BACK)
				vhu_endpoint_close(&pair->end[VHU_FRONT]);
			return code;
		}
	}
	code = pair_loops(pair, error);
	if (code) {
		vhu_endpoint_close(&pair->end[VHU_FRONT]);
		vhu_endpoint_close(&pair->end[VHU_BACK]);
	}
	return code;
}
