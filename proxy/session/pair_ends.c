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

/* Close those endpoints that were not open @before. */
static void ends_close(struct vhu_endpoint end[2], const bool before[2])
{
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (!before[side])
			vhu_endpoint_close(&end[side]);
	}
}

/* Open @end, the other side of @other. Returns as vhu_endpoint_open does. */
static int ends_open_one(struct vhu_endpoint *end, const struct vhu_endpoint *other,
			 struct vhu_socket_perms *perms, const struct vhu_socket_maker *maker,
			 char error[VHU_ENDPOINT_ERROR])
{
	const char *of = other->kind == VHU_ENDPOINT_CONNECT ? other->path : NULL;
	int code;

	if (maker && end->kind == VHU_ENDPOINT_LISTEN)
		return vhu_socket_maker_open(maker, end, perms, of, error);
	if (of)
		vhu_socket_perms_read(perms, of);
	code = vhu_endpoint_open(end, perms, error);
	vhu_socket_perms_free(perms);
	return code;
}

int vhu_pair_ends_open(struct vhu_endpoint end[2], struct vhu_socket_perms *perms,
		       const struct vhu_socket_maker *maker,
		       void (*say)(void *context, const char *line), void *context,
		       char error[VHU_ENDPOINT_ERROR])
{
	bool before[2];
	int code = 0;

	for (int side = VHU_FRONT; side <= VHU_BACK; side++)
		before[side] = end[side].kind == VHU_ENDPOINT_LISTEN && end[side].fd >= 0;
	for (enum vhu_side side = VHU_FRONT; side <= VHU_BACK && !code; side++) {
		if (before[side])
			continue;
		code = ends_open_one(&end[side], &end[!side], perms, maker, error);
		if (!code && *error)
			say(context, error);
	}
	if (!code)
		code = ends_loop(end, error);
	if (code)
		ends_close(end, before);
	return code;
}
